//! Which actor a key belongs to: from a keyId to an actor whose own document confirms the key (interop C7, C8).

use std::sync::Arc;
use std::time::Duration;

use clock::Timestamp;
use serde_json::Value;

use super::fetch::{self, FetchError, Fetched};
use super::{Names, Remote, RemoteKey, store};
use crate::activitypub::incoming::{self, RemoteActor};
use crate::app::{App, NoKey};
use crate::base::ids::{Host, Ids, registrable_of};
use crate::db::{Cached, Conn, Topic, decode_error};
use crate::federation::delivery::{self, store::Address};
use crate::net::keys::PublicKey;

/// Where a key came from: one from the cache may be out of date.
#[derive(Clone, Debug)]
pub(crate) enum KeySource {
    Cached(RemoteKey),
    Fresh(RemoteKey),
}

/// How long a cached key is trusted before it is fetched again (interop C8).
const BELIEVED: Duration = Duration::from_hours(7 * 24);

/// How long a key just fetched is taken to be the newest.
const ASK_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// How long a key that could not be fetched is not asked for again (interop G8).
const FAILED_FOR: Duration = Duration::from_mins(5);

/// Longest wait for a key, with its owner's document, redirects and second schemes: meanwhile it holds a place in
/// `App::fetches`, and those who wait for it hold their bodies.
const WITHIN: Duration = Duration::from_secs(30);

/// The key of a keyId, from the cache or fetched. An old one is fetched anew; while that is not possible just now, the
/// old one is used. `source` is whose request makes us ask, where that is known.
///
/// # Errors
/// As [`FetchError`] tells; a key that its actor does not list is refused.
pub(crate) async fn key(app: &App, key_id: &str, source: Option<&str>) -> Result<KeySource, FetchError> {
    match known_key(app, key_id).await? {
        Some(key) if app.clock.now().since(key.fetched_at) < BELIEVED => Ok(KeySource::Cached(key)),
        Some(key) => match fetch_key(app, key_id, source).await {
            Err(FetchError::Temporary(_) | FetchError::Unavailable { .. }) => Ok(KeySource::Cached(key)),
            fetched => fetched.map(KeySource::Fresh),
        },
        None => fetch_key(app, key_id, source).await.map(KeySource::Fresh),
    }
}

/// Keys of others in memory, by their ids.
type KnownKeys = Cached<String, RemoteKey>;

/// Most of them.
const IN_MEMORY: u64 = 10_000;

/// How late it is noticed that another process read a key anew.
const NOTICED_WITHIN: Duration = Duration::from_secs(1);

/// The key of a keyId, if it is known; nothing is fetched.
pub(crate) async fn known_key(app: &App, key_id: &str) -> Result<Option<RemoteKey>, FetchError> {
    app.db.catch_up(NOTICED_WITHIN).await.map_err(ours)?;
    let read = async {
        let mut conn = app.db.read().await.map_err(Some)?;
        store::key(&mut conn, key_id).await.map_err(Some)?.ok_or(None::<sqlx::Error>)
    };
    let known = app.kept(|| KnownKeys::new(IN_MEMORY));
    match known.get(&app.db, key_id.to_owned(), &[Topic::RemoteActor(key_id)], read).await {
        Ok(key) => Ok(Some(key)),
        Err(failed) => match &*failed {
            Some(error) => Err(FetchError::Internal(error.to_string())),
            None => Ok(None),
        },
    }
}

/// Whether a cached key that does not fit may be fetched again: once a minute at most (interop C8).
pub(crate) fn may_ask_again(app: &App, key: &RemoteKey) -> bool {
    app.clock.now().since(key.fetched_at) >= ASK_AGAIN_AFTER
}

