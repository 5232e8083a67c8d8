//! HTTP signatures, both ways: draft-cavage-12 and RFC 9421. Our requests are signed here, others' read and verified.

mod cavage;
mod checks;
mod header;
mod message;
#[cfg(test)]
mod message_tests;
mod rejection;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method};

pub(crate) use self::message::ACCEPT_SIGNATURE;
pub(crate) use self::rejection::{Reason, Rejection};
use clock::Timestamp;

use super::keys::{KeyError, KeyKind, PrivateKey, PublicKey};

const DIGEST: HeaderName = HeaderName::from_static("digest");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");
const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");

/// Longest header of a signature that is read, in bytes; RSA-4096 needs about 1,000.
const LENGTH_MAX: usize = 8 * 1024;

/// Most headers and other components that one signature may name; servers name about six.
const NAMES_MAX: usize = 32;

/// Why a request of ours could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignError {
    #[error("the request cannot be signed: its address has no host")]
    NoHost,
    /// The key's id or the content type holds what no header can.
    #[error("the request cannot be signed: its key id or content type is not plain text")]
    NotText,
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// How to sign a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// draft-cavage-12, which every examined server accepts (interop C1).
    Cavage,
    /// The same over a target without its query, for servers that sign the path alone (interop C11).
    CavageWithoutQuery,
    /// HTTP Message Signatures, RFC 9421 (interop C14).
    Rfc9421,
}

fn carries_body(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// Signs a request. Sets Host, Signature and what the form needs beside them; sign anew for each attempt, with its time
/// (interop C6).
///
/// # Errors
/// When the address has no host, or the key fails.
pub(crate) fn sign(
    request: &mut http::Request<Bytes>,
    form: Form,
    key_id: &str,
    key: &PrivateKey,
    now: Timestamp,
) -> Result<(), SignError> {
    match form {
        Form::Cavage => cavage::sign(request, true, key_id, key, now),
        Form::CavageWithoutQuery => cavage::sign(request, false, key_id, key, now),
        Form::Rfc9421 => message::sign(request, key_id, key, now),
    }
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

/// The names under which the public reaches us.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// `https`, or `http` where the operator allows it.
    pub scheme: &'a str,
    /// `host` or `host:port`, lower case.
    pub public: &'a [&'a str],
    /// What a proxy of the operator's writes into Host instead. Such a request counts only if it was signed for one of
    /// the public names: the proxy's name itself proves nothing.
    pub behind: &'a [String],
}

impl<'a> Names<'a> {
    /// The public names that a value of Host stands for; none if it is foreign.
    fn meant_by(&self, host: &[u8]) -> Vec<&'a str> {
        let default_port: &[u8] = if self.scheme == "http" { b":80" } else { b":443" };
        let host = host.strip_suffix(default_port).unwrap_or(host);
        if let Some(name) = self.public.iter().find(|name| host.eq_ignore_ascii_case(name.as_bytes())) {
            return vec![name];
        }
        let rewritten = self.behind.iter().any(|name| host.eq_ignore_ascii_case(name.as_bytes()));
        if rewritten { self.public.to_vec() } else { Vec::new() }
    }

    fn is_public(&self, host: &[u8]) -> bool {
        self.behind.iter().all(|name| !host.eq_ignore_ascii_case(name.as_bytes())) && !self.meant_by(host).is_empty()
    }
}

/// A signature that is valid in all that can be checked without the key.
#[derive(Clone, Debug)]
pub struct Claim {
    key_id: String,
    scheme: &'static str,
    /// The only kind of key that the request allows, if it names one.
    kind: Option<KeyKind>,
    signature: Vec<u8>,
    /// The texts that may have been signed: the target with its query, then without (interop C11), for each possible
    /// name.
    messages: Vec<String>,
}

impl Claim {
    /// The keyId: an absolute http or https address, as written.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The scheme of the signature: `draft-cavage` or `rfc9421`.
    pub(crate) fn scheme(&self) -> &'static str {
        self.scheme
    }

    /// Whether this key made the signature.
    #[must_use]
    pub fn verify(&self, key: &PublicKey) -> bool {
        self.kind.is_none_or(|kind| kind == key.kind())
            && self.messages.iter().any(|text| key.verify(text.as_bytes(), &self.signature))
    }
}

/// Reads a signed request and checks all that can be checked without the key, in the order of
/// docs/architecture.md#receiving.
///
/// A request with a Signature-Input is read by RFC 9421 first, and by draft-cavage where that fails (interop C14). The
/// two are independent: each claim must meet all rules of its own scheme, and one Signature header cannot be in both
/// forms.
///
/// # Errors
/// The first rule that the request breaks.
pub fn read(received: &Received<'_>, names: &Names<'_>, now: Timestamp) -> Result<Claim, Rejection> {
    checks::secured_once(received.headers)?;
    if !received.headers.contains_key(SIGNATURE) {
        return Err(Reason::SignatureMissing.into());
    }
    if !received.headers.contains_key(SIGNATURE_INPUT) {
        return Ok(cavage::read(received, names, now)?);
    }
    match message::read(received, names, now) {
        Ok(claim) => Ok(claim),
        Err(newer) => cavage::read(received, names, now)
            .map_err(|older| Rejection::from(if older == Reason::SignatureMalformed { newer } else { older })),
    }
}
