use tempfile::TempDir;

use super::*;

const NOW_MS: u64 = 1_700_000_000_000;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(NOW_MS)
}

async fn store() -> (TempDir, Store, String, SigningKey) {
    let directory = TempDir::new().expect("a directory");
    let store = Store::open(directory.path()).expect("opened");
    let service = store.create_service("shop").await.expect("made");
    let key = SigningKey::from_text(service.key.reveal());
    (directory, store, service.id.to_string(), key)
}

fn header(id: &str, key: &SigningKey, timestamp: u64, cnonce: &str) -> String {
    let signature = key.sign(&format!("{timestamp},{cnonce}"));
    format!(
        "MAuth realm=x,mauth_signature_method=HMAC_SHA256,mauth_serviceid={id},\
         mauth_cnonce={cnonce},mauth_timestamp={timestamp},mauth_signature={signature}"
    )
}

#[test]
fn headers_are_taken_apart_as_owt_does() {
    let parsed = parse(
        "MAuth realm=\"a\",mauth_signature_method=HMAC_SHA256,xxxxxxserviceid=s=1,\
         mauth_cnonce=n,mauth_timestamp=5,mauth_signature=a=b==,mauth_username=dQ==",
    );
    let parsed = parsed.expect("complete");
    assert_eq!(parsed.service, "s1", "an equal sign inside is lost, whatever six letters precede");
    assert_eq!(parsed.signature, "ab==", "those at the end are not");
    assert_eq!(parsed.username.as_deref(), Some("dQ=="));
    assert_eq!(parsed.message(), "5,n", "a user without a role is not signed");
}

#[test]
fn what_is_no_complete_header_is_refused() {
    let good = "MAuth realm=x,mauth_signature_method=HMAC_SHA256,mauth_serviceid=s,\
                mauth_cnonce=n,mauth_timestamp=5,mauth_signature=c2ln";
    assert!(parse(good).is_some());
    let bad = [
        String::new(),
        "MAuth ".into(),
        "Basic abc".into(),
        good.replace("MAuth ", "mauth "),
        good.replace("HMAC_SHA256", "HMAC_SHA1"),
        good.replace(",mauth_cnonce=n", ""),
        good.replace("mauth_timestamp=5", "mauth_timestamp="),
        good.replace(",mauth", ", mauth"),
        good.to_owned() + "," + &"é".repeat(MAX_HEADER_BYTES),
    ];
    for header in bad {
        assert_eq!(parse(&header), None, "{header:.200}");
    }
    assert!(parse(&format!("{good},é=ü,====,éééééé")).is_some(), "noise beside it is ignored");
}

#[tokio::test]
async fn only_the_services_own_key_signs() {
    let (_directory, store, id, key) = store().await;
    let authenticator = Authenticator::new(store);
    let good = header(&id, &key, NOW_MS, "1234");
    for _ in 0..2 {
        let caller = authenticator.verify(&good, now()).await.expect("let in, again and again");
        assert_eq!((caller.service.as_str(), caller.is_super), (id.as_str(), true));
        assert_eq!(caller.speaks_for, None);
    }
    let other = SigningKey::from_text("guessed");
    let bad = [
        header(&id, &other, NOW_MS, "1234"),
        header("0123456789abcdef01234567", &key, NOW_MS, "1234"),
        header("a b", &key, NOW_MS, "1234"),
        good.replace("cnonce=1234", "cnonce=1235"),
        good.replace(",mauth_signature=", ",mauth_signature=A"),
        good.clone() + ",mauth_username=YW5u,mauth_role=admin",
    ];
    for header in bad {
        let refused = authenticator.verify(&header, now()).await;
        assert!(matches!(refused, Err(AuthError::Refused)), "{header}");
    }
}

#[tokio::test]
async fn a_service_speaks_for_a_user() {
    let (_directory, store, id, key) = store().await;
    let authenticator = Authenticator::new(store);
    let signature = key.sign("5,n,QW5uIMOc,presenter");
    let signed = format!(
        "MAuth realm=x,mauth_signature_method=HMAC_SHA256,mauth_serviceid={id},mauth_cnonce=n,\
         mauth_timestamp=5,mauth_username=QW5uIMOc,mauth_role=presenter,mauth_signature={signature}"
    );
    let caller = authenticator.verify(&signed, now()).await.expect("let in");
    assert_eq!(caller.speaks_for, Some(("Ann Ü".into(), "presenter".into())));
    let signature = key.sign("5,n,!,presenter");
    let garbled = signed.replace("QW5uIMOc", "!");
    let garbled = garbled.split(",mauth_signature=").next().expect("one").to_owned();
    let garbled = format!("{garbled},mauth_signature={signature}");
    assert!(matches!(authenticator.verify(&garbled, now()).await, Err(AuthError::Refused)));
}

#[tokio::test]
async fn a_strict_authenticator_takes_a_header_once_and_in_time() {
    let (_directory, store, id, key) = store().await;
    let authenticator = Authenticator::strict(store, Duration::from_secs(60));
    let good = header(&id, &key, NOW_MS, "1");
    assert!(authenticator.verify(&good, now()).await.is_ok());
    assert!(matches!(authenticator.verify(&good, now()).await, Err(AuthError::Refused)));
    let next = header(&id, &key, NOW_MS, "2");
    assert!(authenticator.verify(&next, now()).await.is_ok());
    for (timestamp, fits) in [
        (NOW_MS - 60_000, true),
        (NOW_MS + 60_000, true),
        (NOW_MS - 60_001, false),
        (NOW_MS + 60_001, false),
        (0, false),
        (u64::MAX, false),
    ] {
        let header = header(&id, &key, timestamp, "3");
        assert_eq!(authenticator.verify(&header, now()).await.is_ok(), fits, "{timestamp}");
    }
}

#[tokio::test]
async fn a_key_is_compared_whole() {
    let (_directory, store, id, _) = store().await;
    let service = store.services().await.expect("read").remove(0);
    let authenticator = Authenticator::new(store);
    let key = service.key.reveal().to_owned();
    assert!(authenticator.verify_key(&id, &service.key).await.is_ok());
    for wrong in [String::new(), key[1..].to_owned(), key.clone() + "A"] {
        let refused = authenticator.verify_key(&id, &wrong.clone().into()).await;
        assert!(matches!(refused, Err(AuthError::Refused)), "{wrong}");
    }
    assert!(authenticator.verify_key("nobody", &service.key).await.is_err());
}
