//! The seeking loop: reads documents at their origin, one of a host at a time, and keeps what they say as if it had
//! been sent; so a thread that reaches us only in part is completed (interop E7, E24, B18, B20).

use std::sync::Arc;
use std::time::Duration;

use clock::Timestamp;
use serde_json::Value;

use super::store::wanted::{self, Asker, Wanted};
use super::store::{self, Arrival};
use super::{FETCHED, Purpose, Want};
use crate::activity::Urls;
use crate::activity::incoming::{self, same_origin};
use crate::app::App;
use crate::db::{Conn, Queue};
use crate::delivery::policy;
use crate::ids::{Host, Ids};
use crate::interaction;
use crate::moderation::door;
use crate::remote;
use crate::remote::actors;
use crate::remote::fetch::{self, FetchError, Fetched};
use crate::worker::Worker;
use crate::worker::store::BEGUN_MAX;

/// Attempts after which a document that cannot be had is given up: about two and a half days.
const ATTEMPTS: i64 = 14;

/// The wait after the first failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_mins(1);

/// Pages of one collection that are read.
const PAGES: i64 = 20;

/// The time between two posts of one collection, so that nobody feels us (interop D13).
const BETWEEN: Duration = Duration::from_secs(2);

/// Steps from what came by itself, up or down a thread (interop E7).
pub(super) const DEEPEST: i64 = 20;

/// Seeks.
pub struct Seeker;

impl Worker for Seeker {
    type Claim = Wanted;
    const NAME: &'static str = "seeker";
    const WIDTH: usize = 16;
    const QUEUE: Option<Queue> = Some(Queue::Wanted);

    async fn claim(&self, app: &App, limit: usize) -> anyhow::Result<Vec<Wanted>> {
        if app.is_full() {
            return Ok(Vec::new());
        }
        let now = app.clock.now();
        {
            let mut conn = app.db.read().await?;
            if !wanted::any_due(&mut conn, now).await? {
                return Ok(Vec::new());
            }
        }
        let (claimer, limit) = (app.clone(), i64::try_from(limit)?);
        let claim = app.db.write(move |conn| Box::pin(async move { claim(&claimer, conn, limit, now).await }));
        Ok(claim.await?)
    }

    async fn work(&self, app: &App, wanted: Wanted) -> anyhow::Result<()> {
        match read(app, &wanted).await {
            Ok(found) => settle(app, wanted, found).await,
            Err(FetchError::Gone) => end(app, wanted, "gone", "its server says that it is gone".to_owned()).await,
            Err(FetchError::Absent(why)) => end(app, wanted, "absent", why).await,
            Err(FetchError::Unavailable { host, why }) => rest(app, wanted, host, why).await,
            Err(FetchError::Temporary(why) | FetchError::Ours(why)) if wanted.attempts < ATTEMPTS => {
                put_off(app, wanted, why).await
            }
            Err(FetchError::Refused(why) | FetchError::Temporary(why) | FetchError::Ours(why)) => {
                end(app, wanted, "failed", why).await
            }
        }
    }

    async fn put_off(&self, app: &App, wanted: Wanted, why: &str) -> anyhow::Result<()> {
        if wanted.begun >= BEGUN_MAX {
            return end(app, wanted, "failed", why.to_owned()).await;
        }
        let (at, why) =
            (app.clock.now() + policy::wait(FIRST_WAIT, wanted.begun, false, app.ids.dice()), why.to_owned());
        app.db.write(move |conn| Box::pin(async move { wanted::put_off(conn, &wanted, at, &why).await })).await?;
        Ok(())
    }
}

/// Takes what is due. What was begun as often as may be, and never ended, is not begun again: the process may have ended
/// by it each time.
async fn claim(app: &App, conn: &mut Conn, limit: i64, now: Timestamp) -> sqlx::Result<Vec<Wanted>> {
    loop {
        let due = wanted::claim(conn, &app.db, &app.config.server.node, limit, now).await?;
        let (hopeless, due): (Vec<_>, Vec<_>) = due.into_iter().partition(|wanted| wanted.begun > BEGUN_MAX);
        for wanted in &hopeless {
            tracing::error!(url = wanted.url, "a document was given up: {NEVER_ENDED}");
            give_up(conn, wanted, "failed", NEVER_ENDED, now).await?;
        }
        // What waited behind them is due now.
        if hopeless.is_empty() || !due.is_empty() {
            return Ok(due);
        }
    }
}

/// Why a document is given up that nobody lived to tell of.
const NEVER_ENDED: &str =
    "reading it was begun five times and never brought to an end: each time the process ended first";

