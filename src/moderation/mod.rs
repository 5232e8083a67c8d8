//! Who may reach us, and what is shown of their posts: blocks, holds, limits, reports (ADR 11).

pub(crate) mod block_check;
mod block_request;
pub(crate) mod compiled;
pub mod enforcement;
pub(crate) mod limits;
pub mod listing;
pub(crate) mod lists;
pub mod preview;
pub(crate) mod remove_follower;
pub mod review;
pub(crate) mod rules;
pub mod store;

use std::sync::Arc;
use std::time::Duration;

use clock::Timestamp;
use serde::Serialize;

use self::rules::{Rules, Who};
use crate::activitypub::incoming::Attachment;
use crate::app::App;
use crate::base::ids::{ActorId, BlockId, Domain, Ids, registrable};
use crate::base::stored::words;
use crate::config::{Others, Policy};
use crate::db::Conn;
use crate::federation::delivery;
use crate::federation::remote::Remote;
use crate::model::author::{self, Community};
use crate::model::interaction::{self, CleanPost, Words};
use crate::model::post::Article;

/// What is done with a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Judgment {
    /// Everyone sees it.
    Show,
    /// A moderator looks at it first, for this reason.
    Hold(String),
    /// It is not kept, for this reason.
    Decline(String),
}

/// Who decides something, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModerationNote {
    /// Why, if it was said.
    pub why: Option<String>,
    /// Who, where that is known.
    pub by: Option<String>,
}

impl ModerationNote {
    /// A reason without a name.
    #[must_use]
    pub fn because(why: &str) -> Self {
        Self { why: Some(why.to_owned()), by: None }
    }
}

words! {
    /// What a block is of.
    pub enum BlockKind {
        /// An actor, by their id.
        Actor = "actor",
        /// A server, with all subdomains.
        Domain = "domain",
        /// A word in a post, or in the name of its author.
        Keyword = "keyword",
    }
}

words! {
    /// How strict a block is.
    pub enum Severity {
        /// Everything: what was shown is hidden, follows end, nothing is accepted or sent.
        Block = "block",
        /// Their posts wait for a moderator from now on.
        Silence = "silence",
    }
}

/// A block of an actor, a server or a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Block {
    pub(crate) id: BlockId,
    pub(crate) kind: BlockKind,
    /// An id, a domain, or a word.
    pub value: String,
    pub(crate) severity: Severity,
    /// The one actor of ours that it is for; everyone when `None`.
    #[serde(skip)]
    pub(crate) actor: Option<ActorId>,
    /// The list that it came with; `None` where a moderator made it.
    pub(crate) list: Option<String>,
    /// Why, for people.
    pub reason: Option<String>,
    #[serde(rename = "since", serialize_with = "clock::as_rfc3339")]
    pub(crate) created_at: Timestamp,
}

impl Block {
    /// Whether it is for any of these actors of ours.
    pub(crate) fn keeps_from(&self, ours: &[ActorId]) -> bool {
        self.actor.is_none_or(|actor| ours.contains(&actor))
    }

    /// Its reason, for people.
    pub(crate) fn why(&self) -> String {
        let done = match self.severity {
            Severity::Block => "blocked",
            Severity::Silence => "silenced",
        };
        let by = self.list.as_ref().map(|list| format!(" by the list {list}")).unwrap_or_default();
        let for_whom = self.actor.map_or("", |_| " for this author");
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("the {} {} is {done}{for_whom}{by}{reason}", self.kind.as_str(), self.value)
    }
}

/// How long a server counts as new among others of its domain.
const DAY: Duration = Duration::from_hours(24);

/// Whether private messages to an author are kept for them (interop E6).
pub(crate) fn keeps_private(app: &App) -> bool {
    app.config.moderation.keep_private
}

/// What is done with a post in an article's conversation: blocks come first, then `allow_only`, silence, limits, and
/// last the community's policy.
pub(crate) async fn judge(
    app: &App,
    conn: &mut Conn,
    article: &Article,
    author: &Remote,
    post: &CleanPost,
) -> sqlx::Result<Judgment> {
    let who = who(author);
    let community = author::store::community(conn, article.community_id).await?;
    let ours = keepers_of(article, community.as_ref());
    let rules = compiled::blocks(app, conn).await?;
    let block = rules.of_post(&who, &ours, &said_in(post));
    if let Some(block) = block.filter(|block| block.severity == Severity::Block) {
        return Ok(Judgment::Decline(block.why()));
    }
    if let Some(why) = not_allowed(app, &who) {
        return Ok(match app.config.moderation.others {
            Others::Hold => Judgment::Hold(why),
            Others::Decline => Judgment::Decline(why),
        });
    }
    if let Some(block) = block {
        return Ok(Judgment::Hold(block.why()));
    }
    if let Some(why) = limits::exceeded(post, &app.config.moderation) {
        return Ok(Judgment::Hold(why));
    }
    let policy = policy(app, community.as_ref());
    let why = match policy {
        Policy::Held => Some("each post waits for a moderator here (policy held)".to_owned()),
        Policy::FirstHeld => Some("nothing of its author was approved so far (policy first-held)".to_owned()),
        Policy::Open => of_new_host(app, conn, author).await?,
    };
    let Some(why) = why else { return Ok(Judgment::Show) };
    // Who was approved once is shown.
    let known = policy != Policy::Held && interaction::store::is_shown_somewhere(conn, author.id).await?;
    Ok(if known { Judgment::Show } else { Judgment::Hold(why) })
}

