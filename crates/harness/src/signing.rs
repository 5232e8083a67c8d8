//! How simulated servers sign: draft-cavage-12 by hand, with every part open to a test that wants it wrong.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clock::Timestamp;
use http::{HeaderName, HeaderValue, Method, Request};

use super::ACTIVITY_JSON;
use super::key::PeerKey;

/// What servers send so that hosts behind a strict proxy answer them (interop O3).
pub(super) const USER_AGENT: &str = "harness/1.0 (simulated peer)";

/// Which parts of a signed request differ from what an honest server sends; the default differs nowhere.
#[derive(Clone, Default)]
pub struct SignOptions {
    /// The signed headers, in order; default `(request-target) host date digest content-type`, for a GET
    /// `(request-target) host date`.
    pub headers: Option<Vec<String>>,
    /// The `keyId`; default is the signing actor's.
    pub key_id: Option<String>,
    /// The key that signs; default is the peer's.
    pub key: Option<PeerKey>,
    /// How old the `Date` is.
    pub age: Duration,
    /// How far ahead the `Date` lies.
    pub ahead: Duration,
    /// The `Digest` header; default is the SHA-256 of the body.
    pub digest: Option<String>,
    /// The `Host` header; default is the host of the address.
    pub host: Option<String>,
    /// The content type; default `application/activity+json`.
    pub content_type: Option<String>,
    /// The `algorithm`; default `rsa-sha256`.
    pub algorithm: Option<String>,
    /// Headers added after signing, beside those of the same name.
    pub extra_headers: Vec<(String, String)>,
}

/// `SHA-256=` and the base64 of the body's hash (interop C1).
pub(super) fn digest_of(body: &[u8]) -> String {
    format!("SHA-256={}", STANDARD.encode(digest::digest(&digest::SHA256, body)))
}

/// The text that draft-cavage-12 section 2.3 signs; the error names the header that is not there.
pub(super) fn signing_string<'a>(
    parts: &http::request::Parts,
    headers: impl Iterator<Item = &'a str>,
) -> Result<String, String> {
    let mut lines = Vec::new();
    for name in headers {
        if name == "(request-target)" {
            let target = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            lines.push(format!("(request-target): {} {target}", parts.method.as_str().to_ascii_lowercase()));
            continue;
        }
        let values: Result<Vec<&str>, String> = parts
            .headers
            .get_all(name)
            .iter()
            .map(|value| value.to_str().map(str::trim).map_err(|_| format!("C4: `{name}` is not plain text")))
            .collect();
        let values = values?;
        if values.is_empty() {
            return Err(format!("C4: the signed header `{name}` is not there"));
        }
        lines.push(format!("{name}: {}", values.join(", ")));
    }
    Ok(lines.join("\n"))
}

/// Builds and signs a request; `key_id` and `key` are those of the peer unless the options say otherwise.
pub(super) fn signed_request(
    (method, address, body): (Method, &str, Bytes),
    (key_id, key): (&str, &PeerKey),
    now: Timestamp,
    options: &SignOptions,
) -> Result<Request<Bytes>, String> {
    let uri: http::Uri = address.parse().map_err(|_| format!("`{address}` is no address"))?;
    let host = options.host.clone().or_else(|| uri.authority().map(ToString::to_string));
    let date = ((now - options.age) + options.ahead).http_date();
    let mut request = Request::builder()
        .method(method.clone())
        .uri(uri)
        .header("host", host.ok_or_else(|| format!("`{address}` has no host"))?)
        .header("date", date)
        .header("user-agent", USER_AGENT);
    let default_headers: &[&str] = if method == Method::POST {
        let digest = options.digest.clone().unwrap_or_else(|| digest_of(&body));
        let content_type = options.content_type.as_deref().unwrap_or(ACTIVITY_JSON);
        request = request.header("digest", digest).header("content-type", content_type);
        &["(request-target)", "host", "date", "digest", "content-type"]
    } else {
        request = request.header("accept", ACTIVITY_JSON);
        &["(request-target)", "host", "date"]
    };
    let (mut parts, body) = request.body(body).map_err(|error| error.to_string())?.into_parts();
    let names = match &options.headers {
        Some(names) => names.iter().map(String::as_str).collect::<Vec<_>>(),
        None => default_headers.to_vec(),
    };
    let text = signing_string(&parts, names.iter().copied())?;
    let signature = options.key.as_ref().unwrap_or(key).sign(text.as_bytes())?;
    let value = format!(
        r#"keyId="{}",algorithm="{}",headers="{}",signature="{signature}""#,
        options.key_id.as_deref().unwrap_or(key_id),
        options.algorithm.as_deref().unwrap_or("rsa-sha256"),
        names.join(" "),
    );
    parts.headers.insert("signature", header_value(&value)?);
    for (name, value) in &options.extra_headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|error| error.to_string())?;
        parts.headers.append(name, header_value(value)?);
    }
    Ok(Request::from_parts(parts, body))
}

fn header_value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| format!("`{text}` is no header value"))
}
