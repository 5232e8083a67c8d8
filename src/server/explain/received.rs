//! What others said: how it came, and what became of it.

use clock::Timestamp;

use super::{Event, MOST, sent};
use crate::app::App;
use crate::db::Conn;
use crate::inbox::store::{Earlier, Kept, fetch_queue};
use crate::inbox::{self, FETCHED};
use crate::model::interaction::store::history;
use crate::model::interaction::{self, Answers, Kind, Reply, State};
use crate::model::post;

/// Everything that came with this id or about it, and what was read at its origin.
pub(super) async fn of_id(app: &App, conn: &mut Conn, id: &str) -> sqlx::Result<Vec<Event>> {
    let mut events = Vec::new();
    for kept in inbox::store::about(conn, id, MOST).await? {
        events.extend(received(app, conn, &kept).await?);
    }
    for line in fetch_queue::because_of(conn, id, None).await? {
        events.push(sought(&line));
    }
    events.dedup();
    Ok(events)
}

async fn received(app: &App, conn: &mut Conn, kept: &Kept) -> sqlx::Result<Vec<Event>> {
    let mut came = if kept.path == FETCHED {
        Event::new(kept.received, format!("{} of {} was read at its origin", kept.kind, kept.actor))
    } else {
        Event::new(kept.received, format!("{} of {} came to {}", kept.kind, kept.actor, kept.path))
    };
    came = came.with(format!("id {}", kept.id));
    if let Some(object) = &kept.object {
        came = came.with(format!("about {object}"));
    }
    came = match (&kept.key, &kept.scheme) {
        (Some(key), Some(scheme)) => came.with(format!("signed by {} with {key} ({scheme})", kept.signer)),
        _ if kept.path == FETCHED => came.with("proved by the server that serves it"),
        _ => came.with(format!("signed by {}", kept.signer)),
    };
    if kept.times > 1 {
        came = came.with(format!("it came {} times", kept.times));
    }
    let mut events: Vec<Event> = kept.earlier.iter().map(before).collect();
    let reason = kept.reason.as_deref().unwrap_or("not looked at yet");
    let mut verdict = Event::new(kept.settled.unwrap_or(kept.received), format!("{}: {reason}", kept.verdict));
    verdict.details.clone_from(&kept.steps);
    if let Some(waits_for) = kept.waits_for.as_ref().filter(|_| kept.verdict == "deferred") {
        verdict = verdict.with(format!("waits for {waits_for}"));
    }
    events.insert(0, came);
    events.push(verdict);
    for line in fetch_queue::because_of(conn, "", Some(kept.row)).await? {
        events.push(sought(&line));
    }
    events.extend(sent::because_of(app, conn, kept.row).await?);
    Ok(events)
}

/// What became of it when it had come before.
fn before(earlier: &Earlier) -> Event {
    Event::new(earlier.settled, format!("{}: {}", earlier.verdict, earlier.reason)).with("it came again after this")
}

fn sought(line: &fetch_queue::Line) -> Event {
    let what = match line.purpose.as_str() {
        "end" => format!("asked {} whether it is gone", line.url),
        "collection" => format!("asked {} for more of the conversation", line.url),
        _ => format!("asked for {}", line.url),
    };
    let reason = line.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let times = if line.attempts < 2 { String::new() } else { format!(" after {} attempts", line.attempts) };
    let event = Event::new(line.settled.unwrap_or(line.asked), what).with(format!("{}{times}{reason}", line.outcome));
    match &line.because {
        Some(because) => event.with(format!("because of {because}")),
        None => event,
    }
}

/// A post of a conversation as it stands now, and how it came to stand so.
pub(super) async fn of_post(app: &App, conn: &mut Conn, said: &Reply) -> sqlx::Result<Vec<Event>> {
    let article = post::store::article(conn, said.article).await?;
    let title = article.as_ref().map(|article| article.content.title.as_str()).unwrap_or_default();
    let history = history(conn, said.id).await?;
    let mut began =
        Event::new(history.kept, format!("kept as a {} in the conversation of “{title}”", said.kind.as_str()));
    if let Some(article) = &article {
        began = began.with(format!("the article is {}", app.urls.article(article.uuid)));
    }
    if let Some(parent) = &history.parent {
        began = began.with(format!("it answers {parent}"));
    }
    let mut events = vec![began];
    for (as_of, words) in interaction::store::post_versions(conn, said.id).await?.iter().skip(1) {
        let text: String = html::text(&words.content).chars().take(80).collect();
        events.push(Event::new(*as_of, "its author gave it new words").with(text));
    }
    let (at, state) = match said.state {
        State::Shown if said.kind == Kind::Notice => {
            (last(&events), "it is private: kept for its author, shown to nobody".to_owned())
        }
        State::Shown => (last(&events), "it is shown".to_owned()),
        State::Held => (history.held.unwrap_or(history.kept), "it is held for a moderator".to_owned()),
        State::Hidden => (history.hidden.unwrap_or(history.kept), "a moderator hid it".to_owned()),
        State::Blocked => (last(&events), "a block hides it".to_owned()),
        State::Deleted => (said.ended_at.unwrap_or(history.kept), "it was deleted, and its words forgotten".to_owned()),
    };
    let why = history.why.map(|why| format!(": {why}")).unwrap_or_default();
    let mut stands = Event::new(at, format!("{state}{why}"));
    let answers = interaction::store::answers_below(conn, said.id).await?;
    if answers != Answers::default() {
        stands = stands.with(sent::counted(&answers));
    }
    events.push(stands);
    events.extend(sent::about_said(app, conn, said.id).await?);
    Ok(events)
}

fn last(events: &[Event]) -> Timestamp {
    events.iter().map(|event| event.at).max().unwrap_or(Timestamp::from_millis(0))
}
