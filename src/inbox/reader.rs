//! Who fetches our documents with a signature: checked where that is required, and remembered, so that a Delete reaches
//! whoever holds a copy (docs/architecture.md#publishing).

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, Method};

use super::block_check::reject_blocked_key;
use super::receive::{claim, proven, source_name};
use super::rejection::{Rejected, ours};
use crate::app::App;
use crate::base::ids::{ArticleId, Host};
use crate::federation::delivery;
use crate::federation::remote::Remote;
use crate::moderation::compiled;
use crate::net::signature::Received;

/// A signed GET or HEAD.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) method: Method,
    /// As sent.
    pub(crate) path_and_query: String,
    /// As sent, with `host` set where HTTP/2 has only an authority.
    pub(crate) headers: HeaderMap,
    /// The client's address, where it is known.
    pub(crate) from: Option<IpAddr>,
}

/// Who signed.
///
/// # Errors
/// When nobody did, or the signature is not valid. It is not counted here.
pub(crate) async fn prove(app: &App, reading: &Reading) -> Result<Remote, Rejected> {
    let Reading { method, path_and_query, headers, from } = reading;
    let claim = claim(app, &Received { method, path_and_query, headers, body: &[] })?;
    let host = Host::named_in(claim.key_id()).map(|host| host.to_string());
    let blocks = compiled::recent(app).await.map_err(ours)?;
    reject_blocked_key(&blocks, claim.key_id()).map_err(|rejected| Rejected { host: host.clone(), ..rejected })?;
    match proven(app, &claim, from.map(source_name).as_deref()).await {
        Ok(key) => Ok(key.owner),
        Err(unproven) => Err(Rejected { host, ..unproven.into() }),
    }
}

/// Rejects a request that names a key of a blocked server. The name is not verified: who lies harms themselves alone.
///
/// # Errors
/// When it does, or our database fails. It is not counted here.
pub(crate) async fn admit(app: &App, reading: &Reading) -> Result<(), Rejected> {
    let Reading { method, path_and_query, headers, .. } = reading;
    // What is no good signature names nobody.
    let Ok(claim) = claim(app, &Received { method, path_and_query, headers, body: &[] }) else { return Ok(()) };
    let host = Host::named_in(claim.key_id()).map(|host| host.to_string());
    let blocks = compiled::recent(app).await.map_err(ours)?;
    reject_blocked_key(&blocks, claim.key_id()).map_err(|rejected| Rejected { host, ..rejected })
}

/// Notes, after the answer, that somebody has a copy of an article.
pub(crate) fn remember(app: &App, article: ArticleId, reader: Remote) {
    let later = app.clone();
    app.afterwards.spawn(async move { note(&later, article, &reader).await });
}

/// As [`remember`], but verifies the signature first: within the budget of fetches for strangers (interop G8).
pub(crate) fn prove_and_remember(app: &App, article: ArticleId, reading: Reading) {
    let Ok(permit) = Arc::clone(&app.readers).try_acquire_owned() else {
        return tracing::warn!("more signed readers at a time than are remembered");
    };
    let later = app.clone();
    app.afterwards.spawn(async move {
        let _under_way = permit;
        match prove(&later, &reading).await {
            Ok(reader) => note(&later, article, &reader).await,
            Err(rejected) => {
                tracing::debug!(reason = rejected.label, "a signed reader is not remembered: {}", rejected.why);
            }
        }
    });
}

async fn note(app: &App, article: ArticleId, reader: &Remote) {
    let (inbox, now) = (reader.shared_inbox.unwrap_or(reader.inbox), app.clock.now());
    let noted = async {
        {
            let mut conn = app.db.read().await?;
            if delivery::store::has_copy(&mut conn, article, inbox).await? {
                return Ok(());
            }
        }
        app.db
            .write(move |conn| Box::pin(async move { delivery::store::note_copy(conn, article, inbox, now).await }))
            .await
    };
    if let Err::<(), sqlx::Error>(error) = noted.await {
        tracing::error!(%error, reader = reader.url, "cannot remember who fetched an article");
    }
}
