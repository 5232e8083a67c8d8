//! RFC 9421: its own vectors beneath the policy, each rule of the policy by name (interop C14), and our own signatures.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode};

use super::message::{self, base};
use super::*;
use crate::net::keys::{GeneratedKey, generate_ed25519, generate_rsa};

const NAMES: Names<'_> = Names { scheme: "https", public: &["bridge.example", "example.org"], behind: &[] };
const KEY_ID: &str = "https://peer.example/users/ann#main-key";
const BODY: &[u8] = br#"{"type":"Follow"}"#;
/// 2026-08-07T08:00:00Z
const NOW: Timestamp = Timestamp::from_millis(1_786_089_600_000);

static RSA: LazyLock<GeneratedKey> = LazyLock::new(|| generate_rsa().expect("a key"));
static ED25519: LazyLock<GeneratedKey> = LazyLock::new(|| generate_ed25519().expect("a key"));

fn public(made: &GeneratedKey) -> PublicKey {
    PublicKey::read(&made.public).expect("a key")
}

/// The request of RFC 9421 appendix B.2, as the proxy of section 4.3 passed it on.
fn vector_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "example.com"),
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        (
            "content-digest",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        ),
        ("content-length", "18"),
        ("forwarded", "for=192.0.2.123;host=example.com;proto=https"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
}

fn vector_base(authority: &str, components: &[&str], parameters: &str) -> String {
    let headers = vector_headers();
    let request = message::Request {
        method: &Method::POST,
        scheme: "https",
        authority,
        path_and_query: "/foo?param=Value&Pet=dog",
        headers: &headers,
    };
    base(components, parameters, &request).expect("a base")
}

/// RFC 9421 B.2.6, with the key of B.1.4: base and signature hold together only if both are right.
#[test]
fn the_ed25519_vector_of_the_rfc_verifies() {
    let text = vector_base(
        "example.com",
        &["date", "@method", "@path", "@authority", "content-type", "content-length"],
        r#"("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
    );
    let bytes = STANDARD.decode("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").expect("base64");
    let multibase = format!("z{}", bs58::encode([&[0xed, 0x01][..], &bytes].concat()).into_string());
    let key = PublicKey::read(&multibase).expect("a key");
    let signature = "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";
    assert!(key.verify(text.as_bytes(), &STANDARD.decode(signature).expect("base64")), "{text}");
    // The private half of B.1.4 signs the very same bytes.
    let pkcs8 = STANDARD.decode("MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF").expect("base64");
    let private = PrivateKey::from_pkcs8(&pkcs8).expect("a key");
    assert_eq!(STANDARD.encode(private.sign(text.as_bytes()).expect("signs")), signature);
}

