//! What each activity means, one function each: idempotent, in the transaction that settles it.

mod actors;
mod follows;
mod groups;
mod mentions;
mod origin;
mod place;
mod posts;
mod quotes;
mod reactions;
mod reading;
mod reports;
mod restored;
mod undo;

pub use self::reading::Reading;
use self::reading::Said;
use super::{Inbound, Verdict};
use crate::activitypub::incoming::{Incoming, Kind};
use crate::app::App;
use crate::db::Conn;

/// Handles an activity and returns its verdict. It was parsed before, see [`Reading`].
pub async fn interpret(app: &App, conn: &mut Conn, inbound: &Inbound, reading: Reading) -> sqlx::Result<Verdict> {
    let (incoming, brought) = match reading.0 {
        Ok(Said::Post(post)) => return posts::told(app, conn, inbound, *post).await,
        Ok(Said::Activity(incoming, brought)) => (incoming, brought),
        Err(malformed) => return Ok(Verdict::declined(malformed.to_string())),
    };
    if inbound.signer != inbound.actor {
        return origin::forwarded(app, conn, inbound, &incoming).await;
    }
    match &incoming.kind {
        Kind::Follow => follows::follow(app, conn, inbound, &incoming).await,
        Kind::Block => follows::block(app, conn, inbound, &incoming).await,
        Kind::Undo => undo::undo(app, conn, inbound, &incoming).await,
        Kind::Create | Kind::Update => posts::written(app, conn, inbound, &incoming, brought).await,
        Kind::Delete if object(&incoming) == Some(inbound.actor.as_str()) => actors::gone(app, conn, inbound).await,
        Kind::Delete => posts::deleted(app, conn, inbound, &incoming).await,
        Kind::Announce if incoming.is_wrapped() => groups::passed_on(app, conn, inbound, &incoming).await,
        Kind::Announce | Kind::Like | Kind::Dislike | Kind::EmojiReact => {
            reactions::given(app, conn, inbound, &incoming).await
        }
        Kind::QuoteRequest => quotes::requested(app, conn, inbound, &incoming, brought).await,
        Kind::Flag => reports::flagged(app, conn, inbound, &incoming, brought).await,
        Kind::Move => actors::moved(app, conn, inbound, &incoming).await,
        Kind::Add | Kind::Remove => Ok(Verdict::ignored("what others pin or list is not shown here")),
        Kind::Accept | Kind::Reject => Ok(Verdict::declined("it answers nothing that we asked for")),
        Kind::Other(kind) => Ok(Verdict::new(
            super::Outcome::Deferred,
            format!("{kind} is not understood yet; kept for a later version"),
        )),
    }
}

fn object(incoming: &Incoming) -> Option<&str> {
    incoming.object.as_ref()?.id.as_deref()
}
