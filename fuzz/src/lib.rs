//! For each kind of bytes that strangers send, what must hold whatever they are: for the fuzz targets, and for `tests/fuzz/`,
//! which reads the collected corpus.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a check that does not hold ends the run: no server calls this"
)]

use std::sync::LazyLock;

use clock::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use veerpont::activitypub::incoming;
use veerpont::net;
use veerpont::net::signature::{self, Names, Received};

mod hostile;

pub use self::hostile::html as hostile_html;

/// When the signed requests of the corpus were made: 2026-11-02T10:00:00Z.
pub const NOW: Timestamp = Timestamp::from_millis(1_793_613_600_000);

/// The server that they are meant for.
pub const NAMES: Names<'_> = Names { scheme: "https", public: &["social.example.org"], behind: &[] };

/// A key whose private half nobody has.
const STRANGERS_KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7nAaMweLSmZcxyr//o92
z04xE8ejuAkQt8bHWVrTazgdfhCAvqU0elefjk36A8zZIgVtC2xiehHN1nfCQ1KD
2CBAcrvtBEijI+ZUwddFPhqRLvd8wiULFI2D+fLAxIZGc5rOOuAt6LClLvTWUeeL
XRz+cl2E0T9gcNe9kACxifX4pEzmp1pmNBPe4UBod9yt1eB2pfLtKih7txcTJFfU
djahMHTb1C9J8CGqWWQnxfCkOzYwzM6E/i02MZI5DA4iAQDgLPef56G7Vu/oVYUm
yAq112Zh/tO0tbtrrcsKvCSopQPjbegzN/zj8dR4h+ILvSxylKX7BDCIfR53jRFg
HQIDAQAB
-----END PUBLIC KEY-----";

static STRANGER: LazyLock<net::keys::PublicKey> =
    LazyLock::new(|| net::keys::PublicKey::from_pem(STRANGERS_KEY).expect("a key"));

/// Header lines, an empty line and a body, read as a signed POST, in either scheme. Whatever is let as far as its key has
/// a key id that is an address, does not fit a stranger's key, and is refused with another body or with a second
/// signature (interop C5, C12, C14, incidents below G).
///
/// # Panics
/// When that does not hold.
pub fn signed_request(bytes: &[u8]) {
    let split = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = split.map_or((bytes, &b""[..]), |at| (&bytes[..at], &bytes[at + 2..]));
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let value = value[1..].trim_ascii();
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    let read = |headers: &HeaderMap, body: &[u8]| {
        let received = Received { method: &Method::POST, path_and_query: "/ap/inbox?a=b", headers, body };
        signature::read(&received, &NAMES, NOW)
    };
    let Ok(claim) = read(&headers, body) else { return };
    let key_id = url::Url::parse(claim.key_id()).expect("a key id is an address");
    assert!(matches!(key_id.scheme(), "http" | "https"), "{key_id}");
    assert!(!claim.verify(&STRANGER), "signed with a key that nobody has");
    assert!(read(&headers, &[body, b" "].concat()).is_err(), "another body has the same digest");
    let again = headers.get("signature").cloned().expect("it was signed");
    headers.append("signature", again);
    assert!(read(&headers, body).is_err(), "two signatures");
}

/// A document of a stranger's, as activity and as actor. What is read has the addresses and the depth it promises
/// (interop E1, E2, E3).
///
/// # Panics
/// When that does not hold.
pub fn inbound(bytes: &[u8]) {
    if let Ok(activity) = incoming::parse(bytes) {
        let (id, actor) = (address(&activity.id), address(&activity.actor));
        assert_eq!(id.origin(), actor.origin(), "an activity of another origin than its actor");
        assert!(activity.kind.as_str().chars().count() <= 64);
        let object = activity.object.unwrap_or_default();
        for found in [object.id, object.actor, object.object].into_iter().flatten() {
            address(&found);
        }
        // Stored and read again, as the loop does.
        let stored = serde_json::to_vec(&activity.raw).expect("JSON is written");
        let again = incoming::parse(&stored).expect("what was stored reads again");
        assert_eq!((again.id, again.actor, again.kind), (activity.id, activity.actor, activity.kind));
    }
    let Ok(document) = incoming::document(bytes) else { return };
    if let Some(owner) = incoming::key_owner(&document) {
        address(&owner);
    }
    let Ok(actor) = incoming::parse_actor(&document) else { return };
    let home = address(&actor.id).origin();
    let keys = actor.keys.iter().map(|key| &key.id);
    for found in keys.chain([&actor.inbox]).chain(&actor.shared_inbox).chain(&actor.followers) {
        assert_eq!(address(found).origin(), home, "{found} is not the actor's own");
    }
    for key in actor.keys.iter().filter_map(|key| key.public.as_deref()) {
        // Nonsense is refused, never a panic.
        let _ = net::keys::PublicKey::read(key);
    }
}

fn address(text: &str) -> url::Url {
    let url = url::Url::parse(text).expect("an address");
    assert!(matches!(url.scheme(), "http" | "https") && url.host().is_some() && text.len() <= incoming::URL_MAX);
    assert!(url.username().is_empty() && url.password().is_none(), "a login in {text}");
    url
}

/// A content file of a site: whatever stands in it, the lines told to its author exist, and the body is the file's.
///
/// # Panics
/// When that does not hold.
pub fn front_matter(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // To YAML a carriage return alone ends a line, as it did on old machines.
    let lines = u64::try_from(text.matches(['\n', '\r']).count()).unwrap_or(u64::MAX) + 1;
    match hugo_content::front_matter_lines(text) {
        Ok((body_line, body, doubled)) => {
            assert!((1..=lines).contains(&body_line), "the body begins on line {body_line} of {lines}");
            assert!(text.replace("\r\n", "\n").ends_with(&body), "the body is not the end of the file");
            assert!(doubled.iter().all(|line| (1..=lines).contains(line)), "{doubled:?} of {lines}");
        }
        Err(Some(line)) => assert!((1..=lines + 1).contains(&line), "line {line} of {lines}"),
        Err(None) => {}
    }
}