/// RFC 9421 section 4.3, `proxy_sig`, with the key of B.1.1: rsa-v1_5-sha256.
#[test]
fn the_rsa_vector_of_the_rfc_verifies() {
    let text = vector_base(
        "origin.host.internal.example",
        &["@method", "@authority", "@path", "content-digest", "content-type", "content-length", "forwarded"],
        r#"("@method" "@authority" "@path" "content-digest" "content-type" "content-length" "forwarded");created=1618884480;keyid="test-key-rsa";alg="rsa-v1_5-sha256";expires=1618884540"#,
    );
    let key = PublicKey::read(
        "-----BEGIN RSA PUBLIC KEY-----\n\
        MIIBCgKCAQEAhAKYdtoeoy8zcAcR874L8cnZxKzAGwd7v36APp7Pv6Q2jdsPBRrw\n\
        WEBnez6d0UDKDwGbc6nxfEXAy5mbhgajzrw3MOEt8uA5txSKobBpKDeBLOsdJKFq\n\
        MGmXCQvEG7YemcxDTRPxAleIAgYYRjTSd/QBwVW9OwNFhekro3RtlinV0a75jfZg\n\
        kne/YiktSvLG34lw2zqXBDTC5NHROUqGTlML4PlNZS5Ri2U4aCNx2rUPRcKIlE0P\n\
        uKxI4T+HIaFpv8+rdV6eUgOrB2xeI1dSFFn/nnv5OoZJEIB+VmuKn3DCUcCZSFlQ\n\
        PSXSfBDiUGhwOw76WuSSsf1D4b/vLoJ10wIDAQAB\n\
        -----END RSA PUBLIC KEY-----\n",
    )
    .expect("a key");
    let signature = STANDARD
        .decode(
            "S6ZzPXSdAMOPjN/6KXfXWNO/f7V6cHm7BXYUh3YD/fRad4BCaRZxP+JH+8XY1I6+8Cy+CM5g92iHgxtRPz+MjniOaYmdkDcnL9cCpXJleXsO\
             ckpURl49GwiyUpZ10KHgOEe11sx3G2gxI8S0jnxQB+Pu68U9vVcasqOWAEObtNKKZd8tSFu7LB5YAv0RAGhB8tmpv7sFnIm9y+7X5kXQfi8N\
             MaZaA8i2ZHwpBdg7a6CMfwnnrtflzvZdXAsD3LH2TwevU+/PBPv0B6NMNk93wUs/vfJvye+YuI87HU38lZHowtznbLVdp770I6VHR6WfgS9d\
             dzirrswsE1w5o0LV/g==",
        )
        .expect("base64");
    assert!(key.verify(text.as_bytes(), &signature), "{text}");
}

/// RFC 9421 sections 2.2.1 to 2.2.7 and B.2: every derived component as its example has it.
#[test]
fn derived_components_are_those_of_the_rfc() {
    let text = vector_base(
        "www.example.com",
        &["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query", "content-length"],
        "()",
    );
    assert_eq!(
        text,
        "\"@method\": POST\n\
         \"@target-uri\": https://www.example.com/foo?param=Value&Pet=dog\n\
         \"@authority\": www.example.com\n\
         \"@scheme\": https\n\
         \"@request-target\": /foo?param=Value&Pet=dog\n\
         \"@path\": /foo\n\
         \"@query\": ?param=Value&Pet=dog\n\
         \"content-length\": 18\n\
         \"@signature-params\": ()"
    );
}

/// A peer's POST, its base put together by hand.
#[derive(Clone)]
struct Peer {
    components: String,
    parameters: String,
    authority: String,
    target: String,
    content_digest: String,
    host: String,
}

fn peer() -> Peer {
    Peer {
        components: r#""@method" "@target-uri" "content-digest""#.to_owned(),
        parameters: format!(";created={};keyid=\"{KEY_ID}\"", NOW.seconds()),
        authority: "bridge.example".to_owned(),
        target: "/ap/inbox?x=1".to_owned(),
        content_digest: format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, BODY))),
        host: "bridge.example".to_owned(),
    }
}

impl Peer {
    fn covering(mut self, components: &str) -> Self {
        self.components = components.to_owned();
        self
    }

    fn saying(mut self, parameters: &str) -> Self {
        self.parameters = parameters.to_owned();
        self
    }

    fn to(mut self, authority: &str, host: &str) -> Self {
        (self.authority, self.host) = (authority.to_owned(), host.to_owned());
        self
    }

    fn digested(mut self, value: &str) -> Self {
        self.content_digest = value.to_owned();
        self
    }

