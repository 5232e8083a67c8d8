//! Flag: a report, for the operator alone (interop E15).

use serde_json::Value;

use super::super::{Inbound, Verdict};
use crate::activity::incoming::Incoming;
use crate::app::App;
use crate::db::Conn;
use crate::html;
use crate::interaction::named::named;
use crate::moderation::store::{NewReport, file_report};

/// Longest comment kept, in characters (interop E15).
const COMMENT_MAX: usize = 5000;

pub(super) async fn flagged(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    incoming: &Incoming,
) -> sqlx::Result<Verdict> {
    let text = |key: &str| incoming.raw.get(key).and_then(Value::as_str);
    let comment = text("content").or_else(|| text("summary")).unwrap_or_default();
    let mut objects = incoming.objects();
    // Misskey writes the addresses of posts into the text alone.
    objects.extend(addresses(comment).filter(|url| app.urls.local(url).is_some()));
    objects.dedup();
    let mut concerns_us = false;
    for url in &objects {
        concerns_us = concerns_us || app.urls.local(url).is_some() || named(conn, &app.urls, url).await?.is_some();
    }
    if !concerns_us {
        return Ok(Verdict::declined("it reports nothing of ours, and nothing that was said of it"));
    }
    let comment: String = html::text(comment).chars().take(COMMENT_MAX).collect();
    let report = NewReport { inbound: inbound.id, reporter: &inbound.actor, objects: &objects, comment: &comment };
    file_report(conn, &app.ids, &report, app.clock.now()).await?;
    Ok(Verdict::accepted("a report; `veerpont report list` shows it"))
}

fn addresses(text: &str) -> impl Iterator<Item = String> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\'');
    text.split(ends).filter(|word| word.starts_with("https://") || word.starts_with("http://")).map(str::to_owned)
}
