//! HTTP Message Signatures, RFC 9421: what Fedify tries first, and Mastodon second (interop C14).

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clock::Timestamp;
use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sfv::{BareItem, Dictionary, FieldType, InnerList, Item, ListEntry, Parser, StringRef};
use url::Url;

use super::{
    CONTENT_DIGEST, Claim, LENGTH_MAX, NAMES_MAX, Names, Reason, Received, SIGNATURE, SIGNATURE_INPUT, SignError,
    carries_body, checks,
};
use crate::base::ids::Host;
use crate::net::keys::{KeyKind, PrivateKey};

/// What we ask for where a signature is missing or not valid (RFC 9421 section 5.1, interop C15).
pub(crate) const ACCEPT_SIGNATURE: &str = r#"sig1=("@method" "@target-uri" "content-digest");created"#;

/// Most labels looked at: a proxy on the way may add one of its own.
const LABELS_MAX: usize = 4;

/// The signed parts of a request beside its headers.
pub(super) struct Request<'a> {
    pub(super) method: &'a Method,
    pub(super) scheme: &'a str,
    pub(super) authority: &'a str,
    pub(super) path_and_query: &'a str,
    pub(super) headers: &'a HeaderMap,
}

/// Signs the method, the address, and for a request with a body its digest and type (interop C14). Sets Host,
/// Content-Digest, Signature-Input and Signature.
pub(super) fn sign(
    request: &mut http::Request<Bytes>,
    key_id: &str,
    key: &PrivateKey,
    now: Timestamp,
) -> Result<(), SignError> {
    let url = Url::parse(&request.uri().to_string()).map_err(|_| SignError::NoHost)?;
    let host = Host::of(&url).ok_or(SignError::NoHost)?;
    let mut components = vec!["@method", "@target-uri"];
    let header = |text: String| HeaderValue::try_from(text).map_err(|_| SignError::NotText);
    request.headers_mut().insert(HOST, header(host.to_string())?);
    if carries_body(request.method()) {
        let hash = STANDARD.encode(digest(&SHA256, request.body()));
        request.headers_mut().insert(CONTENT_DIGEST, header(format!("sha-256=:{hash}:"))?);
        components.extend(["content-digest", "content-type"]);
    }
    let algorithm = match key.kind() {
        KeyKind::Rsa => "rsa-v1_5-sha256",
        KeyKind::Ed25519 => "ed25519",
    };
    if !key_id.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')) {
        return Err(SignError::NotText);
    }
    let quoted: Vec<String> = components.iter().map(|name| format!("\"{name}\"")).collect();
    let input = format!("({});created={};keyid=\"{key_id}\";alg=\"{algorithm}\"", quoted.join(" "), now.seconds());
    let signed = Request {
        method: request.method(),
        scheme: url.scheme(),
        authority: host.as_str(),
        path_and_query: request.uri().path_and_query().map_or("/", |path| path.as_str()),
        headers: request.headers(),
    };
    let text = base(&components, &input, &signed).map_err(|_| SignError::NotText)?;
    let signature = STANDARD.encode(key.sign(text.as_bytes())?);
    request.headers_mut().insert(SIGNATURE_INPUT, header(format!("sig1={input}"))?);
    request.headers_mut().insert(SIGNATURE, header(format!("sig1=:{signature}:"))?);
    Ok(())
}

/// Reads a request that has a Signature-Input: the first of its signatures that meets every rule.
pub(super) fn read(received: &Received<'_>, names: &Names<'_>, now: Timestamp) -> Result<Claim, Reason> {
    let inputs = dictionary(received.headers, &SIGNATURE_INPUT)?;
    let signatures = dictionary(received.headers, &SIGNATURE)?;
    let mut refusal = Reason::SignatureMalformed;
    for (label, input) in inputs.iter().take(LABELS_MAX) {
        let Some(ListEntry::Item(Item { bare_item: BareItem::ByteSequence(signature), .. })) = signatures.get(label)
        else {
            continue;
        };
        let ListEntry::InnerList(input) = input else { continue };
        match read_one(input, signature, received, names, now) {
            Ok(claim) => return Ok(claim),
            // The first is the sender's own; one that a proxy added proves nothing about it.
            Err(reason) if refusal == Reason::SignatureMalformed => refusal = reason,
            Err(_) => {}
        }
    }
    Err(refusal)
}

fn read_one(
    input: &InnerList,
    signature: &[u8],
    received: &Received<'_>,
    names: &Names<'_>,
    now: Timestamp,
) -> Result<Claim, Reason> {
    let components = components(input)?;
    let key_id = text_parameter(input, "keyid")?.ok_or(Reason::KeyId)?.to_owned();
    checks::key_id(&key_id)?;
    let kind = match text_parameter(input, "alg")? {
        None => None,
        Some("rsa-v1_5-sha256") => Some(KeyKind::Rsa),
        Some("ed25519") => Some(KeyKind::Ed25519),
        Some(_) => return Err(Reason::Algorithm),
    };
    let created = moment(input, "created")?.ok_or(Reason::DateUnsigned)?;
    checks::within(created, moment(input, "expires")?, now)?;
    let signs = |name| components.contains(&name);
    if !signs("@method") || !signs("@target-uri") {
        return Err(Reason::TargetUnsigned);
    }
    if carries_body(received.method) && !signs("content-digest") {
        return Err(Reason::DigestUnsigned);
    }
    if signs("content-digest") {
        body_digest(received)?;
    }
    let parameters = ListEntry::InnerList(input.clone());
    let parameters = vec![parameters].serialize().ok_or(Reason::SignatureMalformed)?;
    let messages = hosts(received.headers, names)
        .into_iter()
        .map(|authority| message(&components, &parameters, received, names, authority))
        .collect::<Result<_, _>>()?;
    Ok(Claim { key_id, scheme: "rfc9421", kind, signature: signature.to_vec(), messages })
}

