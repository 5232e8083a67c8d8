//! From a request to a kept row: rejected as early as possible, verified, stored, and only then answered 202.

use std::net::IpAddr;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};

use super::block_check::{reject_blocked, reject_blocked_key};
use super::foreign_host;
use super::rejection::{Rejected, count, ours, refuse, rejected, too_many};
use super::store::{self, Arrival};
use crate::activitypub::incoming::{self, Incoming};
use crate::app::App;
use crate::base::ids::{Host, registrable};
use crate::federation::delivery;
use crate::federation::remote::actors::{self, KeySource};
use crate::federation::remote::fetch::{FetchError, is_activity_json};
use crate::federation::remote::{self, RemoteKey};
use crate::federation::signed_requests;
use crate::moderation::compiled;
use crate::net::signature::{self, Claim, Names, Reason, Received};
use crate::net::throttle::{TooMuch, counted_as};

/// A POST to an inbox, its body already bounded.
#[derive(Clone, Debug)]
pub(crate) struct Post<'a> {
    /// As sent.
    pub(crate) path_and_query: &'a str,
    /// As sent, with `host` set where HTTP/2 has only an authority.
    pub(crate) headers: &'a HeaderMap,
    /// As sent.
    pub(crate) body: &'a [u8],
    /// The client's address, where it is known: useless fetches that it causes are counted (interop G8).
    pub(crate) from: Option<IpAddr>,
}

/// Receives an activity: `Ok` is answered 202.
///
/// # Errors
/// When it is rejected; that is already counted.
pub(crate) async fn receive(app: &App, post: Post<'_>) -> Result<(), Rejected> {
    let outcome = verify_and_keep(app, &post).await;
    if let Err(rejected) = &outcome {
        refuse(app, rejected).await;
    }
    outcome
}

async fn verify_and_keep(app: &App, post: &Post<'_>) -> Result<(), Rejected> {
    let media_type = post.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_activity_json(media_type) {
        return Err(rejected(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "send application/activity+json, or application/ld+json with the ActivityStreams profile",
        ));
    }
    let received =
        Received { method: &Method::POST, path_and_query: post.path_and_query, headers: post.headers, body: post.body };
    let claim = match claim(app, &received) {
        Ok(claim) => claim,
        Err(rejected) => {
            if rejected.label == Reason::HostForeign.as_str() {
                foreign_host::note(app, post.headers).await;
            }
            return Err(rejected);
        }
    };
    let host = Host::named_in(claim.key_id()).map(|host| host.to_string());
    let at_host = |mut rejected: Rejected| {
        rejected.host.clone_from(&host);
        rejected
    };
    let blocks = compiled::recent(app).await.map_err(ours)?;
    let barred = reject_blocked_key(&blocks, claim.key_id());
    let incoming = match (incoming::parse(post.body), &barred) {
        (Ok(incoming), _) => incoming,
        (Err(_), Err(barred)) => return Err(at_host(barred.clone())),
        (Err(malformed), Ok(())) => {
            return Err(at_host(rejected(StatusCode::BAD_REQUEST, malformed.label(), malformed.to_string())));
        }
    };
    let barred = match barred {
        Ok(()) => reject_blocked(&blocks, &incoming),
        barred => barred,
    };
    if let Err(barred) = barred {
        let signer = last_word(app, &claim, &incoming).await.map_err(at_host)?;
        let signer = signer.ok_or_else(|| at_host(barred))?;
        within_limits(app, host.as_deref().unwrap_or_default(), post.body.len()).map_err(at_host)?;
        return keep(app, post, incoming, signer).await.map_err(ours);
    }
    if is_unknown_self_delete(app, &incoming).await.map_err(ours)? {
        // Mastodon sends these to every server it knows: nothing is fetched for them (interop E11, T7).
        count(app, host.as_deref(), "delete-of-unknown").await;
        return Ok(());
    }
    let signer = match proven(app, &claim, post.from.map(source_name).as_deref()).await {
        Ok(key) => Signer { ed25519: key.is_ed25519(), actor: key.owner.url, proof: Some(proof(&claim)) },
        // Its own server says that the actor is gone, which is what the activity says too (interop E11).
        Err(Unproven::Gone) if incoming.is_self_delete() && names_actor(claim.key_id(), &incoming.actor) => {
            Signer { actor: incoming.actor.clone(), ed25519: false, proof: None }
        }
        Err(unproven) => return Err(at_host(unproven.into())),
    };
    let by = Host::named_in(&signer.actor).map(|host| host.to_string()).unwrap_or_default();
    within_limits(app, &by, post.body.len()).map_err(at_host)?;
    keep(app, post, incoming, signer).await.map_err(ours)
}

