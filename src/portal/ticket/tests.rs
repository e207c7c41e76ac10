use serde_json::json;

use super::*;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

const LIFETIME: Duration = Duration::from_secs(600);

fn tickets() -> Tickets {
    Tickets { key: SigningKey::from_text("a key") }
}

fn issued() -> (Ticket, Value) {
    let participant = "p-1".parse().expect("valid");
    let (ticket, text) = tickets().issue(&participant, LIFETIME, now());
    let json = STANDARD.decode(text.reveal()).expect("base64");
    (ticket, serde_json::from_slice(&json).expect("JSON"))
}

#[test]
fn a_ticket_has_owts_form_and_counts() {
    let participant = "p-1".parse().expect("valid");
    let (ticket, text) = tickets().issue(&participant, LIFETIME, now());
    let json = STANDARD.decode(text.reveal()).expect("base64");
    let json = String::from_utf8(json).expect("text");
    let start = format!(
        r#"{{"participantId":"p-1","ticketId":"{}","notBefore":1700000000000,"notAfter":1700000600000,"signature":""#,
        ticket.id
    );
    assert!(json.starts_with(&start), "{json}");
    let verified = tickets().verify(&text.reveal().into(), now()).expect("verified");
    assert_eq!(verified, ticket);
    assert_eq!(verified.not_after, now() + LIFETIME);
}

#[test]
fn the_object_counts_in_both_spellings() {
    let (ticket, mut json) = issued();
    assert_eq!(tickets().verify(&json, now()), Ok(ticket.clone()));
    let participant = json.as_object_mut().expect("an object").remove("participantId");
    json["ParticipantId"] = participant.expect("was there");
    assert_eq!(tickets().verify(&json, now()), Ok(ticket));
}

#[test]
fn every_field_is_signed() {
    let (_, json) = issued();
    for (key, value) in [
        ("participantId", json!("p-2")),
        ("ticketId", json!("x")),
        ("notBefore", json!(1_600_000_000_000_u64)),
        ("notAfter", json!(1_900_000_000_000_u64)),
        ("signature", json!("x")),
        ("signature", json!(null)),
        ("notAfter", json!("1700000600000")),
        ("participantId", json!({})),
    ] {
        let mut forged = json.clone();
        forged[key] = value;
        assert_eq!(tickets().verify(&forged, now()), Err(TicketError::Signature), "{key}");
    }
    let other = Tickets { key: SigningKey::from_text("another key") };
    assert_eq!(other.verify(&json, now()), Err(TicketError::Signature));
}

#[test]
fn a_ticket_has_its_time() {
    let (_, json) = issued();
    let late = now() + LIFETIME + Duration::from_millis(1);
    assert_eq!(tickets().verify(&json, late), Err(TicketError::Expired));
    let early = now() - Duration::from_millis(1);
    assert_eq!(tickets().verify(&json, early), Err(TicketError::Expired));
    assert!(tickets().verify(&json, now() + LIFETIME).is_ok());
}

#[test]
fn what_is_no_ticket_is_refused() {
    let verify = |value: Value| tickets().verify(&value, now());
    let text = "Unexpected end of JSON input".to_owned();
    assert_eq!(verify(json!("")), Err(TicketError::Malformed(text)));
    for value in [json!(null), json!(1), json!([]), json!({}), json!(STANDARD.encode("1"))] {
        assert_eq!(verify(value), Err(TicketError::Signature));
    }
    let long = json!("x".repeat(MAX_TICKET_BYTES + 1));
    assert!(matches!(verify(long), Err(TicketError::Malformed(_))));
}

#[test]
fn ids_of_tickets_are_base_36() {
    assert_eq!(base36(0), "0");
    assert_eq!(base36(35), "z");
    assert_eq!(base36(36 * 36 + 1), "101");
    assert_eq!(base36(u64::MAX), "3w5e11264sgsf");
}
