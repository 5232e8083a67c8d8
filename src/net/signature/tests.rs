//! Each rule of receiving by name (interop C1 to C16, H2, H13 to H15, T1 to T6), and our own signatures against it.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Request, StatusCode};
use proptest::prelude::*;

use super::*;
use crate::net::keys::{GeneratedKey, generate_ed25519, generate_rsa};

const NAMES: Names<'_> = Names { scheme: "https", public: &["bridge.example", "other.example:8443"], behind: &[] };
const KEY_ID: &str = "https://peer.example/users/ann#main-key";
const BODY: &[u8] = br#"{"type":"Follow"}"#;
/// 2026-08-07T08:00:00Z
const NOW: Timestamp = Timestamp::from_millis(1_786_089_600_000);

static MADE: LazyLock<GeneratedKey> = LazyLock::new(|| generate_rsa().expect("a key"));
static PUBLIC: LazyLock<PublicKey> = LazyLock::new(|| PublicKey::from_pem(&MADE.public).expect("a key"));

fn minutes(count: i64) -> Timestamp {
    Timestamp::from_millis(NOW.millis() + count * 60_000)
}

/// A peer's POST, put together by hand in Mastodon's shape with nothing of ours but the key's bytes.
#[derive(Clone)]
struct Peer {
    method: Method,
    /// What is sent, and what is signed.
    target: (String, String),
    headers: Vec<(&'static str, String)>,
    signed: String,
    parameters: String,
    body: Vec<u8>,
}

fn sha256(body: &[u8]) -> String {
    STANDARD.encode(digest(&SHA256, body))
}

fn post() -> Peer {
    Peer {
        method: Method::POST,
        target: ("/ap/inbox".to_owned(), "/ap/inbox".to_owned()),
        headers: vec![
            ("host", "bridge.example".to_owned()),
            ("date", NOW.http_date()),
            ("digest", format!("SHA-256={}", sha256(BODY))),
            ("content-type", "application/activity+json".to_owned()),
        ],
        signed: "(request-target) host date digest content-type".to_owned(),
        parameters: r#"algorithm="rsa-sha256""#.to_owned(),
        body: BODY.to_vec(),
    }
}

fn get() -> Peer {
    let mut peer = post().signing("(request-target) host date");
    peer.method = Method::GET;
    peer.headers.truncate(2);
    peer.body.clear();
    peer
}

impl Peer {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.and(name, value)
    }

    fn and(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self
    }

    fn signing(mut self, names: &str) -> Self {
        self.signed = names.to_owned();
        self
    }

    fn saying(mut self, parameters: &str) -> Self {
        self.parameters = parameters.to_owned();
        self
    }

    fn dated(self, at: Timestamp) -> Self {
        self.with("date", &at.http_date())
    }

    fn value(&self, name: &str) -> String {
        let parameter = |name: &str| {
            let (_, after) = self.parameters.split_once(&format!("{name}=")).unwrap_or_default();
            after.trim_matches('"').split([',', '"']).next().unwrap_or_default().to_owned()
        };
        match name {
            "(request-target)" => format!("{} {}", self.method.as_str().to_lowercase(), self.target.1),
            "(created)" => parameter("created"),
            "(expires)" => parameter("expires"),
            name => {
                let all = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
                all.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn signature(&self) -> String {
        let lines: Vec<String> = self
            .signed
            .split(' ')
            .map(|name| format!("{}: {}", name.to_lowercase(), self.value(&name.to_lowercase())))
            .collect();
        let pair = RsaKeyPair::from_pkcs8(&MADE.pkcs8).expect("a key");
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), lines.join("\n").as_bytes(), &mut signature).expect("signs");
        STANDARD.encode(signature)
    }

    /// Signs, and lets `change` do to the headers and the body what a stranger might.
    fn read_after(&self, change: impl FnOnce(&mut HeaderMap, &mut Vec<u8>)) -> Result<Claim, Rejection> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            headers.append(*name, HeaderValue::try_from(value).expect("a value"));
        }
        let comma = if self.parameters.is_empty() { "" } else { "," };
        let signature = format!(
            r#"keyId="{KEY_ID}",{}{comma}headers="{}",signature="{}""#,
            self.parameters,
            self.signed,
            self.signature()
        );
        headers.insert(SIGNATURE, HeaderValue::try_from(signature).expect("a value"));
        let mut body = self.body.clone();
        change(&mut headers, &mut body);
        let received =
            Received { method: &self.method, path_and_query: &self.target.0, headers: &headers, body: &body };
        read(&received, &NAMES, NOW)
    }

    /// Whether it is taken, and verifies; else why not.
    fn outcome(&self) -> Result<bool, Reason> {
        self.read_after(|_, _| {}).map(|claim| claim.verify(&PUBLIC)).map_err(|refusal| refusal.reason)
    }
}