/// Who is blocked may still delete or undo what they sent, or it would be shown again when the block ends (interop
/// G11): verified with a key that we have. Nothing is fetched for it.
async fn last_word(app: &App, claim: &Claim, incoming: &Incoming) -> Result<Option<Signer>, Rejected> {
    if !matches!(incoming.kind, incoming::Kind::Delete | incoming::Kind::Undo) {
        return Ok(None);
    }
    let key = actors::known_key(app, claim.key_id()).await.map_err(|error| Rejected::from(Unproven::from(error)))?;
    let Some(key) = key.filter(|key| key.owner.url == incoming.actor) else { return Ok(None) };
    let is_theirs = key.public.as_ref().is_ok_and(|public| claim.verify(public));
    Ok(is_theirs.then(|| Signer { ed25519: key.is_ed25519(), actor: key.owner.url, proof: Some(proof(claim)) }))
}

/// A signature that is valid in all that can be checked without the key, for one of our names.
pub(super) fn claim(app: &App, received: &Received<'_>) -> Result<Claim, Rejected> {
    let hosts = app.urls.hosts();
    let names = Names {
        scheme: app.config.server.origin.scheme(),
        public: &hosts.map(Host::as_str),
        behind: &app.config.server.proxy_hosts,
    };
    signature::read(received, &names, app.clock.now())
        .map_err(|refusal| rejected(refusal.status, refusal.reason.as_str(), refusal.to_string()))
}

/// Rate limit of a host, now that its signature is verified: counted by registrable domain, since whoever owns a domain
/// has as many hosts as they like (interop G9).
fn within_limits(app: &App, host: &str, bytes: usize) -> Result<(), Rejected> {
    let (limits, domain) = (&app.config.limits, registrable(host));
    app.throttles.domains.take(&domain).map_err(|wait| {
        let rate = limits.inbox_per_host;
        too_many(wait, "too-many-of-host", format!("{domain} may send {rate} activities a minute"))
    })?;
    app.throttles.keep(&domain, bytes).map_err(|too_much| match too_much {
        TooMuch::OfDomain(wait) => {
            let most = limits.inbox_mib_per_host;
            too_many(wait, "too-much-of-host", format!("{domain} may send {most} MiB a day"))
        }
        TooMuch::InAll(wait) => {
            too_many(wait, "too-much-in-all", "all servers together have sent too much today".to_owned())
        }
    })
}

async fn is_unknown_self_delete(app: &App, incoming: &Incoming) -> sqlx::Result<bool> {
    if !incoming.is_self_delete() {
        return Ok(false);
    }
    let mut conn = app.db.read().await?;
    Ok(remote::store::by_url(&mut conn, &incoming.actor).await?.is_none())
}

/// Why a signature could not be verified.
pub(super) enum Unproven {
    /// It may be verified later (interop C10).
    Later(String),
    /// The key's server says it is gone.
    Gone,
    /// The key cannot be fetched.
    NoKey(String),
    /// The signature does not fit the key.
    Wrong,
    /// An error of ours.
    Internal(String),
}