/// Fetches a key anew, with the actor that lists it; whoever asks for the same key meanwhile waits for it.
///
/// # Errors
/// As [`key`]; the same as before while a failure is remembered, and temporary while too much is being fetched.
pub(crate) async fn fetch_key(app: &App, key_id: &str, source: Option<&str>) -> Result<RemoteKey, FetchError> {
    let began = app.clock.now();
    let flight = app.key_flights.get_with_by_ref(key_id, std::future::ready(Arc::default())).await;
    let waited = flight.try_lock().is_err();
    let _flying = flight.lock().await;
    if waited
        && let Some(key) = known_key(app, key_id).await?
        && key.fetched_at >= began
    {
        return Ok(key);
    }
    let now = app.clock.now();
    if let Some((failed, why)) = app.failed_keys.get(key_id).await
        && now.since(failed) < FAILED_FOR
    {
        return Err(told_again(why));
    }
    let Some(_place) = app.fetches.take(names(key_id, source)) else {
        return Err(FetchError::Temporary("too many keys are being fetched just now".to_owned()));
    };
    spend(app, key_id, source).await?;
    let late = |_| Err(FetchError::Temporary(format!("it did not come within {} seconds", WITHIN.as_secs())));
    let fetched = tokio::time::timeout(WITHIN, ask(app, key_id)).await.unwrap_or_else(late);
    match &fetched {
        Ok(_) => app.failed_keys.invalidate(key_id).await,
        Err(why) => app.failed_keys.insert(key_id.to_owned(), (now, remembered(why))).await,
    }
    fetched
}

/// Who may not take all places: the source whose request makes us fetch a key, and the domain that it is fetched from.
fn names(key_id: &str, source: Option<&str>) -> Vec<String> {
    let source = source.map(|source| format!("source {source}"));
    source.into_iter().chain(registrable_of(key_id)).collect()
}

/// A failure as it is remembered for some minutes.
fn remembered(why: &FetchError) -> NoKey {
    match why {
        FetchError::Gone => NoKey::Gone,
        FetchError::Absent(why) | FetchError::Refused(why) => NoKey::Lasting(why.clone()),
        FetchError::Temporary(why) | FetchError::Unavailable { why, .. } | FetchError::Internal(why) => {
            NoKey::Passing(why.clone())
        }
    }
}

/// The error for a remembered failure: a permanent one stays so, a temporary one is not tried again yet.
fn told_again(why: NoKey) -> FetchError {
    let again = |why: String| format!("{why} (as of a moment ago; asked for again in some minutes)");
    match why {
        NoKey::Gone => FetchError::Gone,
        NoKey::Lasting(why) => FetchError::Refused(again(why)),
        NoKey::Passing(why) => FetchError::Temporary(again(why)),
    }
}

/// Counts what strangers make us fetch before they have proved anything: by who makes us do it, and by the host that is
/// asked (interop G8).
async fn spend(app: &App, key_id: &str, source: Option<&str>) -> Result<(), FetchError> {
    let now = app.clock.now();
    if let Some(source) = source
        && !app.fetches_for.take(source, now).await
    {
        return Err(FetchError::Temporary(
            "your address has had us fetch too many keys that proved nothing".to_owned(),
        ));
    }
    let host = Host::named_in(key_id);
    let host = host.ok_or_else(|| refused(format!("`{key_id}` has no host")))?;
    if app.fetches_at.take(host.as_str(), now).await {
        Ok(())
    } else {
        Err(FetchError::Temporary(format!("too many keys of {host} have been fetched just now")))
    }
}

/// A key that was fetched for this source has verified a request: the fetch no longer counts against it.
pub(crate) async fn well_spent(app: &App, source: Option<&str>) {
    if let Some(source) = source {
        app.fetches_for.give_back(source).await;
    }
}

async fn ask(app: &App, key_id: &str) -> Result<RemoteKey, FetchError> {
    let found = fetch::document(app, key_id).await?;
    // A key with a document of its own, which its owner may list by its id alone (FEP-521a).
    let is_key = found.document.get("id").and_then(Value::as_str) == Some(key_id) && found.speaks_for(key_id);
    let own_text = is_key.then(|| incoming::key_text(&found.document));
    let mut actor = match owning_actor(&found) {
        Ok(actor) => actor,
        // GoToSocial's stub and bare key objects name their owner, whose full document must list the key.
        Err(Unfit { owner: Some(owner), .. })
            if same_host(key_id, &owner) && !incoming::same_address(&owner, found.asked.as_str()) =>
        {
            let found = fetch::document(app, &owner).await?;
            owning_actor(&found).map_err(|unfit| refused(format!("`{owner}` is no actor to us: {}", unfit.why)))?
        }
        Err(unfit) => return Err(refused(format!("`{key_id}` leads to no actor: {}", unfit.why))),
    };
    let actor_id = actor.id.clone();
    let listed = actor.keys.iter_mut().find(|key| key.id == key_id && key.owner == actor_id);
    let public = listed.and_then(|key| {
        key.public = key.public.take().or(own_text.flatten());
        key.public.clone()
    });
    let public = public.ok_or_else(|| refused(format!("`{actor_id}` does not list the key `{key_id}`")))?;
    if !same_host(key_id, &actor_id) {
        return Err(refused(format!("the key `{key_id}` and its owner `{actor_id}` live on different hosts")));
    }
    let fetched_at = app.clock.now();
    let public = PublicKey::read(&public);
    Ok(RemoteKey { owner: save(app, actor, Some(key_id.to_owned())).await?, public, fetched_at })
}

