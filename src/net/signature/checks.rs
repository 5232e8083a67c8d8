//! The rules that a signed request must meet before its key is fetched, one function each.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use clock::Timestamp;
use http::{HeaderMap, Method, header};
use url::Url;

use super::header::{BASE64, Parameters};
use super::{Names, Reason};

/// How far two clocks may differ (interop C6).
const SKEW: Duration = Duration::from_hours(1);
/// How long a signature without an end is valid (interop C6).
const LIFETIME: Duration = Duration::from_mins(5);
/// How long a signature is valid at most, whatever its end (interop C6).
const LIFETIME_MAX: Duration = Duration::from_hours(12);

/// Headers that must not be repeated, or the request could mean two things (interop H13).
const ONCE: [http::HeaderName; 9] = [
    header::HOST,
    header::DATE,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::AUTHORIZATION,
    super::DIGEST,
    super::CONTENT_DIGEST,
    super::SIGNATURE,
    super::SIGNATURE_INPUT,
];

pub(super) fn secured_once(headers: &HeaderMap) -> Result<(), Reason> {
    let repeated = |name: &http::HeaderName| headers.get_all(name).iter().nth(1).is_some();
    if ONCE.iter().any(repeated) { Err(Reason::RepeatedHeader) } else { Ok(()) }
}

/// The keyId is an address we could fetch: absolute, http or https, without user or password (interop C7).
pub(super) fn key_id(text: &str) -> Result<(), Reason> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let url = Url::parse(text).map_err(|_| Reason::KeyId)?;
    let web = matches!(url.scheme(), "http" | "https") && url.has_host();
    if plain && web && url.username().is_empty() && url.password().is_none() { Ok(()) } else { Err(Reason::KeyId) }
}

/// Takes rsa-sha256, hs2019 or nothing; rsa-sha256 must not sign `(created)` or `(expires)` (interop C13).
pub(super) fn algorithm(parameters: &Parameters) -> Result<(), Reason> {
    match parameters.algorithm.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("hs2019") => Ok(()),
        Some("rsa-sha256") if !parameters.signs("(created)") && !parameters.signs("(expires)") => Ok(()),
        Some(_) => Err(Reason::Algorithm),
    }
}

/// Interop C6. Only a signed end counts in full: an `expires` beside the signature may end it earlier, never later.
pub(super) fn window(parameters: &Parameters, headers: &HeaderMap, now: Timestamp) -> Result<(), Reason> {
    let created = created(parameters, headers)?;
    let expires = parameters.expires.map(moment);
    if parameters.signs("(expires)") {
        within(created, expires, now)
    } else {
        within(created, expires.map(|expires| expires.min(created + LIFETIME)), now)
    }
}

/// Whether a signature that was made at `created` and ends at a signed `expires` is valid now (interop C6).
pub(super) fn within(created: Timestamp, expires: Option<Timestamp>, now: Timestamp) -> Result<(), Reason> {
    let end = expires.map_or(created + LIFETIME, |expires| expires.min(created + LIFETIME_MAX));
    if created > now + SKEW {
        Err(Reason::DateFuture)
    } else if now > end + SKEW {
        Err(Reason::DateOld)
    } else {
        Ok(())
    }
}

fn created(parameters: &Parameters, headers: &HeaderMap) -> Result<Timestamp, Reason> {
    if parameters.signs("(created)") {
        return parameters.created.map(moment).ok_or(Reason::SignatureMalformed);
    }
    if !parameters.signs("date") {
        return Err(Reason::DateUnsigned);
    }
    let date = headers.get(header::DATE).ok_or(Reason::HeaderMissing)?;
    date.to_str().ok().and_then(Timestamp::parse_http_date).ok_or(Reason::DateMalformed)
}

pub(super) fn moment(seconds: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000))
}

/// The request was signed for us (interop H14): what may have been signed as Host.
pub(super) fn host(parameters: &Parameters, headers: &HeaderMap, names: &Names<'_>) -> Result<Vec<String>, Reason> {
    if !parameters.signs("host") {
        return Err(Reason::HostUnsigned);
    }
    let host = headers.get(header::HOST).ok_or(Reason::HeaderMissing)?;
    if names.is_public(host.as_bytes()) {
        return Ok(vec![header_text(headers, "host")?]);
    }
    let meant = names.meant_by(host.as_bytes());
    if meant.is_empty() { Err(Reason::HostForeign) } else { Ok(meant.into_iter().map(str::to_owned).collect()) }
}

/// The whole value of a header, as both schemes sign it: its lines in order, joined by a comma.
pub(super) fn header_text(headers: &HeaderMap, name: &str) -> Result<String, Reason> {
    let texts: Result<Vec<&str>, _> =
        headers.get_all(name).iter().map(|value| std::str::from_utf8(value.as_bytes()).map(str::trim)).collect();
    let texts = texts.map_err(|_| Reason::HeaderMalformed)?;
    if texts.is_empty() { Err(Reason::HeaderMissing) } else { Ok(texts.join(", ")) }
}

/// What else must be signed (interop C4).
pub(super) fn components(parameters: &Parameters, method: &Method) -> Result<(), Reason> {
    if !parameters.signs("(request-target)") {
        return Err(Reason::TargetUnsigned);
    }
    if super::carries_body(method) && !parameters.signs("digest") {
        return Err(Reason::DigestUnsigned);
    }
    Ok(())
}

/// The body must be the one whose digest was signed; of several algorithms SHA-256 counts (interop C5).
pub(super) fn body_digest(headers: &HeaderMap, body: &[u8]) -> Result<(), Reason> {
    let text =
        headers.get(super::DIGEST).ok_or(Reason::HeaderMissing)?.to_str().map_err(|_| Reason::DigestMalformed)?;
    let mut sha256 = text.split(',').filter_map(|part| {
        let (algorithm, value) = part.split_once('=')?;
        algorithm.trim().eq_ignore_ascii_case("sha-256").then_some(value.trim())
    });
    let (Some(value), None) = (sha256.next(), sha256.next()) else {
        return Err(Reason::DigestMalformed);
    };
    let claimed = BASE64.decode(value).map_err(|_| Reason::DigestMalformed)?;
    if digest(&SHA256, body).as_ref() == claimed { Ok(()) } else { Err(Reason::DigestMismatch) }
}
