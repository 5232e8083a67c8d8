//! A verified activity, kept as it came, and what each means: every one gets a verdict (design, section 6).

pub mod dismissal;
pub mod housekeeping;
pub mod meaning;
pub mod reader;
pub mod receive;
pub mod store;
pub mod worker;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::ids::InboundId;

/// A verified activity that waits for its verdict.
#[derive(Clone, Debug)]
pub struct Inbound {
    /// Row.
    pub id: InboundId,
    /// The activity's own id.
    pub activity_id: String,
    /// Whose key signed the request.
    pub signer: String,
    /// Who the activity says it is of.
    pub actor: String,
    /// As it came.
    pub raw: String,
    /// When it came.
    pub received_at: Timestamp,
    /// How often it was claimed, this time included; the fence of the lease.
    pub attempts: i64,
    /// Whether it had its verdict and came again: an Accept may have been lost (interop D8).
    pub repeated: bool,
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
    /// Not understood yet; read again after an upgrade.
    Deferred,
    /// It made us fail five times.
    Failed,
}

impl Outcome {
    /// As the database and people have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Ignored => "ignored",
            Self::Declined => "declined",
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
    /// The post without which it means nothing yet: read again when that comes in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
}

impl Verdict {
    fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self { outcome, reason: reason.into(), waits_for: None }
    }

    fn waiting(reason: impl Into<String>, waits_for: String) -> Self {
        Self { outcome: Outcome::Deferred, reason: reason.into(), waits_for: Some(waits_for) }
    }
}