/// Whose blocks count for an article, and the blocks.
pub(crate) struct Keepers {
    actors: Vec<ActorId>,
    blocks: Arc<Rules>,
}

impl Keepers {
    pub(crate) async fn of(app: &App, conn: &mut Conn, article: &Article) -> sqlx::Result<Self> {
        Ok(Self { actors: keepers(conn, article).await?, blocks: compiled::blocks(app, conn).await? })
    }

    /// Why somebody's like, dislike or boost is not accepted.
    pub(crate) fn refuse(&self, app: &App, remote: &Remote) -> Option<String> {
        kept_out(app, &self.blocks, &self.actors, remote)
    }
}

/// Why somebody may not follow one of our actors.
pub(crate) fn refuses_follow(app: &App, blocks: &Rules, actor: ActorId, remote: &Remote) -> Option<String> {
    kept_out(app, blocks, &[actor], remote)
}

fn kept_out(app: &App, blocks: &Rules, ours: &[ActorId], remote: &Remote) -> Option<String> {
    let who = who(remote);
    if let Some(block) = blocks.of_person(&who, ours).filter(|block| block.severity == Severity::Block) {
        return Some(block.why());
    }
    not_allowed(app, &who).filter(|_| app.config.moderation.others == Others::Decline)
}

/// Why somebody is not allowed, where `allow_only` names the servers that are.
fn not_allowed(app: &App, who: &Who) -> Option<String> {
    let allowed = &app.config.moderation.allow_only;
    let home = Domain::of(&who.url);
    let is_in = allowed.is_empty() || home.is_some_and(|home| allowed.iter().any(|domain| domain.covers(&home)));
    (!is_in).then(|| "its server is not among those that are let in (allow_only)".to_owned())
}

/// A remote actor, as blocks are matched with it.
fn who(remote: &Remote) -> Who {
    let named = &remote.names;
    Who::new(&remote.url, named.webfinger.as_deref(), format!("{}\n{}", named.name, named.username))
}

/// The actors of ours whose blocks count for an article: its owner and its community.
async fn keepers(conn: &mut Conn, article: &Article) -> sqlx::Result<Vec<ActorId>> {
    let community = author::store::community(conn, article.community_id).await?;
    Ok(keepers_of(article, community.as_ref()))
}

fn keepers_of(article: &Article, community: Option<&Community>) -> Vec<ActorId> {
    [article.owner].into_iter().chain(community.map(|community| community.group)).collect()
}

fn policy(app: &App, community: Option<&Community>) -> Policy {
    let written = community.and_then(|known| {
        let mut communities = app.config.communities.iter();
        communities.find(|community| community.handle == known.handle).and_then(|community| community.policy)
    });
    written.unwrap_or(app.config.moderation.policy)
}

/// Why posts of a server that is new here wait (interop E23).
async fn of_new_host(app: &App, conn: &mut Conn, author: &Remote) -> sqlx::Result<Option<String>> {
    let (now, config) = (app.clock.now(), &app.config.moderation);
    // A server's row is made before those of its actors.
    if author.id.0 < Ids::first_at(now - DAY.max(config.new_host_hold)) {
        return Ok(None);
    }
    let (host, name) = delivery::store::host_of(conn, author.inbox).await?;
    // A row id may lie ahead of the clock, so without a hold it is not asked.
    if !config.new_host_hold.is_zero() && host.0 >= Ids::first_at(now - config.new_host_hold + Duration::from_millis(1))
    {
        let hold = humantime::format_duration(config.new_host_hold);
        return Ok(Some(format!("its server {name} was first seen less than {hold} ago")));
    }
    let domain = registrable(&name);
    let since = Ids::first_at(now - DAY);
    if host.0 < since {
        return Ok(None);
    }
    let new = delivery::store::count_new_below(conn, &domain, since).await?;
    let most = config.new_hosts_per_domain.get();
    Ok((new > i64::from(most)).then(|| format!("{new} servers below {domain} came up within a day, and {most} may")))
}

/// The whole text of a post, for keywords.
fn said_in(post: &CleanPost) -> String {
    let text = said((&post.title, &post.warning), &post.content.text, &post.options, &post.attachments);
    text + "\n" + &post.hashtags.join("\n")
}

/// As [`said_in`], for a post that is kept.
fn said_before(words: &Words) -> String {
    said((&words.title, &words.warning), &html::text_of_clean(&words.content), &words.options, &words.attachments)
}

fn said(
    (title, warning): (&Option<String>, &Option<String>),
    content: &str,
    options: &[String],
    attachments: &[Attachment],
) -> String {
    let lines = [title.as_deref(), warning.as_deref(), Some(content)].into_iter().flatten();
    let below = attachments.iter().filter_map(|attached| attached.alt.as_deref());
    lines.chain(options.iter().map(String::as_str)).chain(below).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_says_why() {
        let block = Block {
            id: BlockId(1),
            kind: BlockKind::Domain,
            value: "bad.test".to_owned(),
            severity: Severity::Block,
            actor: None,
            list: Some("ours".to_owned()),
            reason: Some("spam".to_owned()),
            created_at: Timestamp::from_millis(0),
        };
        assert_eq!(block.why(), "the domain bad.test is blocked by the list ours: spam");
        let silence = Block { severity: Severity::Silence, actor: Some(ActorId(1)), list: None, reason: None, ..block };
        assert_eq!(silence.why(), "the domain bad.test is silenced for this author");
    }
}
