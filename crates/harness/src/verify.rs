//! The strict reading of a signed POST: what an honest receiver can hold against it, each rule a check of its own.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clock::Timestamp;
use http::Method;
use http::request::Parts;

use super::signing::{digest_of, signing_string};
use super::{key, require};

/// How far ahead a `Date` may lie, and the grace after it is stale (interop C6).
const SKEW: Duration = Duration::from_hours(1);
/// How long a signature without `expires` is good (interop C6).
const LIFETIME: Duration = Duration::from_mins(5);
/// What must be signed on a POST (interop C1); of it, the first three on a GET (C2).
const SIGNED: [&str; 5] = ["(request-target)", "host", "date", "digest", "content-type"];
const SIGNED_GET: &[&str] = &["(request-target)", "host", "date"];

/// A `Signature` header whose request passed every check but that of the signature itself.
#[derive(Debug)]
pub(super) struct Claim {
    /// The key that is said to have signed.
    pub(super) key_id: String,
    text: String,
    signature: String,
}

impl Claim {
    /// Checks the signature with the PEM of the key that `key_id` names.
    pub(super) fn verify(&self, pem: &str) -> Result<(), String> {
        key::verify(pem, self.text.as_bytes(), &self.signature)
    }
}

/// Reads a POST or GET that says it is for `host` at `now`, and checks all that needs no key.
///
/// # Errors
/// The rule that is broken, by its number.
pub(super) fn inspect(parts: &Parts, body: &[u8], host: &str, now: Timestamp) -> Result<Claim, String> {
    let post = parts.method == Method::POST;
    if post {
        check_content_type(single(parts, "content-type")?)?;
        check_digest(single(parts, "digest")?, body)?;
    }
    require(parts.headers.contains_key("user-agent"), "O: there is no User-Agent")?;
    let named = single(parts, "host")?;
    require(named.eq_ignore_ascii_case(host), format!("C16: Host is {named}, but this is {host}"))?;
    check_date(single(parts, "date")?, now)?;
    require(!parts.headers.contains_key("authorization"), "H3: an Authorization header stands beside Signature")?;
    let fields = signature_fields(single(parts, "signature")?)?;
    let field = |name: &str| {
        fields.get(name).filter(|value| !value.is_empty()).cloned().ok_or(format!("C1: Signature has no {name}"))
    };
    let algorithm = field("algorithm")?;
    // As strict as Castopod and Guppe, which refuse hs2019 (U12).
    require(algorithm == "rsa-sha256", format!("C1: algorithm is {algorithm}, not rsa-sha256"))?;
    let signed = field("headers")?;
    let signed: Vec<&str> = signed.split(' ').collect();
    for name in if post { &SIGNED } else { SIGNED_GET } {
        let times = signed.iter().filter(|signed| *signed == name).count();
        require(times == 1, format!("C4: {name} is signed {times} times"))?;
    }
    let created = signed.iter().any(|name| matches!(*name, "(created)" | "(expires)"));
    require(!created, "C1: (created) or (expires) is signed, which Pleroma refuses under rsa-sha256")?;
    let text = signing_string(parts, signed.into_iter())?;
    Ok(Claim { key_id: field("keyId")?, text, signature: field("signature")? })
}

/// The value of a header that secures a request, which therefore stands exactly once.
fn single<'a>(parts: &'a Parts, name: &str) -> Result<&'a str, String> {
    let mut values = parts.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| format!("C4: {name} is not plain text")),
        (None, _) => Err(format!("C4: there is no {name}")),
        (Some(_), Some(_)) => Err(format!("C4: there are several {name} headers")),
    }
}

/// Activity JSON, or JSON-LD with the ActivityStreams profile (C18).
fn check_content_type(value: &str) -> Result<(), String> {
    require(is_activity_json(value), format!("C18: the content type is {value}"))
}

/// Whether a media type is one of the two an ActivityPub document may have (C18, G6).
pub(super) fn is_activity_json(value: &str) -> bool {
    let Ok(media) = value.parse::<mime::Mime>() else { return false };
    let profile = media.get_param("profile").map(|profile| profile.as_str().to_owned());
    match media.essence_str() {
        "application/activity+json" => true,
        "application/ld+json" => profile.as_deref() == Some(super::ACTIVITYSTREAMS),
        _ => false,
    }
}

fn check_date(value: &str, now: Timestamp) -> Result<(), String> {
    let date = Timestamp::parse_http_date(value).ok_or(format!("C6: `{value}` is no Date"))?;
    require(date <= now + SKEW, format!("C6: the Date {value} lies ahead"))?;
    require(date + LIFETIME + SKEW >= now, format!("C6: the Date {value} is stale"))
}

/// Exactly one SHA-256 among the algorithms, and it is the body's (C5).
fn check_digest(value: &str, body: &[u8]) -> Result<(), String> {
    let sums: Vec<&str> = value
        .split(',')
        .filter_map(|part| part.trim().split_once('='))
        .filter(|(name, _)| name.eq_ignore_ascii_case("sha-256"))
        .map(|(_, sum)| sum)
        .collect();
    let [sum] = sums.as_slice() else { return Err(format!("C5: Digest names SHA-256 {} times", sums.len())) };
    require(STANDARD.decode(sum).is_ok(), "C5: Digest is not base64")?;
    require(digest_of(body).ends_with(&format!("={sum}")), "C5: the Digest is not that of the body")
}

/// Splits `a="x",b="y"`; a parameter that stands twice is refused (C12).
fn signature_fields(header: &str) -> Result<HashMap<String, String>, String> {
    let mut fields = HashMap::new();
    let mut rest = header.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or("C12: Signature is not a list of parameters")?;
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("C12: a quoted parameter of Signature does not end")?,
            None => after.find(',').map_or((after, ""), |comma| after.split_at(comma)),
        };
        let name = name.trim().to_owned();
        if fields.insert(name.clone(), value.to_owned()).is_some() {
            return Err(format!("C12: {name} stands twice in Signature"));
        }
        let after = after.trim_start();
        require(after.is_empty() || after.starts_with(','), "C12: Signature is not separated by commas")?;
        rest = after.trim_start_matches(',').trim_start();
    }
    Ok(fields)
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
