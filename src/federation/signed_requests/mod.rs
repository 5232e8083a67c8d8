//! Sends signed requests: in the scheme that a host is known to take, and where it refuses one, in another.

pub(crate) mod store;

use std::time::Duration;

use bytes::Bytes;
use clock::Timestamp;
use http::{Method, Request, StatusCode};
use tokio::time::Instant;
use url::Url;

use crate::app::App;
use crate::base::figures;
use crate::base::ids::{ActivityId, Host};
use crate::base::stored::words;
use crate::model::author::Actor;
use crate::model::author::keys::{self, Keyring, Signer};
use crate::net::client::{Limits, Reply, SendError};
use crate::net::signature::{self, Form};

words! {
    /// A signature scheme with a kind of key.
    pub(crate) enum Scheme {
        /// draft-cavage with RSA: what every examined peer takes (interop C1).
        Cavage = "cavage",
        /// RFC 9421 with RSA.
        Rfc9421 = "rfc9421",
        /// RFC 9421 with Ed25519, which costs a fiftieth of RSA.
        Ed25519 = "ed25519",
    }
}

impl Scheme {
    fn form(self) -> Form {
        if self == Self::Cavage { Form::Cavage } else { Form::Rfc9421 }
    }

    fn fragment(self) -> &'static str {
        if self == Self::Ed25519 { keys::ED25519_FRAGMENT } else { keys::RSA_FRAGMENT }
    }

    /// What to try when this was refused; once, never back again.
    fn other(self) -> Self {
        if self == Self::Cavage { Self::Rfc9421 } else { Self::Cavage }
    }
}

/// Which signatures a host takes and makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PeerCapabilities {
    /// The scheme that it took after refusing another, and when.
    pub(crate) took: Option<(Scheme, Timestamp)>,
    /// Whether it has signed to us with Ed25519.
    pub(crate) signs_ed25519: bool,
}

/// How long a host is believed to take only the scheme that it took last. Then the usual one is tried again: its
/// software may be newer.
const REMEMBERED: Duration = Duration::from_hours(7 * 24);

/// The scheme to try first; `named` says that the operator listed the host as one that takes Ed25519.
pub(crate) fn preferred(capabilities: PeerCapabilities, named: bool, now: Timestamp) -> Scheme {
    match capabilities.took {
        Some((scheme, at)) if now.since(at) < REMEMBERED => scheme,
        _ if named || capabilities.signs_ed25519 => Scheme::Ed25519,
        _ => Scheme::Cavage,
    }
}

/// Signs as `actor`, sends, and where the host refuses the signature with 400 or 401, sends once more in the other
/// scheme (interop C14). The scheme that it takes then is remembered (C19). Where it takes neither, the first answer
/// counts.
///
/// `limits` hold for each request; there are at most three. The request is not signed yet.
///
/// # Errors
/// When the database fails or the actor's key cannot be used: our fault, not the host's.
pub(crate) async fn send(
    app: &App,
    actor: &Actor,
    request: &Request<Bytes>,
    limits: Limits,
) -> anyhow::Result<Result<Reply, SendError>> {
    let (keys, capabilities, host) = {
        let (mut conn, host) = (app.db.read().await?, host_of(request));
        let capabilities = match &host {
            Some(host) => store::capabilities(&mut conn, host).await?,
            None => PeerCapabilities::default(),
        };
        (Keyring::of(&mut conn, actor.clone()).await?, capabilities, host)
    };
    let signed = SignedRequest { app, keys: &keys, request, limits };
    let Some(host) = host else { return signed.attempt(Scheme::Cavage, Form::Cavage).await };
    let first = usual(app, &host, capabilities);
    signed.send(host, first).await
}

/// As [`send`], with the key that signed for `actor` when this activity was said, if it is another now; and with the present
/// one where the host does not know that any longer (ADR 10). Keys and capabilities are the caller's, who may have them in memory.
///
/// # Errors
/// As [`send`].
pub(crate) async fn deliver(
    app: &App,
    keys: &Keyring,
    activity: ActivityId,
    request: &Request<Bytes>,
    limits: Limits,
    capabilities: PeerCapabilities,
) -> anyhow::Result<Result<Reply, SendError>> {
    let signed = SignedRequest { app, keys, request, limits };
    let Some(host) = host_of(request) else { return signed.attempt(Scheme::Cavage, Form::Cavage).await };
    let first = usual(app, &host, capabilities);
    let begun = Instant::now();
    let answer = signed.deliver(host, first, activity).await?;
    let class = match &answer {
        Ok(reply) if reply.status.is_success() => "2xx",
        Ok(reply) if reply.status.is_redirection() => "3xx",
        Ok(reply) if reply.status.is_client_error() => "4xx",
        Ok(_) => "5xx",
        Err(_) => "none",
    };
    figures::delivered(class, begun.elapsed());
    Ok(answer)
}

fn host_of(request: &Request<Bytes>) -> Option<Host> {
    Url::parse(&request.uri().to_string()).ok().as_ref().and_then(Host::of)
}