/// What a document turned out to be.
#[derive(Clone)]
enum Found {
    /// A post, or an activity, of an actor who is known by now: to be understood in the inbox.
    Said(Box<Arrival>),
    /// A page of a post that has another id, on the same server: to be read there.
    PageOf(String),
    /// It stands, where somebody said that it was gone.
    Stands,
    /// An actor, kept.
    Actor,
    /// A page of a collection.
    Listed(incoming::Gathering),
}

async fn read(app: &App, wanted: &Wanted) -> Result<Found, FetchError> {
    refuse_blocked(app, &wanted.url).await?;
    if wanted.purpose == Purpose::Actor {
        return actors::read(app, &wanted.url).await.map(|_| Found::Actor);
    }
    let found = fetch::document(app, &wanted.url).await?;
    match wanted.purpose {
        Purpose::Collection => incoming::gathering(&found.document)
            .filter(|_| found.speaks_for(&wanted.url))
            .map(Found::Listed)
            .ok_or_else(|| FetchError::Refused(format!("{} is no collection", found.at))),
        _ if is_tombstone(&found.document) => Err(FetchError::Gone),
        Purpose::End => Ok(Found::Stands),
        Purpose::Actor | Purpose::Post => said(app, wanted, &found).await,
    }
}

/// Nothing of a blocked server is read (interop E25).
async fn refuse_blocked(app: &App, url: &str) -> Result<(), FetchError> {
    let blocked = async {
        let mut conn = app.db.read().await?;
        Ok(match door::blocked_address(&mut conn, url).await? {
            Some(block) => Some(block),
            None => door::blocked_actor(&mut conn, url).await?,
        })
    };
    match blocked.await {
        Ok(None) => Ok(()),
        Ok(Some(block)) => Err(FetchError::Refused(block.why())),
        Err::<_, sqlx::Error>(error) => Err(FetchError::Ours(error.to_string())),
    }
}

fn is_tombstone(document: &Value) -> bool {
    document.get("type").and_then(Value::as_str) == Some("Tombstone")
}

/// A document is believed from the origin that its id names, of an author of that origin (interop E3, E4).
async fn said(app: &App, wanted: &Wanted, found: &Fetched) -> Result<Found, FetchError> {
    let Fetched { at, document, .. } = found;
    let id = document.get("id").and_then(Value::as_str).unwrap_or_default();
    // An address that people copy, named in place of the id (interop U11).
    if id != wanted.url
        && wanted.depth < DEEPEST
        && [at.as_str(), &wanted.url].iter().all(|place| same_origin(place, id))
        && incoming::statement(document).is_ok()
    {
        return Ok(Found::PageOf(id.to_owned()));
    }
    if id != wanted.url || !found.speaks_for(id) {
        return Err(FetchError::Refused(format!("what is served at {at} says it is `{id}`")));
    }
    let raw = document.to_string();
    let arrival = match incoming::statement(document) {
        Ok(post) => Arrival {
            activity_id: id.to_owned(),
            signer: post.author.clone(),
            actor: post.author,
            kind: document.get("type").and_then(Value::as_str).unwrap_or("post").chars().take(64).collect(),
            object_id: Some(post.id),
            raw,
            path: FETCHED.to_owned(),
            proof: None,
            made: None,
            sign: None,
            again: false,
        },
        Err(no_post) => match incoming::activity(document.clone()) {
            Ok(activity) => {
                let signer = activity.actor.clone();
                Arrival::of(activity, signer, raw, FETCHED.to_owned())
            }
            Err(_) => return Err(FetchError::Refused(format!("{at} is no post: {no_post}"))),
        },
    };
    if !same_origin(&arrival.actor, id) {
        return Err(FetchError::Refused(format!("{id} is not of its author's server")));
    }
    // Whoever spoke is shown with a name and a picture, and hears what becomes of the article.
    actors::known(app, &arrival.actor).await?;
    Ok(Found::Said(Box::new(arrival)))
}

async fn settle(app: &App, wanted: Wanted, found: Found) -> anyhow::Result<()> {
    let (ids, now) = (app.ids.clone(), app.clock.now());
    let urls = app.urls.clone();
    let settled = app.db.write(move |conn| {
        Box::pin(async move {
            let reason = match &found {
                Found::Said(_) => "read at its origin",
                Found::PageOf(id) => &format!("it is a page of {id}"),
                Found::Stands => "it stands at its origin",
                Found::Actor => "read",
                Found::Listed(listed) => &format!("read: {} posts", listed.items.len()),
            };
            if !wanted::settle(conn, &wanted, "read", reason, now).await? {
                return Ok(());
            }
            match found {
                Found::Said(arrival) => store::keep_fetched(conn, &ids, &arrival, now).await,
                Found::PageOf(id) => read_instead(conn, &ids, &wanted, id, now).await,
                Found::Stands => store::wake_waiting(conn, &wanted.url, wanted.purpose, now).await,
                Found::Actor => {
                    // Whatever shows their name and picture is made anew.
                    if let Some(actor) = remote::store::by_url(conn, &wanted.url).await? {
                        interaction::store::changed_with(conn, actor.id).await?;
                    }
                    store::wake_waiting(conn, &wanted.url, wanted.purpose, now).await
                }
                Found::Listed(listed) => {
                    for want in missing(conn, &wanted, listed, &urls, now).await? {
                        wanted::ask(conn, &ids, &want, asker(&wanted), now).await?;
                    }
                    Ok(())
                }
            }
        })
    });
    settled.await?;
    Ok(())
}