impl From<Unproven> for Rejected {
    fn from(unproven: Unproven) -> Self {
        match unproven {
            Unproven::Later(why) => rejected(
                StatusCode::SERVICE_UNAVAILABLE,
                "key-unreachable",
                format!("your key cannot be fetched just now: {why}"),
            ),
            Unproven::Gone => {
                rejected(StatusCode::UNAUTHORIZED, "key-gone", "your server says that the signing key is gone")
            }
            Unproven::NoKey(why) => {
                rejected(StatusCode::UNAUTHORIZED, "no-key", format!("the signing key cannot be had: {why}"))
            }
            Unproven::Wrong => {
                rejected(StatusCode::UNAUTHORIZED, "wrong-signature", "the signature is not of the key that it names")
            }
            Unproven::Internal(why) => {
                tracing::error!(why, "cannot verify a request");
                rejected(StatusCode::SERVICE_UNAVAILABLE, "our-failure", "we cannot verify anything just now")
            }
        }
    }
}

impl From<FetchError> for Unproven {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Temporary(why) | FetchError::Unavailable { why, .. } => Self::Later(why),
            FetchError::Gone => Self::Gone,
            FetchError::Refused(why) | FetchError::Absent(why) => Self::NoKey(why),
            FetchError::Internal(why) => Self::Internal(why),
        }
    }
}

/// The owner of the key that verifies the claim: a cached key, or after one bounded fetch a fresh one (interop C8).
pub(super) async fn proven(app: &App, claim: &Claim, source: Option<&str>) -> Result<RemoteKey, Unproven> {
    let proves = |key: &RemoteKey| {
        let public = key.public.as_ref().map_err(|error| Unproven::NoKey(error.to_string()))?;
        Ok::<_, Unproven>(claim.verify(public))
    };
    let fetched = match actors::key(app, claim.key_id(), source).await? {
        KeySource::Fresh(key) => key,
        KeySource::Cached(key) if proves(&key)? => return Ok(key),
        KeySource::Cached(key) if actors::may_ask_again(app, &key) => {
            actors::fetch_key(app, claim.key_id(), source).await?
        }
        KeySource::Cached(_) => return Err(Unproven::Wrong),
    };
    if !proves(&fetched)? {
        return Err(Unproven::Wrong);
    }
    actors::well_spent(app, source).await;
    Ok(fetched)
}

/// The name under which the fetches that an address causes are counted (interop G8).
pub(super) fn source_name(address: IpAddr) -> String {
    counted_as(address).to_string()
}

/// Who signed a request.
struct Signer {
    actor: String,
    ed25519: bool,
    /// The key, and the scheme of the signature.
    proof: Option<(String, &'static str)>,
}

fn proof(claim: &Claim) -> (String, &'static str) {
    (claim.key_id().to_owned(), claim.scheme())
}

async fn keep(app: &App, post: &Post<'_>, incoming: Incoming, signer: Signer) -> sqlx::Result<()> {
    let path = post.path_and_query.chars().take(200).collect();
    let arrival = Arrival {
        proof: signer.proof,
        ..Arrival::of(incoming, signer.actor, String::from_utf8_lossy(post.body).into_owned(), path)
    };
    let (ids, now) = (app.ids.clone(), app.clock.now());
    app.db
        .write(move |conn| {
            Box::pin(async move {
                let is_new = store::keep(conn, &ids, &arrival, now).await?;
                let Some(host) = Host::named_in(&arrival.signer) else { return Ok(()) };
                if signer.ed25519 {
                    signed_requests::store::note_ed25519(conn, &host, now).await?;
                }
                // Of what is new, its handling tells that its host is there.
                if is_new { Ok(()) } else { delivery::store::heal_all(conn, &[host], now).await }
            })
        })
        .await
}

/// Whether a keyId leads to this very actor: its address with a fragment, or `GoToSocial`'s `/main-key` below it. A key
/// of anybody else who is gone proves nothing.
fn names_actor(key_id: &str, actor: &str) -> bool {
    let place = key_id.split('#').next().unwrap_or(key_id);
    place == actor || place.strip_suffix("/main-key") == Some(actor)
}