fn usual(app: &App, host: &Host, capabilities: PeerCapabilities) -> Scheme {
    let named = app.config.federation.ed25519_hosts.iter().any(|named| named == host.as_str());
    preferred(capabilities, named, app.clock.now())
}

fn is_refused(answer: &Result<Reply, SendError>) -> bool {
    answer.as_ref().is_ok_and(|reply| matches!(reply.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED))
}

/// Whether the answer in the second scheme is about the request. Anything else may be about a scheme that the host does
/// not know, and means no more than the first answer did: no delivery is given up for it (interop D2).
fn settles(method: &Method, answer: &Result<Reply, SendError>) -> bool {
    answer.as_ref().is_ok_and(|reply| match *method {
        Method::GET => {
            !matches!(reply.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED)
                && !reply.status.is_server_error()
        }
        _ => {
            reply.status.is_success()
                || matches!(reply.status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS)
        }
    })
}

fn has_query(request: &Request<Bytes>) -> bool {
    request.method() == Method::GET && request.uri().query().is_some()
}

struct SignedRequest<'a> {
    app: &'a App,
    keys: &'a Keyring,
    request: &'a Request<Bytes>,
    limits: Limits,
}

impl SignedRequest<'_> {
    /// With the key that signed when this activity was said, if it is another now; else with the present one.
    async fn deliver(
        &self,
        host: Host,
        first: Scheme,
        activity: ActivityId,
    ) -> anyhow::Result<Result<Reply, SendError>> {
        if let Some(signer) = self.keys.signer_then(self.app, first.fragment(), activity).await? {
            let answer = self.post(&signer, first.form()).await?;
            // Who fetched the actor since knows the new key alone.
            let unknown_key = |reply: &Reply| matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
            if !answer.as_ref().is_ok_and(unknown_key) {
                return Ok(answer);
            }
        }
        self.send(host, first).await
    }

    /// Sends, and where this scheme is refused, once more in the other.
    async fn send(&self, host: Host, first: Scheme) -> anyhow::Result<Result<Reply, SendError>> {
        let answer = self.attempt(first, first.form()).await?;
        if !is_refused(&answer) {
            return Ok(answer);
        }
        if first == Scheme::Cavage && has_query(self.request) {
            // Some sign the path alone, and so does what verifies there (interop C11).
            let again = self.attempt(first, Form::CavageWithoutQuery).await?;
            if !is_refused(&again) {
                return Ok(again);
            }
        }
        let second = first.other();
        let again = self.attempt(second, second.form()).await?;
        if again.as_ref().is_ok_and(|reply| reply.status.is_success()) {
            let now = self.app.clock.now();
            let noted = self
                .app
                .db
                .write(move |conn| Box::pin(async move { store::note_taken(conn, &host, second, now).await }));
            if let Err(error) = noted.await {
                // It was taken all the same: an error here would have it sent a second time.
                tracing::warn!(%error, "cannot note which signatures a host takes");
            }
        }
        Ok(if settles(self.request.method(), &again) { again } else { answer })
    }

    async fn attempt(&self, scheme: Scheme, form: Form) -> anyhow::Result<Result<Reply, SendError>> {
        let signer = self.keys.signer(self.app, scheme.fragment()).await?;
        self.post(&signer, form).await
    }

    /// Signs, with the time of sending (interop C6), and sends.
    async fn post(&self, signer: &Signer, form: Form) -> anyhow::Result<Result<Reply, SendError>> {
        let mut request = self.request.clone();
        signature::sign(&mut request, form, &signer.key_id, &signer.key, self.app.clock.now())?;
        Ok(self.app.net.send(request, self.limits).await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::stored::Word;

    const NOW: Timestamp = Timestamp::from_millis(1_786_089_600_000);

    #[test]
    fn what_a_host_took_comes_before_what_it_might_take_c19() {
        let took = |scheme, days: u64| PeerCapabilities {
            took: Some((scheme, NOW - Duration::from_hours(24 * days))),
            signs_ed25519: true,
        };
        let plain = PeerCapabilities::default();
        assert_eq!(preferred(plain, false, NOW), Scheme::Cavage);
        assert_eq!(preferred(plain, true, NOW), Scheme::Ed25519);
        assert_eq!(preferred(PeerCapabilities { signs_ed25519: true, ..plain }, false, NOW), Scheme::Ed25519);
        assert_eq!(preferred(took(Scheme::Rfc9421, 6), true, NOW), Scheme::Rfc9421);
        assert_eq!(preferred(took(Scheme::Cavage, 6), true, NOW), Scheme::Cavage);
        assert_eq!(preferred(took(Scheme::Cavage, 7), false, NOW), Scheme::Ed25519, "it may have learnt");
    }

    #[test]
    fn a_second_knock_is_never_the_first_again() {
        for scheme in [Scheme::Cavage, Scheme::Rfc9421, Scheme::Ed25519] {
            assert_ne!(scheme.other(), scheme);
            assert_eq!(Scheme::parse(scheme.as_str()), Some(scheme));
        }
        assert_eq!(Scheme::parse("other"), None);
    }
}
