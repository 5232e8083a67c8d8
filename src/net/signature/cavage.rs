//! draft-cavage-http-signatures-12, as nearly all of the fediverse signs (interop C).

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clock::Timestamp;
use http::header::{CONTENT_TYPE, DATE, HOST};
use http::{HeaderMap, HeaderValue, Method};
use http_signature_normalization::Config;
use http_signature_normalization::verify::ParsedHeader;
use url::Url;

use super::header::Parameters;
use super::{Claim, DIGEST, Names, Reason, Received, SIGNATURE, SignError, carries_body, checks};
use crate::base::ids::Host;
use crate::net::keys::{KeyKind, PrivateKey};

/// What Castopod, Guppe and others ask for, which refuse `hs2019` and do not try the other scheme (interop C1, U12); for
/// an RSA key the two mean the same.
const ALGORITHM: &str = r#",algorithm="rsa-sha256","#;
const ALGORITHM_OF_THE_LIBRARY: &str = r#",algorithm="hs2019","#;

/// Signs `(request-target) host date`, and for a request with a body `digest content-type` (interop C1, C2, C16).
pub(super) fn sign(
    request: &mut http::Request<Bytes>,
    with_query: bool,
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
    let target = if with_query { request.uri().path_and_query().map_or("/", |path| path.as_str()) } else { url.path() };
    let signature = Config::new()
        .dont_use_created_field()
        .begin_sign(request.method().as_str(), target, names)
        .map_err(|_| SignError::NoHost)?
        .sign(key_id.to_owned(), |text| key.sign(text.as_bytes()).map(|bytes| STANDARD.encode(bytes)))?
        .signature_header()
        .replacen(ALGORITHM_OF_THE_LIBRARY, ALGORITHM, 1);
    signed.push((SIGNATURE, signature));
    for (name, value) in signed {
        request.headers_mut().insert(name, HeaderValue::try_from(value).map_err(|_| SignError::NotText)?);
    }
    Ok(())
}

/// Reads a request whose Signature header stands once.
pub(super) fn read(received: &Received<'_>, names: &Names<'_>, now: Timestamp) -> Result<Claim, Reason> {
    let headers = received.headers;
    let text = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    let parameters = text.and_then(|text| Parameters::parse(text).ok()).ok_or(Reason::SignatureMalformed)?;
    checks::key_id(&parameters.key_id)?;
    checks::algorithm(&parameters)?;
    checks::window(&parameters, headers, now)?;
    let hosts = checks::host(&parameters, headers, names)?;
    checks::components(&parameters, received.method)?;
    if parameters.signs("digest") {
        checks::body_digest(headers, received.body)?;
    }
    let values = signed_values(&parameters, headers)?;
    let whole = received.path_and_query;
    let path = whole.split_once('?').map(|(path, _)| path);
    let mut messages = Vec::new();
    for target in std::iter::once(whole).chain(path) {
        for host in &hosts {
            let mut values = values.clone();
            values.insert("host".to_owned(), host.clone());
            messages.push(signing_string(received.method, target, &parameters, values)?);
        }
    }
    let Parameters { key_id, signature, .. } = parameters;
    Ok(Claim { key_id, scheme: "draft-cavage", kind: Some(KeyKind::Rsa), signature, messages })
}

/// The values of what is signed, without the request target.
fn signed_values(parameters: &Parameters, headers: &HeaderMap) -> Result<BTreeMap<String, String>, Reason> {
    let mut values = BTreeMap::new();
    for name in &parameters.headers {
        let value = match name.as_str() {
            "(request-target)" => continue,
            "(created)" => parameters.created.ok_or(Reason::SignatureMalformed)?.to_string(),
            "(expires)" => parameters.expires.ok_or(Reason::SignatureMalformed)?.to_string(),
            name => checks::header_text(headers, name)?,
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
