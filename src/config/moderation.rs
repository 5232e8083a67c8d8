//! `[moderation]`: what of strangers' words is shown, and what waits for a moderator.

use std::num::NonZeroU32;
use std::time::Duration;

use super::check::Reader;
use super::error::Fault;
use super::file::{self, Text};
use super::{ConfigError, values};
use crate::base::ids::Domain;

/// `[moderation]`: what of strangers' words is shown, and what waits for a moderator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moderation {
    /// Of communities that have none of their own.
    pub(crate) policy: Policy,
    /// Servers of whom alone something is taken; of everyone when empty.
    pub(crate) allow_only: Vec<Domain>,
    /// What becomes of what others write, where there is such a list.
    pub(crate) others: Others,
    /// Most people that a post may name before a moderator looks at it.
    pub(crate) max_mentions: NonZeroU32,
    /// Most links that it may have.
    pub(crate) max_links: NonZeroU32,
    /// How long what comes from a server that was never seen before is held.
    pub(crate) new_host_hold: Duration,
    /// Most new servers a day under one registrable domain (interop E23).
    pub(crate) new_hosts_per_domain: NonZeroU32,
    /// Whether private words to an author are kept for them (interop E6).
    pub(crate) keep_private: bool,
}

impl Default for Moderation {
    fn default() -> Self {
        let number = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            policy: Policy::default(),
            allow_only: Vec::new(),
            others: Others::default(),
            max_mentions: number(10),
            max_links: number(10),
            new_host_hold: Duration::ZERO,
            new_hosts_per_domain: number(10),
            keep_private: false,
        }
    }
}

/// When a reply or a quote is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Policy {
    /// At once.
    Open,
    /// At once, of those of whom something is shown already; a moderator looks at the first.
    #[default]
    FirstHeld,
    /// Once a moderator has said so.
    Held,
}

/// What becomes of what those write who are not on the list of the allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Others {
    /// A moderator looks at it.
    #[default]
    Hold,
    /// It is not taken, nor are their follows.
    Decline,
}

fn policy(text: &str) -> Result<Policy, Fault> {
    match text {
        "open" => Ok(Policy::Open),
        "first-held" => Ok(Policy::FirstHeld),
        "held" => Ok(Policy::Held),
        other => Err(Fault::new(
            format!("there is no policy \"{other}\""),
            "write \"open\" to show replies at once, \"first-held\" to look at each person's first, or \"held\" to look at all",
        )),
    }
}

fn others(text: &str) -> Result<Others, Fault> {
    match text {
        "hold" => Ok(Others::Hold),
        "decline" => Ok(Others::Decline),
        other => Err(Fault::new(
            format!("others is \"{other}\""),
            "write \"hold\" for what other servers send to wait for a moderator, or \"decline\" to take none of it",
        )),
    }
}

fn domain(text: &str) -> Result<Domain, Fault> {
    Domain::parse(text).map_err(|_| {
        Fault::new(
            format!("\"{text}\" is not a domain"),
            "write a name alone, as \"example.org\"; what is below it is meant too",
        )
    })
}

impl Reader<'_> {
    pub(super) fn policy(&self, written: &Text) -> Result<Policy, ConfigError> {
        self.page.read(written, |text| policy(text))
    }

    pub(super) fn moderation(&self, written: &file::Moderation) -> Result<Moderation, ConfigError> {
        let usual = Moderation::default();
        let page = self.page;
        let allow_only = written.allow_only.iter().map(|text| page.read(text, |text| domain(text)));
        Ok(Moderation {
            policy: written.policy.as_ref().map_or(Ok(usual.policy), |text| self.policy(text))?,
            allow_only: allow_only.collect::<Result<_, _>>()?,
            others: written.others.as_ref().map_or(Ok(usual.others), |text| page.read(text, |text| others(text)))?,
            max_mentions: self.number(written.max_mentions.as_ref(), usual.max_mentions)?,
            max_links: self.number(written.max_links.as_ref(), usual.max_links)?,
            new_host_hold: self.duration(written.new_host_hold.as_ref(), "0s", values::duration)?,
            new_hosts_per_domain: self.number(written.new_hosts_per_domain.as_ref(), usual.new_hosts_per_domain)?,
            keep_private: written.keep_private,
        })
    }
}
