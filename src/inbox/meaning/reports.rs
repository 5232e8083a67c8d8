//! Flag: a report, for the operator alone (interop E15).

use super::super::{Inbound, Verdict};
use super::reading::{Brought, written};
use crate::activity::incoming::Incoming;
use crate::app::App;
use crate::db::Conn;
use crate::interaction::named::named;
use crate::moderation::store::{NewReport, file_report};

pub(super) async fn flagged(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
    brought: Brought,
) -> sqlx::Result<Verdict> {
    let comment = if let Brought::Comment(comment) = brought { comment } else { String::new() };
    let mut objects = incoming.objects();
    // Misskey writes the addresses of posts into the text alone.
    objects.extend(addresses(written(incoming)).filter(|url| app.urls.local(url).is_some()));
    objects.dedup();
    let mut concerns_us = false;
    for url in &objects {
        concerns_us = concerns_us || app.urls.local(url).is_some() || named(conn, &app.urls, url).await?.is_some();
    }
    if !concerns_us {
        return Ok(Verdict::declined("it reports nothing of ours, and nothing that was said of it"));
    }
    let report = NewReport { inbound: inbound.id, reporter: &inbound.actor, objects: &objects, comment: &comment };
    file_report(conn, &app.ids, &report, app.clock.now()).await?;
    Ok(Verdict::accepted("a report; `veerpont report list` shows it"))
}

fn addresses(text: &str) -> impl Iterator<Item = String> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\'');
    text.split(ends).filter(|word| word.starts_with("https://") || word.starts_with("http://")).map(str::to_owned)
}