    fn headers(&self, key: &GeneratedKey) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut insert = |name: &'static str, value: &str| {
            headers.insert(name, HeaderValue::try_from(value).expect("a value"));
        };
        insert("host", &self.host);
        insert("content-type", "application/activity+json");
        insert("content-digest", &self.content_digest);
        let names = self.components.split(' ').filter(|name| !name.is_empty());
        let lines: Vec<String> = names
            .map(|name| {
                let value = match name.trim_matches('"') {
                    "@method" => "POST".to_owned(),
                    "@target-uri" => format!("https://{}{}", self.authority, self.target),
                    "@authority" | "host" => self.authority.clone(),
                    "@path" => "/ap/inbox".to_owned(),
                    "@query" => "?x=1".to_owned(),
                    "content-digest" => self.content_digest.clone(),
                    _ => "application/activity+json".to_owned(),
                };
                format!("{name}: {value}\n")
            })
            .collect();
        let input = format!("({}){}", self.components, self.parameters);
        let text = format!("{}\"@signature-params\": {input}", lines.concat());
        let private = PrivateKey::from_pkcs8(&key.pkcs8).expect("a key");
        let signature = STANDARD.encode(private.sign(text.as_bytes()).expect("signs"));
        insert("signature-input", &format!("sig1={input}"));
        insert("signature", &format!("sig1=:{signature}:"));
        headers
    }

    fn read_with(&self, names: &Names<'_>, key: &GeneratedKey) -> Result<bool, Reason> {
        let headers = self.headers(key);
        let received = Received { method: &Method::POST, path_and_query: &self.target, headers: &headers, body: BODY };
        read(&received, names, NOW).map(|claim| claim.verify(&public(key))).map_err(|refusal| refusal.reason)
    }

    /// Whether it is taken, and verifies; else why not.
    fn outcome(&self) -> Result<bool, Reason> {
        self.read_with(&NAMES, &RSA)
    }

    fn read_after(&self, change: impl FnOnce(&mut HeaderMap)) -> Result<Claim, Rejection> {
        let mut headers = self.headers(&RSA);
        change(&mut headers);
        read(
            &Received { method: &Method::POST, path_and_query: &self.target, headers: &headers, body: BODY },
            &NAMES,
            NOW,
        )
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    headers.insert(name, HeaderValue::try_from(value).expect("a value"));
}

#[test]
fn a_peers_request_is_taken_and_verifies_c14_t6() {
    assert_eq!(peer().outcome(), Ok(true));
    let claim = peer().read_after(|_| {}).expect("taken");
    assert_eq!(claim.key_id(), KEY_ID);
    assert!(!claim.verify(&public(&generate_rsa().expect("a key"))), "another's key");
    // Fedify's set, and one that covers nearly all there is.
    for more in [
        r#""@method" "@target-uri" "@authority" "host" "content-digest""#,
        r#""content-type" "@query" "@path" "content-digest" "@authority" "@target-uri" "@method""#,
    ] {
        assert_eq!(peer().covering(more).outcome(), Ok(true), "{more}");
    }
    let untidy = peer().read_after(|headers| {
        let text = headers[SIGNATURE_INPUT].to_str().expect("text").replace(';', "; ").replacen(' ', "  ", 1);
        set(headers, "signature-input", &text);
    });
    assert!(untidy.expect("taken").verify(&public(&RSA)), "blanks are nothing");
}

