//! Names as people type them and as we print them: of our actors, of people elsewhere, and addresses of pages.

use anyhow::{Context, bail};

use crate::app::App;
use crate::base::ids::{Handle, Host, split_handle};
use crate::federation::remote;
use crate::model::author::{self, Actor};

/// A handle of one of ours: `ann`, `@ann`, `@ann@example.org`, with or without the `acct:` of WebFinger.
///
/// # Errors
/// When it is no handle, or one of another server.
pub(super) fn handle(app: &App, text: &str) -> anyhow::Result<Handle> {
    let bare = text.trim();
    let (name, domain) = split_handle(bare.strip_prefix("acct:").unwrap_or(bare));
    let Some(domain) = domain else { return Ok(Handle::parse(name)?) };
    let ours = app.urls.hosts();
    let is_ours = ours.iter().any(|host| host.as_str().eq_ignore_ascii_case(domain.trim_end_matches('.')));
    if !is_ours {
        bail!("`{text}` is somebody of {domain}, not of ours, who are @name@{}", app.urls.handle_domain());
    }
    Ok(Handle::parse(name)?)
}

/// One of our actors by handle, the deleted ones too.
///
/// # Errors
/// When there is none of that name.
pub(super) async fn actor(app: &App, text: &str) -> anyhow::Result<Actor> {
    let handle = handle(app, text)?;
    let mut conn = app.db.read().await?;
    author::store::actor_by_handle(&mut conn, &handle)
        .await?
        .with_context(|| format!("there is no @{handle} here; `veerpont author list` shows who is"))
}

/// One of our actors as every list spells them.
pub(super) fn ours(app: &App, handle: &str) -> String {
    format!("@{handle}@{}", app.urls.handle_domain())
}

/// Somebody elsewhere as every list spells them: what they are called, at the host of their id.
pub(super) fn theirs(username: &str, id: &str) -> String {
    let host = Host::named_in(id).map(|host| host.to_string()).unwrap_or_default();
    format!("@{username}@{host}")
}

/// Somebody elsewhere by their id, or by a handle as it is known here: gives their id.
///
/// # Errors
/// When nobody, or several, are known by it.
pub(super) async fn stranger(app: &App, text: &str) -> anyhow::Result<String> {
    let text = text.trim();
    let mut conn = app.db.read().await?;
    if text.contains("://") {
        for spelling in spellings(text) {
            if remote::store::by_url(&mut conn, &spelling).await?.is_some() {
                return Ok(spelling);
            }
        }
        return Ok(text.to_owned());
    }
    let found = remote::store::by_handle(&mut conn, text).await?;
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!("nobody is known here as `{text}`; write their id, as https://example.org/users/ann"),
        _ => bail!("several are known as `{text}`; name one by id: {}", found.join(", ")),
    }
}

/// An address as it is written, and with or without the slash at its end.
pub(super) fn spellings(address: &str) -> [String; 2] {
    let other = address.strip_suffix('/').map_or_else(|| format!("{address}/"), str::to_owned);
    [address.to_owned(), other]
}
