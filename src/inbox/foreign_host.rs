//! Requests whose signature is for one of our names while their Host header is another: most often a proxy of ours does
//! not pass Host on, and then every activity is rejected while our pages look right. So the operator is told what came,
//! and the line to add.

use http::HeaderMap;
use http::header::HOST;

use super::store;
use crate::app::App;

/// Most characters of a Host that are kept.
const LENGTH: usize = 255;

/// How to fix it, in the configuration of the usual web servers.
pub(crate) fn remedy(host: &str) -> String {
    format!(
        "if a web server stands before this one, let it pass Host on (nginx: `proxy_set_header Host $host;`, Apache: `ProxyPreserveHost On`), or set proxy_hosts = [\"{host}\"] under [server]"
    )
}

/// Notes the Host header of a request that was signed for another host.
pub(super) async fn note(app: &App, headers: &HeaderMap) {
    let Some(host) = headers.get(HOST) else { return };
    let host: String = String::from_utf8_lossy(host.as_bytes())
        .chars()
        .filter(|c| c.is_ascii_graphic() && *c != '"')
        .take(LENGTH)
        .collect();
    let counts = app.throttles.foreign_hosts.add(&host, "", app.clock.now());
    if let Some((host, ..)) = counts.first() {
        // At most one line a second, whatever is sent.
        tracing::warn!(
            host,
            origin = app.urls.origin(),
            "a signed request came with a Host that is not ours: {}",
            remedy(host)
        );
    }
    write(app, counts).await;
}

/// Writes the counts that were not written yet.
pub(super) async fn write_waiting(app: &App) {
    write(app, app.throttles.foreign_hosts.take()).await;
}

async fn write(app: &App, counts: Vec<(String, &'static str, i64)>) {
    if counts.is_empty() {
        return;
    }
    let now = app.clock.now();
    let written = app.db.write(move |conn| {
        Box::pin(async move {
            for (host, _, times) in &counts {
                store::count_foreign_host(conn, host, *times, now).await?;
            }
            store::forget_foreign_hosts(conn).await
        })
    });
    if let Err(error) = written.await {
        tracing::error!(%error, "cannot count a request for another host");
    }
}
