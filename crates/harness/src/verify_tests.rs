//! What the strict reading takes and refuses.

use crate::PeerKey;
use crate::signing::{SignOptions, signed_request};
use bytes::Bytes;
use http::{HeaderValue, Method, Request};

use super::*;

const ADDRESS: &str = "https://b.test/inbox";
const KEY_ID: &str = "https://a.test/users/ann#main-key";

fn now() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000)
}

fn post(key: &PeerKey, options: &SignOptions) -> Request<Bytes> {
    let body = Bytes::from_static(br#"{"type":"Follow"}"#);
    signed_request((Method::POST, ADDRESS, body), (KEY_ID, key), now(), options).expect("a request")
}

fn read(request: Request<Bytes>, key: &PeerKey) -> Result<(), String> {
    let (parts, body) = request.into_parts();
    inspect(&parts, &body, "b.test", now())?.verify(key.public_pem())
}

fn refusal(key: &PeerKey, options: &SignOptions) -> String {
    read(post(key, options), key).expect_err("a refusal")
}

#[test]
fn it_takes_what_an_honest_server_signs() {
    let key = PeerKey::generate().expect("a key");
    assert_eq!(read(post(&key, &SignOptions::default()), &key), Ok(()));
    let half_an_hour = SignOptions { age: Duration::from_mins(30), ..SignOptions::default() };
    assert_eq!(read(post(&key, &half_an_hour), &key), Ok(()));
}

#[test]
fn it_refuses_each_broken_part_by_its_rule() {
    let key = PeerKey::generate().expect("a key");
    let honest = SignOptions::default;
    let signed = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
    let cases = [
        ("C6", SignOptions { age: Duration::from_mins(66), ..honest() }),
        ("C6", SignOptions { ahead: Duration::from_hours(2), ..honest() }),
        ("C16", SignOptions { host: Some("c.test".into()), ..honest() }),
        (
            "C4: (request-target)",
            SignOptions { headers: signed(&["host", "date", "digest", "content-type"]), ..honest() },
        ),
        ("C4: (request-target)", SignOptions { headers: signed(&["digest"]), ..honest() }),
        ("C5", SignOptions { digest: Some(digest_of(b"another body")), ..honest() }),
        ("C5", SignOptions { digest: Some("SHA-512=AAAA".into()), ..honest() }),
        (
            "C4: there are several digest",
            SignOptions { extra_headers: vec![("digest".into(), "SHA-256=AA".into())], ..honest() },
        ),
        (
            "C4: there are several signature",
            SignOptions { extra_headers: vec![("signature".into(), "x".into())], ..honest() },
        ),
        ("C18", SignOptions { content_type: Some("application/json".into()), ..honest() }),
        ("C1: algorithm", SignOptions { algorithm: Some("hmac-sha256".into()), ..honest() }),
        ("C1: algorithm", SignOptions { algorithm: Some("hs2019".into()), ..honest() }),
    ];
    for (rule, options) in cases {
        let why = refusal(&key, &options);
        assert!(why.starts_with(rule), "{rule}: {why}");
    }
}

#[test]
fn it_refuses_a_tampered_body_and_another_key() {
    let (key, other) = (PeerKey::generate().expect("a key"), PeerKey::generate().expect("a key"));
    let mut tampered = post(&key, &SignOptions::default());
    *tampered.body_mut() = Bytes::from_static(br#"{"type":"Delete"}"#);
    assert!(read(tampered, &key).expect_err("a refusal").starts_with("C5"));

    let forged = SignOptions { key: Some(other), ..SignOptions::default() };
    assert!(refusal(&key, &forged).starts_with("C1: the signature does not fit"));

    // A digest made to fit the new body is no help: the digest is signed.
    let mut tampered = post(&key, &SignOptions::default());
    *tampered.body_mut() = Bytes::from_static(br#"{"type":"Delete"}"#);
    let digest = HeaderValue::from_str(&digest_of(tampered.body())).expect("a value");
    tampered.headers_mut().insert("digest", digest);
    assert!(read(tampered, &key).expect_err("a refusal").starts_with("C1: the signature does not fit"));
}

#[test]
fn a_signature_header_is_read_strictly() {
    assert!(signature_fields(r#"keyId="a", headers="b c",created=1"#).is_ok_and(|fields| fields.len() == 3));
    assert!(signature_fields(r#"keyId="a",keyId="b""#).is_err());
    assert!(signature_fields(r#"keyId="a"#).is_err());
    assert!(signature_fields("nothing").is_err());
}
