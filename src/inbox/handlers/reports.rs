//! Flag: a report, for the operator alone (interop E15).

use std::collections::HashSet;

use super::super::{Inbound, Verdict};
use super::reading::{Brought, written};
use crate::activitypub::incoming::Incoming;
use crate::app::App;
use crate::db::Conn;
use crate::model::interaction::named::named;
use crate::moderation::store::{NewReport, file_report};

/// Most addresses of one report that are looked at and kept; ours come first.
const KEPT: usize = 100;

/// The longest address that is kept, in bytes.
const LONGEST: usize = 2048;

pub(super) async fn flagged(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
    brought: Brought,
) -> sqlx::Result<Verdict> {
    let comment = if let Brought::Comment(comment) = brought { comment } else { String::new() };
    let is_ours = |url: &String| app.urls.local(url).is_some();
    // Misskey writes the addresses of posts into the text alone.
    let written = addresses(written(incoming)).filter(is_ours);
    let mut seen = HashSet::new();
    let all: Vec<_> = incoming.all_objects().chain(written).filter(|url| seen.insert(url.clone())).collect();
    let (ours, others): (Vec<_>, Vec<_>) =
        all.into_iter().filter(|url| url.len() <= LONGEST).partition(|url| is_ours(url));
    let mut concerns_us = !ours.is_empty();
    let objects: Vec<String> = ours.into_iter().chain(others).take(KEPT).collect();
    for url in &objects {
        concerns_us = concerns_us || named(conn, &app.urls, url).await?.is_some();
    }
    if !concerns_us {
        return Ok(Verdict::declined("it reports nothing of ours, and nothing that was said of it"));
    }
    let more = i64::try_from(seen.len() - objects.len()).unwrap_or(i64::MAX);
    let report =
        NewReport { inbound: inbound.id, reporter: &inbound.actor, objects: &objects, more, comment: &comment };
    file_report(conn, &app.ids, &report, app.clock.now()).await?;
    Ok(Verdict::accepted("a report; `veerpont report list` shows it"))
}

fn addresses(text: &str) -> impl Iterator<Item = String> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\'');
    text.split(ends).filter(|word| word.starts_with("https://") || word.starts_with("http://")).map(str::to_owned)
}
