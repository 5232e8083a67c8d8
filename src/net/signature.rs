//! HTTP signatures after draft-cavage-12, both ways: our requests are signed here, others' are read and verified.

mod checks;
mod header;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_signature_normalization::Config;
use http_signature_normalization::verify::ParsedHeader;
use url::Url;

use self::header::Parameters;
pub use self::refusal::{Reason, Refusal};
use super::keys::{KeyError, PrivateKey, PublicKey};
use crate::clock::Timestamp;
use crate::ids::Host;

const DIGEST: HeaderName = HeaderName::from_static("digest");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");

/// Why a request of ours could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The address to send to names no host.
    #[error("the request cannot be signed: its address has no host")]
    NoHost,
    /// The key's id or the content type holds what no header can.
    #[error("the request cannot be signed: its key id or content type is not plain text")]
    NotText,
    /// The key failed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

fn carries_body(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// Signs a request as every examined peer takes it (interop C1, C2, C16): `(request-target) host date`, and for a
/// request with a body `digest content-type`. Sets Host, Date, Digest and Signature; sign anew for each attempt (C6).
///
/// # Errors
/// When the address has no host, or the key fails.
pub fn sign(
    request: &mut http::Request<Bytes>,
    key_id: &str,
    key: &PrivateKey,
    now: Timestamp,
) -> Result<(), SignError> {
    let url = Url::parse(&request.uri().to_string()).map_err(|_| SignError::NoHost)?;
    let host = Host::of(&url).ok_or(SignError::NoHost)?;
    let mut signed = vec![(HOST, host.to_string()), (DATE, now.http_date())];
    if carries_body(request.method()) {
        let hash = STANDARD.encode(digest(&SHA256, request.body()));
        signed.push((DIGEST, format!("SHA-256={hash}")));
        if let Some(media_type) = request.headers().get(CONTENT_TYPE) {
            signed.push((CONTENT_TYPE, media_type.to_str().map_err(|_| SignError::NotText)?.to_owned()));
        }
    }
    let names: BTreeMap<_, _> = signed.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    let target = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let signature = Config::new()
        .dont_use_created_field()
        .begin_sign(request.method().as_str(), target, names)
        .map_err(|_| SignError::NoHost)?
        .sign(key_id.to_owned(), |text| key.sign(text.as_bytes()).map(|bytes| STANDARD.encode(bytes)))?
        .signature_header();
    signed.push((SIGNATURE, signature));
    for (name, value) in signed {
        request.headers_mut().insert(name, HeaderValue::try_from(value).map_err(|_| SignError::NotText)?);
    }
    Ok(())
}

/// A request as it came in, with its raw body.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target as sent, with its query.
    pub path_and_query: &'a str,
    /// The headers; with HTTP/2 the caller puts `:authority` into Host where that is missing (interop C16).
    pub headers: &'a HeaderMap,
    /// The bytes as they came, which the digest is over.
    pub body: &'a [u8],
}

/// A signature that is in order in all that can be seen without the key.
#[derive(Clone, Debug)]
pub struct Claim {
    key_id: String,
    signature: Vec<u8>,
    /// What may have been signed: the target with its query, then without (interop C11).
    signing_strings: Vec<String>,
}

impl Claim {
    /// Whose key is said to have signed: an absolute http or https address, as written.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Whether this key made the signature.
    #[must_use]
    pub fn verify(&self, key: &PublicKey) -> bool {
        self.signing_strings.iter().any(|text| key.verify(text.as_bytes(), &self.signature))
    }
}

/// Reads a signed request and checks all that can be checked without the key, in the order of design section 6.
///
/// `our_hosts` are the values of Host that mean us (`host` or `host:port`); case does not count.
///
/// # Errors
/// The first rule the request breaks.
pub fn read(received: &Received<'_>, our_hosts: &[&str], now: Timestamp) -> Result<Claim, Refusal> {
    let headers = received.headers;
    checks::secured_once(headers)?;
    let parameters = signature_header(headers)?;
    checks::key_id(&parameters)?;
    checks::algorithm(&parameters)?;
    checks::window(&parameters, headers, now)?;
    checks::host(&parameters, headers, our_hosts)?;
    checks::components(&parameters, received.method)?;
    checks::body_digest(&parameters, headers, received.body)?;

    let values = signed_values(&parameters, headers)?;
    let whole = received.path_and_query;
    let path = whole.split_once('?').map(|(path, _)| path);
    let signing_strings = std::iter::once(whole)
        .chain(path)
        .map(|target| signing_string(received.method, target, &parameters, values.clone()))
        .collect::<Result<_, _>>()?;
    Ok(Claim { key_id: parameters.key_id, signature: parameters.signature, signing_strings })
}

/// The Signature header; one in the form of RFC 9421 is told apart from nonsense, since it asks for another knock.
fn signature_header(headers: &HeaderMap) -> Result<Parameters, Reason> {
    let newer = headers.contains_key(SIGNATURE_INPUT);
    let Some(value) = headers.get(SIGNATURE) else {
        return Err(if newer { Reason::Rfc9421 } else { Reason::SignatureMissing });
    };
    let parsed = value.to_str().ok().and_then(|text| Parameters::parse(text).ok());
    parsed.ok_or(if newer { Reason::Rfc9421 } else { Reason::SignatureMalformed })
}

/// The values of what is signed, without the request target.
fn signed_values(parameters: &Parameters, headers: &HeaderMap) -> Result<BTreeMap<String, String>, Reason> {
    let mut values = BTreeMap::new();
    for name in &parameters.headers {
        let value = match name.as_str() {
            "(request-target)" => continue,
            "(created)" => parameters.created.ok_or(Reason::SignatureMalformed)?.to_string(),
            "(expires)" => parameters.expires.ok_or(Reason::SignatureMalformed)?.to_string(),
            name => {
                let texts: Result<Vec<&str>, _> =
                    headers.get_all(name).iter().map(|value| std::str::from_utf8(value.as_bytes())).collect();
                let texts = texts.map_err(|_| Reason::HeaderMalformed)?;
                if texts.is_empty() {
                    return Err(Reason::HeaderMissing);
                }
                texts.join(", ")
            }
        };
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// The text that was signed. The crate is handed a header of ours in place of the stranger's, with nothing in it but
/// the checked names: its own parser trips over commas and huge numbers (interop H4).
fn signing_string(
    method: &Method,
    target: &str,
    parameters: &Parameters,
    mut values: BTreeMap<String, String>,
) -> Result<String, Reason> {
    /// The crate compares with the real clock; the window was checked with ours, so this one must never decide.
    const FOR_EVER: Duration = Duration::from_secs(10_000_000_000);
    let header = format!("keyId=\"-\",headers=\"{}\",signature=\"-\"", parameters.headers.join(" "));
    let unvalidated = header
        .parse::<ParsedHeader>()
        .map_err(|_| Reason::SignatureMalformed)?
        .into_unvalidated(method.as_str(), target, &mut values, HashSet::new())
        .map_err(|_| Reason::HeaderMissing)?;
    let unverified = unvalidated.validate(FOR_EVER).map_err(|_| Reason::DateOld)?;
    Ok(unverified.signing_string().to_owned())
}
