use rtc_crypto::providers::AwsLcRsProvider;
use rtc_stun::{
    attributes::{ATTR_ERROR_CODE, ATTR_ICE_CONTROLLING, ATTR_XORMAPPED_ADDRESS, AttrType},
    message::TransactionId,
    textattrs::TextAttribute,
};

use super::*;

struct Flag(AttrType);

impl Setter for Flag {
    fn add_to(&self, message: &mut Message) -> Result<(), rtc_shared::error::Error> {
        message.add(self.0, &[]);
        Ok(())
    }
}

fn local() -> Credentials {
    Credentials { ufrag: "local".into(), password: "a-secret-of-this-end".into() }
}

fn from() -> SocketAddr {
    "192.0.2.7:4711".parse().expect("an address")
}

fn request(user: &str, password: &str, flags: &[AttrType]) -> Vec<u8> {
    let provider = AwsLcRsProvider::new();
    let mut setters: Vec<Box<dyn Setter + '_>> = vec![
        Box::new(TransactionId::new()),
        Box::new(BINDING_REQUEST),
        Box::new(TextAttribute::new(ATTR_USERNAME, user.to_owned())),
    ];
    for flag in flags {
        setters.push(Box::new(Flag(*flag)));
    }
    setters.push(Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
        password.to_owned(),
        provider.crypto(),
    )));
    setters.push(Box::new(FINGERPRINT));
    build(&setters).expect("well formed")
}

fn reply(datagram: &[u8]) -> Option<Reply> {
    let check = Check::read(datagram)?;
    answer(check, from(), &local(), "peer", &AwsLcRsProvider::new())
}

#[test]
fn a_good_check_is_answered_with_the_address_it_came_from() {
    let check = request("local:peer", "a-secret-of-this-end", &[ATTR_ICE_CONTROLLING]);
    let Some(Reply::Valid { datagram, nominated: false }) = reply(&check) else {
        panic!("not accepted");
    };
    let mut message = Message::new();
    message.unmarshal_binary(&datagram).expect("well formed");
    assert_eq!(message.typ, BINDING_SUCCESS);
    assert_eq!(message.transaction_id.0, check[8..20]);
    let mut mapped = XorMappedAddress::default();
    mapped.get_from_as(&message, ATTR_XORMAPPED_ADDRESS).expect("present");
    assert_eq!((mapped.ip, mapped.port), (from().ip(), from().port()));
    FINGERPRINT.check(&message).expect("right");
    let provider = AwsLcRsProvider::new();
    MessageIntegrity::check(&mut message, b"a-secret-of-this-end", provider.crypto())
        .expect("right");
}

#[test]
fn use_candidate_nominates() {
    let check = request("local:peer", "a-secret-of-this-end", &[ATTR_USE_CANDIDATE]);
    assert!(matches!(reply(&check), Some(Reply::Valid { nominated: true, .. })));
}

#[test]
fn a_peer_that_thinks_it_is_controlled_is_told_of_the_conflict() {
    let check = request("local:peer", "a-secret-of-this-end", &[ATTR_ICE_CONTROLLED]);
    let Some(Reply::Refused { datagram }) = reply(&check) else { panic!("not refused") };
    let mut message = Message::new();
    message.unmarshal_binary(&datagram).expect("well formed");
    assert_eq!(message.get(ATTR_ERROR_CODE).expect("present")[2..4], [4, 87]);
}

#[test]
fn forgeries_are_not_answered() {
    assert_eq!(reply(&request("local:peer", "guessed", &[])), None);
    assert_eq!(reply(&request("local:somebody", "a-secret-of-this-end", &[])), None);
    assert_eq!(reply(&request("other:peer", "a-secret-of-this-end", &[])), None);
    let good = request("local:peer", "a-secret-of-this-end", &[]);
    for at in 0..good.len() {
        let mut forged = good.clone();
        forged[at] ^= 0x55;
        assert_eq!(reply(&forged), None, "byte {at}");
        assert_eq!(reply(&good[..at]), None, "cut to {at}");
    }
}

#[test]
fn random_attributes_never_panic() {
    let good = request("local:peer", "a-secret-of-this-end", &[ATTR_USE_CANDIDATE]);
    let mut state = 3_u32;
    for _ in 0..20_000 {
        let mut bytes = good.clone();
        for _ in 0..6 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = 20 + (state >> 8) as usize % (bytes.len() - 20);
            bytes[at] = (state >> 24) as u8;
        }
        // A right checksum, so that the bytes get past the first door.
        let end = bytes.len() - 8;
        let sum = rtc_stun::fingerprint::fingerprint_value(&bytes[..end]).to_be_bytes();
        bytes[end..].copy_from_slice(&[0x80, 0x28, 0, 4, sum[0], sum[1], sum[2], sum[3]]);
        reply(&bytes);
    }
}

#[test]
fn credentials_have_the_right_characters() {
    let drawn = Credentials::draw(&AwsLcRsProvider::new()).expect("randomness");
    assert_eq!((drawn.ufrag.len(), drawn.password.len()), (UFRAG_LEN, PASSWORD_LEN));
    let fits = |text: &str| text.bytes().all(|byte| ICE_CHARS.contains(&byte));
    assert!(fits(&drawn.ufrag) && fits(&drawn.password));
}
