//! A verified activity, kept as it came, and what each means: every one gets a verdict (docs/architecture.md#receiving).

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

use crate::base::ids::{ArticleId, InboundId};
use crate::model::relation::Event;

/// The `path` of a document that we read ourselves at its origin, rather than were sent.
pub const FETCHED: &str = "fetched";

/// A verified activity that waits for its verdict.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// Row.
    pub(crate) id: InboundId,
    /// The activity's own id.
    pub activity_id: String,
    /// Whose key signed the request.
    pub(crate) signer: String,
    /// Who the activity says it is of.
    pub(crate) actor: String,
    /// Where it was posted, or [`FETCHED`].
    pub(crate) path: String,
    /// As it came.
    pub(crate) raw: String,
    /// When it came.
    pub(crate) received_at: Timestamp,
    /// How often it was claimed, this time included; the fence of the lease.
    pub(crate) attempts: i64,
    /// The number of its last arrival, which is the order in which an actor's activities are understood.
    pub(crate) heard: i64,
    /// When it says that it was made, where that is not ahead of us.
    pub(crate) made: Option<Timestamp>,
    /// How often it came.
    pub(crate) times: i64,
}

impl Inbound {
    /// As relations look at it.
    #[must_use]
    pub(crate) fn event(&self) -> Event {
        Event { id: self.activity_id.clone(), made: self.made, first: self.id.0, last: self.heard }
    }
}

/// What became of an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It did what it says.
    Accepted,
    /// It changes nothing, and rightly so.
    Ignored,
    /// It may not do what it says.
    Declined,
    /// It names an author of ours, in a conversation that is not ours: for the operator to see.
    Mention,
    /// Not understood yet; read again after an upgrade.
    Deferred,
    /// It made us fail five times.
    Failed,
}

impl Outcome {
    /// As the database and people have it.
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
    /// What must be read before it means anything: it is looked at again then.
    #[serde(skip)]
    pub(crate) waits_for: Option<(String, Purpose)>,
    /// What is to be read at its origin.
    #[serde(skip)]
    pub(crate) wants: Vec<FetchJob>,
    /// Whether its text is forgotten at once.
    #[serde(skip)]
    pub(crate) forgets: bool,
}

impl Verdict {
    fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), steps: Vec::new(), waits_for: None, wants: Vec::new(), forgets: false }
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

    /// To be looked at again once the document is read, which is asked for.
    fn until_read(reason: impl Into<String>, want: FetchJob) -> Self {
        let waits_for = Some((want.url.clone(), want.purpose));
        Self { waits_for, wants: vec![want], ..Self::new(Outcome::Deferred, reason) }
    }

    fn step(mut self, step: impl Into<String>) -> Self {
        self.steps.push(step.into());
        self
    }

    /// A private word that is not kept, whose text nobody but its author's readers was meant to see (interop E6, G11).
    fn private() -> Self {
        Self { forgets: true, ..Self::declined("it is for followers or single people, and never shown") }
    }

    fn wanting(mut self, wants: Vec<FetchJob>) -> Self {
        self.wants.extend(wants);
        self
    }
}

/// Why a document elsewhere is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// For what it says: it is kept as if it had been sent.
    Post,
    /// To see whether it is gone (interop E24).
    End,
    /// For what an actor says of itself (interop E17).
    Actor,
    /// For what it lists (interop B18, B20).
    Collection,
}

impl Purpose {
    /// As the database and people have it.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::End => "end",
            Self::Actor => "actor",
            Self::Collection => "collection",
        }
    }

    /// From the database.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Post, Self::End, Self::Actor, Self::Collection].into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// A document elsewhere that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchJob {
    /// Its id.
    pub url: String,
    /// What for.
    pub purpose: Purpose,
    /// Whose conversation it completes, where that is known.
    pub article: Option<ArticleId>,
    /// Steps from what came by itself.
    pub depth: i64,
    /// How long it has time.
    pub after: Duration,
}

impl FetchJob {
    fn now(url: impl Into<String>, purpose: Purpose) -> Self {
        Self { url: url.into(), purpose, article: None, depth: 0, after: Duration::ZERO }
    }
}
