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
mod relations;
mod reports;
mod restored;
mod undo;

pub use self::reading::Reading;
use self::reading::Said;
use super::{Inbound, Verdict};
use crate::activitypub::incoming::{Incoming, Kind};
use crate::app::App;
use crate::db::Conn;
use crate::federation::remote;
use crate::model::interaction::CleanPost;

/// Handles an activity and returns its verdict. It was parsed before, see [`Reading`].
pub async fn interpret(app: &App, conn: &mut Conn, inbound: &Inbound, reading: Reading) -> sqlx::Result<Verdict> {
    let mut heard = [(inbound.clone(), reading)];
    one(interpret_all(app, conn, &mut heard).await?)
}

fn one(verdicts: Vec<Verdict>) -> sqlx::Result<Verdict> {
    verdicts.into_iter().next().ok_or_else(|| sqlx::Error::Protocol("an activity has no verdict".to_owned()))
}

/// Handles activities of different actors, and returns the verdict of each: reactions and follows together, all else one by
/// one.
pub(crate) async fn interpret_all(
    app: &App,
    conn: &mut Conn,
    heard: &mut [(Inbound, Reading)],
) -> sqlx::Result<Vec<Verdict>> {
    let actors: Vec<&str> = heard.iter().map(|(inbound, _)| inbound.actor.as_str()).collect();
    let authors = remote::store::by_urls(conn, &actors).await?;
    for (inbound, _) in heard.iter_mut() {
        inbound.author = authors.get(&inbound.actor).cloned();
    }
    let mut verdicts: Vec<Option<Verdict>> = Vec::with_capacity(heard.len());
    for one in heard.iter() {
        verdicts.push(match with_others(one) {
            Some(_) => None,
            None => Some(alone(app, conn, &one.0, &one.1).await?),
        });
    }
    // Last, since they lock what many want: the count of an article's changes, and the number of our next activity.
    let of = |together| heard.iter().filter_map(move |one| with_others(one).filter(|(how, ..)| *how == together));
    let plain = |(_, inbound, incoming)| (inbound, incoming);
    let reactions: Vec<(&Inbound, &Incoming)> = of(Together::Reactions).map(plain).collect();
    let follows: Vec<(&Inbound, &Incoming)> = of(Together::Follows).map(plain).collect();
    let mut given = reactions::given(app, conn, &reactions).await?.into_iter();
    let mut followed = follows::follow(app, conn, &follows).await?.into_iter();
    let together = |one| match with_others(one)?.0 {
        Together::Reactions => given.next(),
        Together::Follows => followed.next(),
    };
    Ok(heard.iter().map(together).zip(verdicts).filter_map(|(together, alone)| alone.or(together)).collect())
}

/// What is handled together with others of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Together {
    /// An opinion or a boost.
    Reactions,
    Follows,
}

/// Whether an activity, by its own actor, is handled together with others.
fn with_others((inbound, reading): &(Inbound, Reading)) -> Option<(Together, &Inbound, &Incoming)> {
    let Ok(Said::Activity(incoming, _)) = &*reading.0 else { return None };
    let together = match incoming.kind {
        Kind::Announce if incoming.is_wrapped() => return None,
        Kind::Announce | Kind::Like | Kind::Dislike | Kind::EmojiReact => Together::Reactions,
        Kind::Follow => Together::Follows,
        _ => return None,
    };
    (inbound.signer == inbound.actor).then_some((together, inbound, incoming))
}

async fn alone(app: &App, conn: &mut Conn, inbound: &Inbound, reading: &Reading) -> sqlx::Result<Verdict> {
    let (incoming, brought) = match &*reading.0 {
        Ok(Said::Post(post)) => return posts::told(app, conn, inbound, CleanPost::clone(post)).await,
        Ok(Said::Activity(incoming, brought)) => (incoming, brought),
        Err(malformed) => return Ok(Verdict::declined(malformed.to_string())),
    };
    if inbound.signer != inbound.actor {
        return origin::forwarded(app, conn, inbound, incoming).await;
    }
    match &incoming.kind {
        Kind::Follow => one(follows::follow(app, conn, &[(inbound, incoming)]).await?),
        Kind::Block => follows::block(app, conn, inbound, incoming).await,
        Kind::Undo => undo::undo(app, conn, inbound, incoming).await,
        Kind::Create | Kind::Update => posts::written(app, conn, inbound, incoming, brought.clone()).await,
        Kind::Delete if object(incoming) == Some(inbound.actor.as_str()) => actors::gone(app, conn, inbound).await,
        Kind::Delete => posts::deleted(app, conn, inbound, incoming).await,
        Kind::Announce if incoming.is_wrapped() => groups::passed_on(app, conn, inbound, incoming).await,
        Kind::Announce | Kind::Like | Kind::Dislike | Kind::EmojiReact => {
            one(reactions::given(app, conn, &[(inbound, incoming)]).await?)
        }
        Kind::QuoteRequest => quotes::requested(app, conn, inbound, incoming, brought.clone()).await,
        Kind::Flag => reports::flagged(app, conn, inbound, incoming, brought.clone()).await,
        Kind::Move => actors::moved(app, conn, inbound, incoming).await,
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
