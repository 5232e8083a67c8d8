//! Likes, reactions, dislikes and boosts of what is ours, and their taking back (interop E12, E13, E14).

use super::super::{Inbound, Verdict, store};
use super::object;
use crate::activity::incoming::{Incoming, Kind as Said, Reference};
use crate::app::App;
use crate::db::Conn;
use crate::delivery;
use crate::ids::InteractionId;
use crate::interaction::named::Named;
use crate::interaction::store::{NewOpinion, end_opinion, put_opinion};
use crate::interaction::{self, Author, Kind, State, Target};
use crate::moderation;
use crate::post;
use crate::remote::{self, Remote};

/// Longest reaction kept, in characters: an emoji of several parts, and a `:shortcode:`.
const EMOJI_MAX: usize = 12;
const SHORTCODE_MAX: usize = 64;

/// Which opinion an activity of this name gives. A reaction is a like with a sign of its own (FEP-c0e0).
pub(super) fn named(said: &str) -> Option<Kind> {
    match said {
        "Like" | "EmojiReact" => Some(Kind::Like),
        "Dislike" => Some(Kind::Dislike),
        "Announce" => Some(Kind::Boost),
        _ => None,
    }
}

/// What an address names of ours, taken down or not: an article, or an answer of an author's.
pub(super) async fn of_ours(app: &App, conn: &mut Conn, url: Option<&str>) -> sqlx::Result<Option<(Target, State)>> {
    let Some(url) = url else { return Ok(None) };
    Ok(match interaction::named::named(conn, &app.urls, url).await? {
        Some(Named::Article(article)) => Some((Target { article: article.id, said: None }, State::Shown)),
        Some(Named::Said(note)) if matches!(note.author, Author::Ours(_)) => {
            Some((Target { article: note.article, said: Some(note.id) }, note.state))
        }
        _ => None,
    })
}

/// Something of ours that stands, by address, and what people call it.
async fn target(app: &App, conn: &mut Conn, url: Option<&str>) -> sqlx::Result<Result<(Target, String), Verdict>> {
    let Some((target, state)) = of_ours(app, conn, url).await? else {
        return Ok(Err(Verdict::declined("it is about nothing of ours")));
    };
    if state != State::Shown {
        return Ok(Err(Verdict::declined("it is about an answer that was taken back")));
    }
    let said = target.said;
    Ok(match post::store::article(conn, target.article).await? {
        Some(article) if article.stands(app.clock.now()) => {
            let title = article.content.title;
            Ok((target, if said.is_some() { format!("an answer below “{title}”") } else { format!("“{title}”") }))
        }
        _ => Err(Verdict::declined("it is about an article that was taken down")),
    })
}

pub(super) async fn given(app: &App, conn: &mut Conn, inbound: &Inbound, incoming: &Incoming) -> sqlx::Result<Verdict> {
    let Some(kind) = named(incoming.kind.as_str()) else {
        return Ok(Verdict::ignored("it is no opinion"));
    };
    let (target, title) = match target(app, conn, object(incoming)).await? {
        Ok(target) => target,
        // A community that takes part passes posts of our conversations on by their ids.
        Err(_) if incoming.kind == Said::Announce => return super::groups::boosted(app, conn, inbound, incoming).await,
        Err(verdict) => return Ok(verdict),
    };
    let Some(remote) = remote::store::by_url(conn, &inbound.actor).await? else {
        return Ok(Verdict::declined("its actor is gone"));
    };
    let undone_by = store::undone_by(conn, &inbound.actor, &inbound.activity_id).await?;
    if !undone_by.is_empty() {
        for undo in undone_by {
            interaction::store::restore_opinions(conn, undo).await?;
        }
        return Ok(Verdict::ignored("it was undone before"));
    }
    if let Some(article) = post::store::article(conn, target.article).await?
        && let Some(why) = moderation::refuses(app, conn, &article, &remote).await?
    {
        return Ok(Verdict::declined(why));
    }
    let reaction = reaction(incoming);
    let opinion = NewOpinion {
        id: InteractionId(app.ids.row()),
        target,
        author: remote.id,
        kind,
        activity_id: &inbound.activity_id,
        reaction: reaction.as_deref(),
    };
    put_opinion(conn, &opinion, app.clock.now()).await?;
    delivery::store::reach(conn, target.article, remote.nearest_inbox()).await?;
    let verdict = Verdict::accepted(format!("a {} of {title}", kind.as_str()));
    Ok(match reaction {
        Some(sign) => verdict.step(format!("its sign is {sign}")),
        None => verdict,
    })
}

/// The sign of a reaction: an emoji, or the `:shortcode:` of one. Words are none: no moderator sees them (E13, FEP-c0e0).
fn reaction(incoming: &Incoming) -> Option<String> {
    let text = ["content", "_misskey_reaction"].iter().find_map(|key| incoming.raw.get(*key)?.as_str())?.trim();
    let is_shortcode = text.len() > 2 && text.len() <= SHORTCODE_MAX && text.starts_with(':') && text.ends_with(':');
    let is_named = is_shortcode && text.chars().all(|c| c.is_ascii_alphanumeric() || ":_-+.@".contains(c));
    // Every emoji has a sign beyond ASCII, and no letter: a heart as little as a flag or a family. What turns text round
    // (U+202A and on) joins nothing.
    let is_sign = |c: char| c >= '\u{a9}' && !('\u{2000}'..='\u{206f}').contains(&c) && c != '\u{fe0f}';
    let is_part = |c: char| c.is_ascii_digit() || "#*\u{200d}".contains(c) || c == '\u{fe0f}' || is_sign(c);
    let is_emoji = text.chars().count() <= EMOJI_MAX
        && text.chars().any(|c| is_sign(c) || c == '\u{20e3}')
        && text.chars().all(|c| is_part(c) && !c.is_alphabetic() && !c.is_whitespace());
    (is_named || is_emoji).then(|| text.to_owned())
}

/// Undo by who and what, since some send a new id (interop E14).
pub(super) async fn taken_back(
    app: &App,
    conn: &mut Conn,
    inbound: &Inbound,
    remote: &Remote,
    undone: &Reference,
) -> sqlx::Result<Verdict> {
    let kind = undone.kind.as_deref().and_then(named);
    let target = of_ours(app, conn, undone.object.as_deref()).await?.map(|(target, _)| target);
    let ended = match (kind, target) {
        (Some(kind), Some(target)) => {
            end_opinion(conn, target, remote.id, kind, Some(inbound.id), app.clock.now()).await?
        }
        _ => false,
    };
    Ok(if ended {
        Verdict::accepted(format!("took back a {}", kind.map_or("sign", Kind::as_str)))
    } else {
        Verdict::ignored("there was nothing to undo; remembered, should it come late")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::activity::incoming;

    #[test]
    fn a_reaction_is_an_emoji_or_the_name_of_one_e13() {
        let of = |content: &str| {
            let like = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": "https://m.example/1", "type": "EmojiReact", "actor": "https://m.example/u",
                "object": "https://ours.example/1", "content": content });
            reaction(&incoming::activity(like).expect("an activity"))
        };
        for sign in ["👍", "❤️", "1️⃣", "🇳🇱", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", ":blobcat:", ":blob_cat@m.example:"]
        {
            assert_eq!(of(sign).as_deref(), Some(sign));
        }
        for words in ["", "buy", "купи", "ferry.example", ":not a name:", "::", "👍 👍", "\u{202e}", &"👍".repeat(20)]
        {
            assert_eq!(of(words), None, "{words:?}");
        }
    }
}