/// Why a document is not the actor's own.
struct Unfit {
    /// Whom it says the key belongs to: fetched next.
    owner: Option<String>,
    /// For the sender's admin.
    why: String,
}

/// The full actor document that was found, or the owner that a stub or a key names.
fn owning_actor(found: &Fetched) -> Result<RemoteActor, Unfit> {
    let unfit = |why: String| Err(Unfit { owner: incoming::key_owner(&found.document), why });
    match incoming::parse_actor(&found.document) {
        Ok(actor) if found.speaks_for(&actor.id) => Ok(actor),
        Ok(actor) => unfit(format!("what is served at {} says it is `{}`", found.at, actor.id)),
        Err(why) => unfit(why.to_string()),
    }
}

async fn save(app: &App, actor: RemoteActor, led_here: Option<String>) -> Result<Remote, FetchError> {
    let (ids, now) = (app.ids.clone(), app.clock.now());
    let remote =
        app.db.write(move |conn| Box::pin(async move { keep(conn, &ids, actor, led_here.as_deref(), now).await }));
    remote.await.map_err(ours)
}

/// Keeps an actor as its own document describes it. `led_here` is the id of the key that was asked for and led to this
/// document: it is the actor's, whoever listed it before.
///
/// # Errors
/// The database's, also when an inbox has no host, which [`incoming::parse_actor`] lets none through with.
pub async fn keep(
    conn: &mut Conn,
    ids: &Ids,
    actor: RemoteActor,
    led_here: Option<&str>,
    now: Timestamp,
) -> sqlx::Result<Remote> {
    let host_of = |url: &str| Host::named_in(url).ok_or_else(|| decode_error(format!("`{url}` has no host")));
    let before = store::by_url(conn, &actor.id).await?;
    let inbox = delivery::store::inbox(conn, ids, &host_of(&actor.inbox)?, &actor.inbox, false, now).await?;
    let shared = match &actor.shared_inbox {
        Some(url) => Some(delivery::store::inbox(conn, ids, &host_of(url)?, url, true, now).await?),
        None => None,
    };
    let id = store::save(conn, ids, &actor, (inbox, shared), led_here, now).await?;
    let address = Address { inbox, shared };
    if let Some(old) = before.map(|before| before.address()).filter(|old| *old != address) {
        delivery::store::readdress(conn, id, shared.unwrap_or(inbox)).await?;
        delivery::store::move_waiting(conn, old, address, now).await?;
    }
    let names = Names {
        name: actor.name.unwrap_or_default(),
        username: actor.preferred_username.unwrap_or_default(),
        webfinger: actor.webfinger,
    };
    Ok(Remote { id, url: actor.id, kind: actor.kind, inbox, shared_inbox: shared, names })
}

/// Reads an actor at its id, whatever is cached.
pub(crate) async fn read(app: &App, id: &str) -> Result<Remote, FetchError> {
    let found = fetch::document(app, id).await?;
    let actor =
        incoming::parse_actor(&found.document).map_err(|why| refused(format!("`{id}` is no actor to us: {why}")))?;
    if actor.id != id || !found.speaks_for(id) {
        return Err(refused(format!("what is served at `{id}` says it is `{}`", actor.id)));
    }
    save(app, actor, None).await
}

/// An actor by id, from the cache or read.
pub(crate) async fn known(app: &App, id: &str) -> Result<Remote, FetchError> {
    let cached = {
        let mut conn = app.db.read().await.map_err(ours)?;
        store::by_url(&mut conn, id).await.map_err(ours)?
    };
    match cached {
        Some(remote) => Ok(remote),
        None => read(app, id).await,
    }
}

fn same_host(a: &str, b: &str) -> bool {
    let host = Host::named_in(a);
    host.is_some() && host == Host::named_in(b)
}

fn refused(why: String) -> FetchError {
    FetchError::Refused(why)
}

#[expect(clippy::needless_pass_by_value, reason = "it is the end of the error")]
fn ours(error: sqlx::Error) -> FetchError {
    FetchError::Internal(error.to_string())
}
