//! Why a signed request was rejected before any key was fetched.

use std::fmt;

use http::StatusCode;

/// A rejected request, and its status (interop C10): 400 where something cannot be read, 401 where it was read and is
/// not valid, so that a sender who knows another scheme tries that (interop C14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Rejection {
    pub(crate) status: StatusCode,
    pub(crate) reason: Reason,
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        use Reason as R;
        let status = match reason {
            R::RepeatedHeader | R::SignatureMalformed | R::DateMalformed | R::DigestMalformed | R::HeaderMalformed => {
                StatusCode::BAD_REQUEST
            }
            _ => StatusCode::UNAUTHORIZED,
        };
        Self { status, reason }
    }
}

/// Declares each reason once: its name, its label for counting, its sentence for people.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $label:literal, $sentence:literal;)+) => {
        /// Why a request was rejected.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Reason {
            $($(#[$doc])* $name,)+
        }

        impl Reason {
            /// A short fixed label, for counting.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)+ }
            }
        }
    };
}

reasons! {
    /// One of Host, Date, Digest, Content-Digest, Signature, Signature-Input, Content-Type, Content-Length,
    /// Authorization is repeated (interop H13).
    RepeatedHeader = "repeated-header", "A header that secures the request stands more than once.";
    /// There is no Signature header.
    SignatureMissing = "signature-missing", "The request is not signed.";
    /// The Signature or Signature-Input header cannot be read (interop C12, C14).
    SignatureMalformed = "signature-malformed", "The Signature or Signature-Input header cannot be read.";
    /// A component of RFC 9421 is signed that we do not support (interop C14).
    Component = "component", "A component is signed that is not checked here; sign @method, @target-uri, content-digest.";
    /// The keyId is no absolute http or https address (interop C7).
    KeyId = "key-id", "The keyId is not an http or https address.";
    /// The algorithm is unknown, or signs parameters that it must not (interop C13).
    Algorithm = "algorithm", "The algorithm is not rsa-sha256 or hs2019 (RFC 9421: rsa-v1_5-sha256 or ed25519), or does not allow what is signed.";
    /// Neither Date nor (created) is signed, or `created` is not given.
    DateUnsigned = "date-unsigned", "Neither Date nor (created) is signed (RFC 9421: give `created`).";
    /// The Date cannot be read.
    DateMalformed = "date-malformed", "The Date header cannot be read.";
    /// Signed too long ago (interop C6).
    DateOld = "date-old", "The signature is too old.";
    /// Signed in the future (interop C6).
    DateFuture = "date-future", "The signature was made in the future; check the clock.";
    /// The Host header is not signed.
    HostUnsigned = "host-unsigned", "The Host header is not signed.";
    /// The request was signed for another server (interop H14).
    HostForeign = "host-foreign", "The request was signed for another host.";
    /// The request target is not signed.
    TargetUnsigned = "target-unsigned", "The (request-target) is not signed (RFC 9421: @method and @target-uri).";
    /// The digest of a request with a body is not signed.
    DigestUnsigned = "digest-unsigned", "The Digest header is not signed (RFC 9421: Content-Digest).";
    /// A signed header is not in the request.
    HeaderMissing = "header-missing", "A header named in the signature is not in the request.";
    /// A signed header is not text.
    HeaderMalformed = "header-malformed", "A header named in the signature is not text.";
    /// The digest has no readable SHA-256, or two.
    DigestMalformed = "digest-malformed", "The Digest or Content-Digest header holds no SHA-256, or several.";
    /// The body is not the one that was signed.
    DigestMismatch = "digest-mismatch", "The body does not match its Digest.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}
