//! What we said: of an article, or because of somebody's activity; to whom, with which answer.

use uuid::Uuid;

use super::Event;
use crate::app::App;
use crate::base::ids::{InboundId, InteractionId};
use crate::db::Conn;
use crate::federation::delivery;
use crate::federation::outbox::store::{SentActivity, Subject, told};
use crate::model::author;
use crate::model::interaction::{self, Answers};
use crate::model::post::{self, Article};

/// Most deliveries told of one activity.
const DELIVERIES: i64 = 25;

pub(super) async fn of_article(app: &App, conn: &mut Conn, article: &Article) -> sqlx::Result<Vec<Event>> {
    let owner = author::store::actor(conn, article.owner).await?.map(|owner| owner.handle.to_string());
    let mut minted = Event::new(article.created_at, format!("became an article of @{}", owner.unwrap_or_default()))
        .with(format!("its page is {}", article.url));
    if let Some(post) = post::store::post(conn, article.post_id).await? {
        minted = minted.with(format!("the post {} is {}", post.key, post.state.as_str()));
    }
    if !article.pushed {
        minted = minted.with("it is listed in the outbox, and was sent to nobody");
    }
    let answers = interaction::store::answers(conn, article.id).await?;
    minted = minted.with(counted(&answers));
    let mut events = vec![minted];
    for activity in told(conn, Subject::Article(article.id)).await? {
        events.push(sent(app, conn, &activity).await?);
    }
    if let Some(at) = article.deleted_at {
        events.push(Event::new(at, "was taken down for ever"));
    }
    Ok(events)
}

/// How often something was answered, in words.
pub(super) fn counted(answers: &Answers) -> String {
    let Answers { replies, quotes, likes, boosts } = answers;
    format!("shown below it: replies {replies}, quotes {quotes}, likes {likes}, boosts {boosts}")
}

pub(super) async fn of_activity(app: &App, conn: &mut Conn, uuid: Uuid) -> sqlx::Result<Vec<Event>> {
    all_of(app, conn, Subject::Activity(uuid)).await
}

/// What we answered to somebody's activity.
pub(super) async fn because_of(app: &App, conn: &mut Conn, inbound: InboundId) -> sqlx::Result<Vec<Event>> {
    all_of(app, conn, Subject::Because(inbound)).await
}

/// What we said about a note of ours.
pub(super) async fn about_said(app: &App, conn: &mut Conn, said: InteractionId) -> sqlx::Result<Vec<Event>> {
    all_of(app, conn, Subject::Said(said)).await
}

async fn all_of(app: &App, conn: &mut Conn, subject: Subject) -> sqlx::Result<Vec<Event>> {
    let mut events = Vec::new();
    for activity in told(conn, subject).await? {
        events.push(sent(app, conn, &activity).await?);
    }
    Ok(events)
}

async fn sent(app: &App, conn: &mut Conn, activity: &SentActivity) -> sqlx::Result<Event> {
    let actor = author::store::actor(conn, activity.actor).await?;
    let handle = actor.map(|actor| actor.handle.to_string()).unwrap_or_default();
    let mut event = Event::new(activity.at, format!("@{handle} said {}", activity.kind))
        .with(format!("id {}", app.urls.activity(activity.uuid)));
    if !activity.fanned_out {
        event = event.with("it is still being queued");
    }
    let count = delivery::store::count_of(conn, activity.id).await?;
    if count == 0 && activity.fanned_out {
        event = event.with(format!("to {}: sent to nobody", activity.audience));
    }
    let mut lines = delivery::store::ledger_of(conn, activity.id, DELIVERIES).await?;
    // What failed or waits first, then by the address.
    lines.sort_by(|one, other| (one.state == "delivered", &one.inbox).cmp(&(other.state == "delivered", &other.inbox)));
    for line in lines {
        let answer = match (line.answer, line.last()) {
            (Some(_), Some(last)) => format!(", answered {last}"),
            (None, Some(error)) => format!(", {error}"),
            (_, None) => String::new(),
        };
        let next = line.next_attempt.map(|at| format!(", again at {at}")).unwrap_or_default();
        let times = if line.attempts < 2 { String::new() } else { format!(" after {} attempts", line.attempts) };
        event = event.with(format!("{} to {}{times}{answer}{next}", line.state, line.inbox));
    }
    if count > DELIVERIES {
        event = event.with(format!("and {} more", count - DELIVERIES));
    }
    Ok(event)
}
