//! Verified activities, kept as they came, and what each means: every one gets a verdict
//! (docs/architecture.md#receiving).

mod block_check;
pub mod fetcher;
pub(crate) mod foreign_host;
pub mod handlers;
pub mod housekeeping;
pub(crate) mod reader;
pub(crate) mod receive;
pub mod rejection;
pub(crate) mod remove_follower;
pub mod review;
pub mod store;
pub mod worker;

use std::time::Duration;

use clock::Timestamp;
use serde::Serialize;

use crate::base::ids::{ArticleId, InboundId, InboxId};
use crate::federation::remote::Remote;
use crate::model::relation::Event;

/// The `path` of a document that we fetched at its origin.
pub const FETCHED: &str = "fetched";

/// A verified activity that waits for its verdict.
#[derive(Clone, Debug)]
pub struct Inbound {
    pub(crate) id: InboundId,
    /// The activity's own id.
    pub activity_id: String,
    /// Whose key signed the request.
    pub(crate) signer: String,
    /// The `actor` of the activity.
    pub(crate) actor: String,
    /// The path of the inbox it was sent to, or [`FETCHED`].
    pub(crate) path: String,
    /// As it came.
    pub(crate) raw: String,
    /// When it came.
    pub received_at: Timestamp,
    /// The fence of the lease.
    pub(crate) token: i64,
    /// How often it was claimed in a row, this time included, without an end in order.
    pub(crate) begun: i64,
    /// The number of its last arrival, which is the order in which an actor's activities are understood.
    pub(crate) heard: i64,
    /// When it says that it was made, unless that is in the future.
    pub(crate) made: Option<Timestamp>,
    /// How often it came.
    pub(crate) times: i64,
    /// Whose it is, where they are known and not gone: looked up when it is understood.
    pub(crate) author: Option<Remote>,
}

impl Inbound {
    /// In the form that relations take.
    #[must_use]
    pub(crate) fn event(&self) -> Event {
        Event { id: self.activity_id.clone(), made: self.made, first: self.id.0, last: self.heard }
    }
}

/// What became of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It had its effect.
    Accepted,
    /// It changes nothing, and rightly so.
    Ignored,
    /// It may not have its effect.
    Declined,
    /// It mentions an author of ours in a conversation that is not ours: for the operator to see.
    Mention,
    /// Not understood yet; read again after an upgrade.
    Deferred,
    /// An error of ours, five times.
    Failed,
}

impl Outcome {
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Ignored => "ignored",
            Self::Declined => "declined",
            Self::Mention => "mention",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
        }
    }
}

/// What became of an activity, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What.
    pub outcome: Outcome,
    /// Why, for people.
    pub reason: String,
    /// What was considered on the way, for people.
    pub(crate) steps: Vec<String>,
    /// The document that must be fetched before it means anything: it is interpreted again then.
    #[serde(skip)]
    pub(crate) waits_for: Option<(String, Purpose)>,
    /// What is to be fetched.
    #[serde(skip)]
    pub(crate) fetches: Vec<FetchJob>,
    /// Whether its text is forgotten at once.
    #[serde(skip)]
    pub(crate) forgets: bool,
    /// The post that it brought: what waits for that is interpreted again.
    #[serde(skip)]
    pub(crate) brought: Option<String>,
    /// The inbox that knows this article by it, as those do that were sent it.
    #[serde(skip)]
    pub(crate) reached: Option<(ArticleId, InboxId)>,
}

impl Verdict {
    fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
            steps: Vec::new(),
            waits_for: None,
            fetches: Vec::new(),
            forgets: false,
            brought: None,
            reached: None,
        }
    }

    fn accepted(reason: impl Into<String>) -> Self {
        Self::new(Outcome::Accepted, reason)
    }

    fn ignored(reason: impl Into<String>) -> Self {
        Self::new(Outcome::Ignored, reason)
    }

    fn declined(reason: impl Into<String>) -> Self {
        Self::new(Outcome::Declined, reason)
    }

    /// To be interpreted again once a document is fetched, which is queued.
    fn until_read(reason: impl Into<String>, job: FetchJob) -> Self {
        let waits_for = Some((job.url.clone(), job.purpose));
        Self { waits_for, fetches: vec![job], ..Self::new(Outcome::Deferred, reason) }
    }

    fn step(mut self, step: impl Into<String>) -> Self {
        self.steps.push(step.into());
        self
    }

    /// A private message that is not kept: nobody but its recipients was meant to see its text (interop E6, G11).
    fn private() -> Self {
        Self { forgets: true, ..Self::declined("it is for followers or single people, and never shown") }
    }

    fn bringing(self, post: &str) -> Self {
        Self { brought: Some(post.to_owned()), ..self }
    }

    fn reaching(self, article: ArticleId, inbox: InboxId) -> Self {
        Self { reached: Some((article, inbox)), ..self }
    }

    fn with_fetches(mut self, fetches: Vec<FetchJob>) -> Self {
        self.fetches.extend(fetches);
        self
    }
}

/// Why a document is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// For its content: it is kept as if it had been sent.
    Post,
    /// To see whether it is gone (interop E24).
    End,
    /// For an actor's own document (interop E17).
    Actor,
    /// For the items of a collection (interop B18, B20).
    Collection,
}

impl Purpose {
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::End => "end",
            Self::Actor => "actor",
            Self::Collection => "collection",
        }
    }

    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Post, Self::End, Self::Actor, Self::Collection].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// A document to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchJob {
    /// Its id.
    pub url: String,
    /// What for.
    pub purpose: Purpose,
    /// Whose conversation it completes, where that is known.
    pub article: Option<ArticleId>,
    /// Steps from what was sent to us.
    pub depth: i64,
    /// How long it may wait.
    pub after: Duration,
}

impl FetchJob {
    fn now(url: impl Into<String>, purpose: Purpose) -> Self {
        Self { url: url.into(), purpose, article: None, depth: 0, after: Duration::ZERO }
    }
}