/// The public names that may have been signed. The address is always signed, so that a Host header that a proxy has
/// rewritten need not be known.
fn hosts<'a>(headers: &HeaderMap, names: &Names<'a>) -> Vec<&'a str> {
    let meant = headers.get(HOST).map(|host| names.meant_by(host.as_bytes())).unwrap_or_default();
    if meant.is_empty() { names.public.to_vec() } else { meant }
}

fn message(
    components: &[&str],
    parameters: &str,
    received: &Received<'_>,
    names: &Names<'_>,
    authority: &str,
) -> Result<String, Reason> {
    let Received { method, path_and_query, headers, .. } = *received;
    let mut headers = Cow::Borrowed(headers);
    let rewritten = headers.get(HOST).is_some_and(|host| !names.is_public(host.as_bytes()));
    if rewritten && let Ok(value) = HeaderValue::try_from(authority) {
        headers.to_mut().insert(HOST, value);
    }
    base(
        components,
        parameters,
        &Request { method, scheme: names.scheme, authority, path_and_query, headers: &headers },
    )
}

/// The text that is signed (RFC 9421 section 2.5): one line for each component, and one for the parameters.
pub(super) fn base(components: &[&str], parameters: &str, request: &Request<'_>) -> Result<String, Reason> {
    let (path, query) = request.path_and_query.split_once('?').unwrap_or((request.path_and_query, ""));
    let mut text = String::new();
    for &name in components {
        let value = match name {
            "@method" => request.method.to_string(),
            "@target-uri" => format!("{}://{}{}", request.scheme, request.authority, request.path_and_query),
            "@authority" => request.authority.to_owned(),
            "@scheme" => request.scheme.to_owned(),
            "@request-target" => request.path_and_query.to_owned(),
            "@path" => path.to_owned(),
            "@query" => format!("?{query}"),
            name => checks::header_text(request.headers, name)?,
        };
        text.extend(["\"", name, "\": ", &value, "\n"]);
    }
    Ok(text + "\"@signature-params\": " + parameters)
}

/// The names of the signed components, each once. A component with a parameter is not supported: its meaning depends on
/// how a header is parsed (`sf`, `key`), or on another message (`req`).
fn components(input: &InnerList) -> Result<Vec<&str>, Reason> {
    const DERIVED: [&str; 7] =
        ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"];
    let mut names = Vec::new();
    for item in &input.items {
        let name = item.bare_item.as_string().ok_or(Reason::SignatureMalformed)?.as_str();
        let field = || {
            let lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
            lower && HeaderName::from_bytes(name.as_bytes()).is_ok()
        };
        if names.len() == NAMES_MAX || names.contains(&name) {
            return Err(Reason::SignatureMalformed);
        }
        if !item.params.is_empty() || !(DERIVED.contains(&name) || field()) {
            return Err(Reason::Component);
        }
        names.push(name);
    }
    Ok(names)
}

fn text_parameter<'a>(input: &'a InnerList, name: &str) -> Result<Option<&'a str>, Reason> {
    let read = |value: &'a BareItem| value.as_string().map(StringRef::as_str).ok_or(Reason::SignatureMalformed);
    input.params.get(name).map(read).transpose()
}

fn moment(input: &InnerList, name: &str) -> Result<Option<Timestamp>, Reason> {
    let read = |value: &BareItem| {
        let seconds = value.as_integer().and_then(|seconds| u64::try_from(seconds).ok());
        seconds.map(checks::moment).ok_or(Reason::SignatureMalformed)
    };
    input.params.get(name).map(read).transpose()
}

/// A header in the form of a dictionary (RFC 9651) without repeated keys. In the parser the last one wins, so what it
/// has read must be as long as what was written.
fn dictionary(headers: &HeaderMap, name: &HeaderName) -> Result<Dictionary, Reason> {
    let malformed = Reason::SignatureMalformed;
    let text = headers.get(name).ok_or(Reason::SignatureMissing)?.to_str().map_err(|_| malformed)?;
    if text.len() > LENGTH_MAX {
        return Err(malformed);
    }
    let read: Dictionary = Parser::new(text).parse().map_err(|_| malformed)?;
    let unspaced = |text: &str| text.replace([' ', '\t'], "");
    let said_once = read.serialize().is_some_and(|written| unspaced(&written) == unspaced(text));
    if said_once { Ok(read) } else { Err(malformed) }
}

/// The body must be the one whose digest was signed (RFC 9530): every algorithm that we know must agree, and one at
/// least.
fn body_digest(received: &Received<'_>) -> Result<(), Reason> {
    if !received.headers.contains_key(CONTENT_DIGEST) {
        return Err(Reason::HeaderMissing);
    }
    let digests = dictionary(received.headers, &CONTENT_DIGEST).map_err(|_| Reason::DigestMalformed)?;
    let mut known = 0;
    for (name, algorithm) in [("sha-256", &SHA256), ("sha-512", &SHA512)] {
        let claimed = match digests.get(name) {
            None => continue,
            Some(ListEntry::Item(Item { bare_item: BareItem::ByteSequence(bytes), .. })) => bytes,
            Some(_) => return Err(Reason::DigestMalformed),
        };
        if digest(algorithm, received.body).as_ref() != claimed.as_slice() {
            return Err(Reason::DigestMismatch);
        }
        known += 1;
    }
    if known > 0 { Ok(()) } else { Err(Reason::DigestMalformed) }
}