/// Reads a post at its own id, for whoever waits for the page that led there. It counts as one step more, so that no chain of
/// pages is endless.
async fn read_instead(conn: &mut Conn, ids: &Ids, page: &Wanted, id: String, now: Timestamp) -> sqlx::Result<()> {
    store::wait_instead(conn, &page.url, &id).await?;
    let want = Want { article: page.article, depth: page.depth + 1, ..Want::now(id, Purpose::Post) };
    if !wanted::ask(conn, ids, &want, asker(page), now).await? {
        store::fail_waiting(conn, &want.url, want.purpose, wanted::ENOUGH, now).await?;
    }
    Ok(())
}

/// What a document leads to is asked for on behalf of whoever asked for it.
fn asker(wanted: &Wanted) -> Asker<'_> {
    Asker { inbound: None, domain: &wanted.asked_by }
}

/// What a page lists that is neither ours, nor known, nor asked for already; and the next page.
async fn missing(
    conn: &mut Conn,
    wanted: &Wanted,
    listed: incoming::Gathering,
    urls: &Urls,
    now: Timestamp,
) -> sqlx::Result<Vec<Want>> {
    let mut wants = Vec::new();
    let mut after = Duration::ZERO;
    for url in listed.items {
        if urls.is_ours(&url)
            || interaction::store::post(conn, &url).await?.is_some()
            || wanted::was_asked(conn, &url, now).await?
        {
            continue;
        }
        wants.push(Want { url, purpose: Purpose::Post, article: wanted.article, depth: 1, after });
        after += BETWEEN;
    }
    if let Some(url) = listed.next.filter(|next| same_origin(next, &wanted.url) && wanted.depth < PAGES) {
        let depth = wanted.depth + 1;
        wants.push(Want { url, purpose: Purpose::Collection, article: wanted.article, depth, after });
    }
    Ok(wants)
}

async fn end(app: &App, wanted: Wanted, outcome: &'static str, why: String) -> anyhow::Result<()> {
    let now = app.clock.now();
    app.db.write(move |conn| Box::pin(async move { give_up(conn, &wanted, outcome, &why, now).await })).await?;
    Ok(())
}

async fn give_up(conn: &mut Conn, wanted: &Wanted, outcome: &str, why: &str, now: Timestamp) -> sqlx::Result<()> {
    if !wanted::settle(conn, wanted, outcome, why, now).await? {
        return Ok(());
    }
    // Whoever asked whether it is gone has an answer; whoever needed its words has none.
    if wanted.purpose == Purpose::End {
        store::wake_waiting(conn, &wanted.url, wanted.purpose, now).await
    } else {
        store::fail_waiting(conn, &wanted.url, wanted.purpose, why, now).await
    }
}

/// A server that cannot be reached, or wants to be left alone, costs one attempt, however much of it waits: the rest
/// waits with the one that was tried, and is given up with it.
async fn rest(app: &App, wanted: Wanted, host: Host, why: String) -> anyhow::Result<()> {
    let (now, tries) = (app.clock.now(), wanted.attempts);
    let again = now + policy::wait(FIRST_WAIT, tries, false, app.ids.dice());
    let settled = app.db.write(move |conn| {
        Box::pin(async move {
            if tries < ATTEMPTS {
                wanted::retry(conn, &wanted, again, &why, now).await?;
                return wanted::rest(conn, &host, tries, again, &why).await;
            }
            give_up(conn, &wanted, "failed", &why, now).await?;
            for other in wanted::resting(conn, &host, tries - 1).await? {
                give_up(conn, &other, "failed", &why, now).await?;
            }
            Ok(())
        })
    });
    settled.await?;
    Ok(())
}

async fn put_off(app: &App, wanted: Wanted, why: String) -> anyhow::Result<()> {
    let now = app.clock.now();
    let at = now + policy::wait(FIRST_WAIT, wanted.attempts, false, app.ids.dice());
    app.db.write(move |conn| Box::pin(async move { wanted::retry(conn, &wanted, at, &why, now).await })).await?;
    Ok(())
}

/// The loop, ready to run.
#[must_use]
pub fn worker() -> Arc<Seeker> {
    Arc::new(Seeker)
}