#[test]
fn every_part_must_be_signed_c14() {
    for (components, reason) in [
        (r#""@method" "@target-uri""#, Reason::DigestUnsigned),
        (r#""@target-uri" "content-digest""#, Reason::TargetUnsigned),
        (r#""@method" "content-digest""#, Reason::TargetUnsigned),
        (r#""@method" "@authority" "@path" "content-digest""#, Reason::TargetUnsigned),
        ("", Reason::TargetUnsigned),
        (r#""@method" "@method" "@target-uri" "content-digest""#, Reason::SignatureMalformed),
        (r#""@method" "@target-uri" "content-digest";req"#, Reason::Component),
        (r#""@method" "@target-uri" "content-digest";sf"#, Reason::Component),
        (r#""@method" "@target-uri";bs "content-digest""#, Reason::Component),
        (r#""@method" "@target-uri" "content-digest" "@query-param";name="x""#, Reason::Component),
        (r#""@method" "@target-uri" "content-digest" "@status""#, Reason::Component),
        (r#""@method" "@target-uri" "Content-Digest""#, Reason::Component),
        (r#""@method" "@target-uri" "content-digest" "x-absent""#, Reason::HeaderMissing),
        (r#""@method" @target-uri "content-digest""#, Reason::SignatureMalformed),
    ] {
        assert_eq!(peer().covering(components).outcome(), Err(reason), "{components}");
    }
}

#[test]
fn parameters_are_held_to_their_meaning_c14_c6() {
    let at = |minutes: i64| NOW.seconds() + minutes * 60;
    let key = format!("keyid=\"{KEY_ID}\"");
    for (parameters, outcome) in [
        (format!(";created={};{key};alg=\"rsa-v1_5-sha256\"", at(0)), Ok(true)),
        (format!(";created={};{key};nonce=\"n\";tag=\"t\"", at(0)), Ok(true)),
        (format!(";{key};created={};expires={}", at(-300), at(1)), Ok(true)),
        (format!(";created={};{key}", at(-65)), Ok(true)),
        (format!(";created={};{key}", at(-66)), Err(Reason::DateOld)),
        (format!(";created={};{key}", at(61)), Err(Reason::DateFuture)),
        (format!(";created={};expires={};{key}", at(0), at(-61)), Err(Reason::DateOld)),
        (format!(";created={};expires={};{key}", at(-13 * 60 - 1), at(600)), Err(Reason::DateOld)),
        (format!(";{key}"), Err(Reason::DateUnsigned)),
        (format!(";created=\"{}\";{key}", at(0)), Err(Reason::SignatureMalformed)),
        (format!(";created=-5;{key}"), Err(Reason::SignatureMalformed)),
        (format!(";created={}", at(0)), Err(Reason::KeyId)),
        (format!(";created={};keyid=\"acct:ann@peer.example\"", at(0)), Err(Reason::KeyId)),
        (format!(";created={};keyid=ann", at(0)), Err(Reason::SignatureMalformed)),
        (format!(";created={};{key};alg=\"rsa-pss-sha512\"", at(0)), Err(Reason::Algorithm)),
        (format!(";created={};{key};alg=\"hmac-sha256\"", at(0)), Err(Reason::Algorithm)),
        (format!(";created={};{key};alg=\"ed25519\"", at(0)), Ok(false)),
        (format!(";created={};created={};{key}", at(-600), at(0)), Err(Reason::SignatureMalformed)),
        (format!(";created={};{key};{key}", at(0)), Err(Reason::SignatureMalformed)),
    ] {
        assert_eq!(peer().saying(&parameters).outcome(), outcome, "{parameters}");
    }
}

#[test]
fn ed25519_verifies_with_its_own_key_and_kind_c14() {
    assert_eq!(peer().read_with(&NAMES, &ED25519), Ok(true));
    let said = format!(";created={};keyid=\"{KEY_ID}\";alg=\"ed25519\"", NOW.seconds());
    assert_eq!(peer().saying(&said).read_with(&NAMES, &ED25519), Ok(true));
    let wrong = said.replace("ed25519", "rsa-v1_5-sha256");
    assert_eq!(peer().saying(&wrong).read_with(&NAMES, &ED25519), Ok(false), "alg and key must agree");
}

#[test]
fn the_address_is_ours_whatever_the_proxy_calls_us_c14_c16() {
    for (authority, host, outcome) in [
        ("bridge.example", "bridge.example", Ok(true)),
        ("example.org", "example.org", Ok(true)),
        ("bridge.example", "10.0.0.5:8080", Ok(true)),
        ("evil.example", "bridge.example", Ok(false)),
        ("evil.example", "evil.example", Ok(false)),
        ("example.org", "bridge.example", Ok(false)),
    ] {
        assert_eq!(peer().to(authority, host).outcome(), outcome, "{authority} as {host}");
    }
    // The same request at another path or with another query.
    for target in ["/ap/inbox?x=2", "/ap/inbox", "/ap/actors/a/inbox?x=1"] {
        let headers = peer().headers(&RSA);
        let moved = Received { method: &Method::POST, path_and_query: target, headers: &headers, body: BODY };
        assert!(!read(&moved, &NAMES, NOW).expect("in order").verify(&public(&RSA)), "{target}");
    }
    let signed = peer().covering(r#""@method" "@target-uri" "host" "content-digest""#);
    let behind = ["10.0.0.5:8080".to_owned()];
    let proxied = Names { behind: &behind, ..NAMES };
    assert_eq!(signed.clone().to("bridge.example", "10.0.0.5:8080").read_with(&proxied, &RSA), Ok(true));
    assert_eq!(signed.to("evil.example", "10.0.0.5:8080").read_with(&proxied, &RSA), Ok(false));
}

#[test]
fn the_body_is_the_one_that_was_signed_c14() {
    let sha256 = format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, BODY)));
    let sha512 = format!("sha-512=:{}:", STANDARD.encode(digest(&SHA512, BODY)));
    let wrong = format!("sha-256=:{}:", STANDARD.encode(digest(&SHA256, b"forged")));
    for (value, outcome) in [
        (sha512.clone(), Ok(true)),
        (format!("{sha512}, {sha256}"), Ok(true)),
        (format!("{sha256}, unixsum=:AQI=:"), Ok(true)),
        (wrong.clone(), Err(Reason::DigestMismatch)),
        (format!("{sha512}, {wrong}"), Err(Reason::DigestMismatch)),
        (format!("{wrong}, {sha256}"), Err(Reason::DigestMalformed)),
        ("md5=:AQI=:".to_owned(), Err(Reason::DigestMalformed)),
        ("sha-256=AQI".to_owned(), Err(Reason::DigestMalformed)),
        ("nonsense=".to_owned(), Err(Reason::DigestMalformed)),
    ] {
        assert_eq!(peer().digested(&value).outcome(), outcome, "{value}");
    }
}

#[test]
fn of_several_labels_the_first_that_holds_counts_c14() {
    let claim = peer().read_after(|headers| {
        let input = headers[SIGNATURE_INPUT].to_str().expect("text").to_owned();
        let signature = headers[SIGNATURE].to_str().expect("text").to_owned();
        set(headers, "signature-input", &format!(r#"proxy=("@method");created=1;keyid="p";tag="bots", {input}"#));
        set(headers, "signature", &format!("proxy=:AQI=:, {signature}"));
    });
    assert!(claim.expect("taken").verify(&public(&RSA)));
    for (input, signature) in [
        ("sig1=(\"@method\")", "sig2=:AQI=:"),
        ("sig1=(\"@method\")", "sig1=\"text\""),
        ("sig1=1", "sig1=:AQI=:"),
        ("sig1", "sig1=:AQI=:"),
        ("", "sig1=:AQI=:"),
        ("sig1=(\"@method\"), sig1=(\"@method\")", "sig1=:AQI=:"),
        ("sig1=(\"@method\")", "sig1=:AQI=:, sig1=:AQI=:"),
        ("sig1=(\"@method\"", "sig1=:AQI=:"),
    ] {
        let refusal = peer().read_after(|headers| {
            set(headers, "signature-input", input);
            set(headers, "signature", signature);
        });
        let expected = Rejection { status: StatusCode::BAD_REQUEST, reason: Reason::SignatureMalformed };
        assert_eq!(refusal.expect_err("refused"), expected, "{input} {signature}");
    }
}

#[test]
fn its_headers_stand_once_and_are_bounded_limits_row_2() {
    for name in ["signature-input", "signature", "content-digest", "host", "content-type"] {
        let refusal = peer().read_after(|headers| {
            let first = headers[name].clone();
            headers.append(name, first);
        });
        assert_eq!(refusal.expect_err(name).reason, Reason::RepeatedHeader, "{name}");
    }
    let long = peer().saying(&format!(";created={};keyid=\"{KEY_ID}{}\"", NOW.seconds(), "k".repeat(LENGTH_MAX)));
    assert_eq!(long.outcome(), Err(Reason::SignatureMalformed));
    let names: Vec<String> = (0..=NAMES_MAX).map(|number| format!("\"x-{number}\"")).collect();
    assert_eq!(peer().covering(&names.join(" ")).outcome(), Err(Reason::SignatureMalformed), "too many components");
    let bare = peer().read_after(|headers| drop(headers.remove(SIGNATURE)));
    let expected = Rejection { status: StatusCode::UNAUTHORIZED, reason: Reason::SignatureMissing };
    assert_eq!(bare.expect_err("refused"), expected, "T6: Signature-Input alone");
}

/// An older signature beside a Signature-Input stands for itself and by its own rules: nothing of the newer scheme
/// fills its gaps (interop C14).
#[test]
fn falling_back_is_no_way_round_c14() {
    let private = PrivateKey::from_pkcs8(&RSA.pkcs8).expect("a key");
    let cavage = || {
        let mut request = http::Request::post("https://bridge.example/ap/inbox?x=1")
            .header("content-type", "application/activity+json")
            .body(Bytes::from_static(BODY))
            .expect("a request");
        sign(&mut request, Form::Cavage, KEY_ID, &private, NOW).expect("signs");
        request.headers_mut().insert(SIGNATURE_INPUT, HeaderValue::from_static(r#"sig1=("@method");created=1"#));
        request.into_parts().0.headers
    };
    let outcome = |headers: &HeaderMap, body: &[u8]| {
        let received = Received { method: &Method::POST, path_and_query: "/ap/inbox?x=1", headers, body };
        read(&received, &NAMES, NOW).map(|claim| claim.verify(&public(&RSA))).map_err(|refusal| refusal.reason)
    };
    assert_eq!(outcome(&cavage(), BODY), Ok(true));
    assert_eq!(outcome(&cavage(), b"forged"), Err(Reason::DigestMismatch));
    // A fitting Content-Digest does not make up for a Digest that is not signed.
    let mut gap = cavage();
    let text = gap[SIGNATURE].to_str().expect("text").replace(" digest", "");
    set(&mut gap, "signature", &text);
    set(&mut gap, "content-digest", &peer().content_digest);
    assert_eq!(outcome(&gap, BODY), Err(Reason::DigestUnsigned));
    // Nor does a whole Signature-Input that lacks its own signature.
    let mut both = cavage();
    both.insert(SIGNATURE_INPUT, peer().headers(&RSA)[SIGNATURE_INPUT].clone());
    both.insert("content-digest", HeaderValue::try_from(peer().content_digest).expect("a value"));
    assert_eq!(outcome(&both, b"forged"), Err(Reason::DigestMismatch));
}

#[test]
fn what_we_sign_we_take_c14() {
    for made in [&*RSA, &*ED25519] {
        let key = PrivateKey::from_pkcs8(&made.pkcs8).expect("a key");
        let mut request = http::Request::post("https://bridge.example/ap/inbox?x=1")
            .header("content-type", "application/activity+json")
            .body(Bytes::from_static(BODY))
            .expect("a request");
        sign(&mut request, Form::Rfc9421, KEY_ID, &key, NOW).expect("signs");
        let headers = request.headers();
        let received =
            Received { method: &Method::POST, path_and_query: "/ap/inbox?x=1", headers, body: request.body() };
        assert!(read(&received, &NAMES, NOW).expect("taken").verify(&public(made)));
        assert!(!headers.contains_key("digest") && !headers.contains_key("date"), "nothing of the other scheme");
        let input = headers[SIGNATURE_INPUT].to_str().expect("text");
        let covered = r#"sig1=("@method" "@target-uri" "content-digest" "content-type");created=1786089600;keyid="#;
        assert!(input.starts_with(covered), "{input}");
    }
    let key = PrivateKey::from_pkcs8(&RSA.pkcs8).expect("a key");
    let mut request = http::Request::get("https://bridge.example/ap/inbox?x=1").body(Bytes::new()).expect("a request");
    for bad in ["two\nlines", "quo\"te", "back\\slash", "ümlaut"] {
        assert_eq!(sign(&mut request, Form::Rfc9421, bad, &key, NOW), Err(SignError::NotText), "{bad}");
    }
}
