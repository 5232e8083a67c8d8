//! Requests that are rejected: what they are answered, and how they are counted.

use std::time::Duration;

use http::StatusCode;

use super::{foreign_host, store};
use crate::app::App;
use crate::base::figures;

/// Why a request is rejected: an answer, a label to count by, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) status: StatusCode,
    /// One of a bounded set.
    pub(crate) label: &'static str,
    /// For the sender's admin.
    pub(crate) why: String,
    /// The host that it claims to be from, not verified.
    pub(crate) host: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

/// Counts and logs a rejected request.
pub(crate) async fn refuse(app: &App, rejected: &Rejected) {
    let host = rejected.host.as_deref();
    // The log does not grow with each request of a flood.
    if rejected.status != StatusCode::TOO_MANY_REQUESTS {
        tracing::info!(
            status = rejected.status.as_u16(),
            reason = rejected.label,
            host = host.unwrap_or("-"),
            "turned a request away: {}",
            rejected.why
        );
    }
    count(app, host, rejected.label).await;
}

/// Writes the counts that were not written yet.
pub async fn write_waiting_counts(app: &App) {
    write_counts(app, app.throttles.refused.take()).await;
    foreign_host::write_waiting(app).await;
}

/// In place of a host that is not known.
const UNKNOWN: &str = "(unknown)";

/// When to come back while there is no room on the disk.
const FULL_FOR: Duration = Duration::from_mins(10);

/// Rejects everything while the disk is nearly full: what is answered 202 must be kept, and so must our own activities.
///
/// # Errors
/// When it is.
pub(crate) fn refuse_when_full(app: &App) -> Result<(), Rejected> {
    if !app.is_full() {
        return Ok(());
    }
    let full = rejected(
        StatusCode::SERVICE_UNAVAILABLE,
        "disk-full",
        "there is no room to keep anything just now; come back later",
    );
    Err(Rejected { retry_after: Some(FULL_FOR), ..full })
}

/// A request that comes too soon after others.
pub(crate) fn too_many(wait: Duration, label: &'static str, why: String) -> Rejected {
    Rejected { retry_after: Some(wait), ..rejected(StatusCode::TOO_MANY_REQUESTS, label, why) }
}

/// Counts in memory; the counts are written together, so that a request that is not verified costs no write.
pub(super) async fn count(app: &App, host: Option<&str>, label: &'static str) {
    figures::rejected(label);
    let counts = app.throttles.refused.add(host.unwrap_or(UNKNOWN), label, app.clock.now());
    write_counts(app, counts).await;
}

async fn write_counts(app: &App, counts: Vec<(String, &'static str, i64)>) {
    if counts.is_empty() {
        return;
    }
    let day = app.clock.now().date_time().format("%Y-%m-%d").to_string();
    let counted = app.db.write(move |conn| {
        Box::pin(async move {
            for (host, label, times) in &counts {
                let host: String = host.chars().take(255).collect();
                store::count_refusal(conn, &day, &host, label, *times).await?;
            }
            Ok::<_, sqlx::Error>(())
        })
    });
    let counted = counted.await;
    if let Err(error) = counted {
        tracing::error!(%error, "cannot count a refusal");
    }
}

pub(crate) fn rejected(status: StatusCode, label: &'static str, why: impl Into<String>) -> Rejected {
    Rejected { status, label, why: why.into(), host: None, retry_after: None }
}

#[expect(clippy::needless_pass_by_value, reason = "it is the end of the error")]
pub(super) fn ours(error: sqlx::Error) -> Rejected {
    tracing::error!(%error, "cannot receive");
    rejected(StatusCode::SERVICE_UNAVAILABLE, "our-failure", "we cannot store anything just now")
}