#[test]
fn a_peers_request_is_taken_and_verifies() {
    let claim = post().read_after(|_, _| {}).expect("taken");
    assert_eq!(claim.key_id(), KEY_ID);
    assert!(claim.verify(&PUBLIC));
    let another = generate_rsa().expect("a key");
    assert!(!claim.verify(&PublicKey::from_pem(&another.public).expect("a key")), "another's key");
    assert_eq!(get().outcome(), Ok(true));
}

#[test]
fn a_tampered_body_is_401_t1_h1() {
    let refusal = post().read_after(|_, body| body.push(b' ')).expect_err("refused");
    assert_eq!(refusal, Rejection { status: StatusCode::UNAUTHORIZED, reason: Reason::DigestMismatch });
    // With a digest to match, the signature no longer holds.
    let forged = post().read_after(|headers, body| {
        *body = b"forged".to_vec();
        headers.insert(DIGEST, HeaderValue::try_from(format!("SHA-256={}", sha256(body))).expect("a value"));
    });
    assert!(!forged.expect("in order without the key").verify(&PUBLIC));
}

#[test]
fn a_signature_over_the_digest_only_is_401_t2_limits_row_4() {
    for (signed, reason) in [
        ("digest", Reason::DateUnsigned),
        ("digest date", Reason::HostUnsigned),
        ("digest date host", Reason::TargetUnsigned),
        ("(request-target) date host", Reason::DigestUnsigned),
        ("(request-target) digest host", Reason::DateUnsigned),
        ("(request-target) digest date", Reason::HostUnsigned),
    ] {
        assert_eq!(post().signing(signed).outcome(), Err(reason), "{signed}");
        assert_eq!(Rejection::from(reason).status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(get().signing("host date").outcome(), Err(Reason::TargetUnsigned));
    assert_eq!(get().signing("(request-target) date").outcome(), Err(Reason::HostUnsigned));
}

#[test]
fn the_date_window_is_mastodons_t3_c6_h2_limits_row_5() {
    for (offset, outcome) in [
        (-30, Ok(true)),
        (-65, Ok(true)),
        (-66, Err(Reason::DateOld)),
        (60, Ok(true)),
        (61, Err(Reason::DateFuture)),
        (120, Err(Reason::DateFuture)),
        (10 * 365 * 24 * 60, Err(Reason::DateFuture)),
    ] {
        assert_eq!(post().dated(minutes(offset)).outcome(), outcome, "{offset} minutes");
    }
    assert_eq!(post().with("date", "yesterday").outcome(), Err(Reason::DateMalformed));
    assert_eq!(post().without("date").outcome(), Err(Reason::HeaderMissing));
}

#[test]
fn created_and_expires_are_honoured_where_signed_c6() {
    let signed = "(request-target) (created) (expires) host digest";
    let at = |created: i64, expires: i64| {
        let seconds = |offset: i64| minutes(offset).seconds();
        let parameters = format!(r#"algorithm="hs2019",created={},expires="{}""#, seconds(created), seconds(expires));
        post().saying(&parameters)
    };
    for (created, expires, outcome) in [
        (0, 5, Ok(true)),
        (-300, 1, Ok(true)),
        (-300, -59, Ok(true)),
        (-300, -61, Err(Reason::DateOld)),
        (-13 * 60, 60 * 24, Ok(true)),
        (-13 * 60 - 1, 60 * 24, Err(Reason::DateOld)),
        (61, 120, Err(Reason::DateFuture)),
    ] {
        assert_eq!(at(created, expires).signing(signed).outcome(), outcome, "{created} to {expires}");
    }
    // Beside the signature anybody could write it: it shortens, and never prolongs.
    let date_only = post().signed;
    assert_eq!(at(0, 600).signing(&date_only).dated(minutes(-66)).outcome(), Err(Reason::DateOld));
    assert_eq!(at(0, -61).signing(&date_only).outcome(), Err(Reason::DateOld));
    // Signed but not said.
    let unsaid = post().saying(r#"algorithm="hs2019""#).signing("(request-target) (created) host digest");
    assert_eq!(unsaid.outcome(), Err(Reason::SignatureMalformed));
    // Huge numbers neither panic nor overflow.
    let huge = format!(r#"algorithm="hs2019",created={},expires={}"#, u64::MAX, u64::MAX);
    assert_eq!(post().saying(&huge).signing(signed).outcome(), Err(Reason::DateFuture));
}

#[test]
fn the_signed_host_is_ours_limits_row_3() {
    assert_eq!(post().with("host", "evil.example").outcome(), Err(Reason::HostForeign));
    assert_eq!(post().with("host", "bridge.example:8443").outcome(), Err(Reason::HostForeign));
    assert_eq!(post().with("host", "Other.Example:8443").outcome(), Ok(true), "case does not count");
    assert_eq!(post().without("host").outcome(), Err(Reason::HeaderMissing));
}

#[test]
fn what_secures_a_request_stands_once_limits_row_2() {
    for name in ["host", "date", "digest", "signature", "content-type", "content-length", "authorization"] {
        let refusal = post().read_after(|headers, _| {
            let first = headers.get(name).cloned().unwrap_or(HeaderValue::from_static("17"));
            headers.insert(name, first.clone());
            headers.append(name, first);
        });
        let refusal = refusal.expect_err(name);
        assert_eq!(refusal, Rejection { status: StatusCode::BAD_REQUEST, reason: Reason::RepeatedHeader }, "{name}");
    }
    // The very forgery: the first digest is that of the forged body, the last the genuine one.
    let forged = post().read_after(|headers, body| {
        let genuine = headers.get(DIGEST).cloned().expect("a digest");
        *body = b"forged".to_vec();
        headers.insert(DIGEST, HeaderValue::try_from(format!("SHA-256={}", sha256(body))).expect("a value"));
        headers.append(DIGEST, genuine);
    });
    assert_eq!(forged.expect_err("refused").reason, Reason::RepeatedHeader);
}

#[test]
fn an_unsigned_request_is_401_and_an_unreadable_one_400() {
    let unsigned = post().read_after(|headers, _| drop(headers.remove(SIGNATURE)));
    assert_eq!(
        unsigned.expect_err("refused"),
        Rejection { status: StatusCode::UNAUTHORIZED, reason: Reason::SignatureMissing }
    );
    for text in ["", "nonsense", r#"keyId="k",keyId="k",signature="AQI=""#] {
        let refusal = post().read_after(|headers, _| drop(headers.insert(SIGNATURE, HeaderValue::from_static(text))));
        let expected = Rejection { status: StatusCode::BAD_REQUEST, reason: Reason::SignatureMalformed };
        assert_eq!(refusal.expect_err("refused"), expected, "{text}");
    }
}

#[test]
fn authorization_beside_the_signature_means_nothing_h3() {
    for value in ["Bearer token", r#"Signature keyId="x",signature="AQI=""#] {
        let claim =
            post().read_after(|headers, _| drop(headers.insert("authorization", HeaderValue::from_static(value))));
        assert!(claim.expect("taken").verify(&PUBLIC), "{value}");
    }
}

#[test]
fn mixed_case_blanks_and_unknown_parameters_are_taken_h4_c12_limits_row_11() {
    assert_eq!(post().signing("(request-target) Host Date Digest Content-Type").outcome(), Ok(true));
    let untidy = post().read_after(|headers, _| {
        let tidy = headers[SIGNATURE].to_str().expect("text").to_owned();
        let untidy = format!("Signature {},extra=\"a,b\"", tidy.replace("\",", "\" , "));
        headers.insert(SIGNATURE, HeaderValue::try_from(untidy).expect("a value"));
    });
    assert!(untidy.expect("taken").verify(&PUBLIC));
}

#[test]
fn of_several_digests_sha_256_counts_t24_c5() {
    let hash = sha256(BODY);
    for good in [format!("SHA-512=AAAA,SHA-256={hash}"), format!("sha-256={hash}, unixsum=30637")] {
        assert_eq!(post().with("digest", &good).outcome(), Ok(true), "{good}");
    }
    for (bad, reason) in [
        ("SHA-512=AAAA".to_owned(), Reason::DigestMalformed),
        (format!("SHA-256={hash},SHA-256={hash}"), Reason::DigestMalformed),
        (format!("SHA-256={hash},sha-256=AAAA"), Reason::DigestMalformed),
        ("SHA-256=%".to_owned(), Reason::DigestMalformed),
        ("SHA-256=".to_owned(), Reason::DigestMismatch),
        (hash.clone(), Reason::DigestMalformed),
    ] {
        assert_eq!(post().with("digest", &bad).outcome(), Err(reason), "{bad}");
    }
    assert_eq!(post().without("digest").outcome(), Err(Reason::HeaderMissing));
}

#[test]
fn algorithms_are_those_that_mean_rsa_sha256_c13() {
    let created = format!(r#"algorithm="rsa-sha256",created={}"#, NOW.seconds());
    for (parameters, signed, outcome) in [
        ("", "(request-target) host date digest", Ok(true)),
        (r#"algorithm="hs2019""#, "(request-target) host date digest", Ok(true)),
        (r#"algorithm="RSA-SHA256""#, "(request-target) host date digest", Ok(true)),
        (r#"algorithm="rsa-sha512""#, "(request-target) host date digest", Err(Reason::Algorithm)),
        (r#"algorithm="hmac-sha256""#, "(request-target) host date digest", Err(Reason::Algorithm)),
        (created.as_str(), "(request-target) (created) host digest", Err(Reason::Algorithm)),
    ] {
        assert_eq!(post().saying(parameters).signing(signed).outcome(), outcome, "{parameters}");
    }
}

#[test]
fn a_key_id_is_a_web_address_c7() {
    for bad in
        ["acct:ann@peer.example", "/users/ann", "peer", "https://u@peer.example/", "data:,x", "https://peer example/"]
    {
        let refusal = post().read_after(|headers, _| {
            let text = headers[SIGNATURE].to_str().expect("text").replace(KEY_ID, bad);
            headers.insert(SIGNATURE, HeaderValue::try_from(text).expect("a value"));
        });
        assert_eq!(refusal.expect_err(bad).reason, Reason::KeyId, "{bad}");
    }
}

#[test]
fn the_target_may_be_signed_without_its_query_c11() {
    for (sent, signed, outcome) in [
        ("/a?page=1", "/a?page=1", true),
        ("/a?page=1", "/a", true),
        ("/a?page=1", "/a?page=2", false),
        ("/a", "/b", false),
        ("/a", "/a?page=1", false),
    ] {
        let mut peer = get();
        peer.target = (sent.to_owned(), signed.to_owned());
        assert_eq!(peer.outcome(), Ok(outcome), "{sent} signed as {signed}");
    }
}

#[test]
fn a_header_that_stands_twice_is_signed_as_one_list() {
    let peer = get().and("accept", "a").and("accept", "b").signing("(request-target) host date accept");
    assert_eq!(peer.outcome(), Ok(true));
    assert_eq!(get().signing("(request-target) host date accept").outcome(), Err(Reason::HeaderMissing));
}

fn received(request: &Request<Bytes>) -> Received<'_> {
    Received {
        method: request.method(),
        path_and_query: request.uri().path_and_query().expect("a path").as_str(),
        headers: request.headers(),
        body: request.body(),
    }
}

#[test]
fn what_we_sign_we_take_c1_c2_c16() {
    let key = PrivateKey::from_pkcs8(&MADE.pkcs8).expect("a key");
    let mut request = Request::post("https://other.example:8443/ap/inbox?x=1")
        .header("content-type", "application/activity+json")
        .header("accept", "application/activity+json")
        .body(Bytes::from_static(BODY))
        .expect("a request");
    for again in 0..2 {
        sign(&mut request, Form::Cavage, KEY_ID, &key, minutes(again)).expect("signs");
    }
    assert_eq!(request.headers()["host"], "other.example:8443");
    assert_eq!(request.headers()["date"], minutes(1).http_date());
    assert_eq!(request.headers()["digest"], format!("SHA-256={}", sha256(BODY)));
    let text = request.headers()["signature"].to_str().expect("text");
    assert!(text.contains(r#"headers="(request-target) content-type date digest host""#), "{text}");
    assert!(text.contains(r#"",algorithm="rsa-sha256",headers="#), "U12: {text}");
    let claim = read(&received(&request), &NAMES, NOW).expect("taken");
    assert!(claim.verify(&PUBLIC));

    let mut request = Request::get("https://bridge.example/ap/instance").body(Bytes::new()).expect("a request");
    sign(&mut request, Form::Cavage, KEY_ID, &key, NOW).expect("signs");
    let text = request.headers()["signature"].to_str().expect("text");
    assert!(text.contains(r#"",algorithm="rsa-sha256",headers="(request-target) date host""#), "U12: {text}");
    assert!(!request.headers().contains_key("digest"));
    assert!(read(&received(&request), &NAMES, NOW).expect("taken").verify(&PUBLIC));
}

#[test]
fn what_cannot_be_signed_says_why() {
    let key = PrivateKey::from_pkcs8(&generate_ed25519().expect("a key").pkcs8).expect("a key");
    let mut nowhere = Request::get("/path").body(Bytes::new()).expect("a request");
    assert_eq!(sign(&mut nowhere, Form::Cavage, KEY_ID, &key, NOW), Err(SignError::NoHost));
    let mut request = Request::get("https://a.example/").body(Bytes::new()).expect("a request");
    assert_eq!(sign(&mut request, Form::Cavage, "two\nlines", &key, NOW), Err(SignError::NotText));
    assert!(!request.headers().contains_key("signature"));
}

proptest! {
    #[test]
    fn no_header_makes_us_panic(
        signature in prop_oneof![
            ".*",
            r#"(Signature )?(keyId="https://a\.example/k",|headers="[a-z() -]{0,40}",|created="?[0-9]{0,25}"?,|expires=[0-9]{0,25},|algorithm="hs2019",){0,7}signature="AQI=""#,
            r#"keyId="https://a\.example/k",headers="\(request-target\) \(created\) \(expires\) host date digest",created=[0-9]{1,20},expires=[0-9]{1,20},algorithm=hs2019,signature="AQI=""#,
        ],
        date in prop_oneof![".*", Just(NOW.http_date()), "[A-Z][a-z]{2}, [0-9]{2} Aug [0-9]{4} 08:00:00 GMT"],
        digest_value in prop_oneof![".*", Just(format!("SHA-256={}", sha256(BODY)))],
        host in prop_oneof!["[ -~]*", Just("bridge.example".to_owned())],
        target in ".*",
        raw in proptest::collection::vec(any::<u8>(), 0..64),
        now in any::<i64>(),
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in [("signature", &signature), ("date", &date), ("digest", &digest_value), ("host", &host)] {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.append(name, value);
            }
        }
        for method in [Method::GET, Method::POST] {
            let request = Received { method: &method, path_and_query: &target, headers: &headers, body: BODY };
            for at in [NOW, Timestamp::from_millis(now)] {
                let claim = read(&request, &NAMES, at);
                prop_assert!(!claim.is_ok_and(|claim| claim.verify(&PUBLIC)));
            }
        }
        if let Ok(value) = HeaderValue::from_bytes(&raw) {
            headers.insert("signature", value);
            let request = Received { method: &Method::POST, path_and_query: "/", headers: &headers, body: BODY };
            prop_assert!(read(&request, &NAMES, NOW).is_err());
        }
    }
}
