//! What blocks would do, before they are made: nothing is written.

use serde::Serialize;

use super::block_request::{BlockRequest, Impossible};
use super::enforcement::{CHUNK, Enforced};
use super::rules::{Rules, Who};
use super::{Block, BlockKind, Severity, said_before};
use crate::app::App;
use crate::base::ids::{BlockId, Domain};
use crate::federation::delivery;
use crate::model::{follower, interaction};

/// A follow that ends because of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The follower's id.
    #[serde(rename = "follower_id")]
    pub follower: String,
    /// Whom of ours, `@user@host`.
    pub author: String,
    /// The domain of the list.
    pub because: String,
}

/// What a block would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// The value in its one spelling.
    pub value: String,
    /// Whether it is a domain under which anybody may register, so that it blocks people who have nothing to do with
    /// each other.
    pub public_suffix: bool,
    /// What would be hidden and ended.
    pub would: Enforced,
    /// Followers that would be lost.
    pub followers_lost: Vec<Lost>,
}

/// Returns what a block by hand would do.
///
/// # Errors
/// When its value is not valid, or the database fails.
pub async fn of_block(app: &App, wish: BlockRequest<'_>, severity: Severity) -> Result<Forecast, Impossible> {
    let value = wish.normal(app).await?;
    let public_suffix = wish.kind == BlockKind::Domain && is_public_suffix(&value);
    if severity == Severity::Silence {
        return Ok(Forecast { value, public_suffix, ..Forecast::default() });
    }
    let block = Block {
        id: BlockId(0),
        kind: wish.kind,
        value: value.clone(),
        severity,
        actor: wish.actor,
        list: None,
        reason: None,
        created_at: app.clock.now(),
    };
    let rules = Rules::of(vec![block]);
    let followers_lost = followers(app, &rules).await?;
    let would = Enforced { follows_ended: followers_lost.len() as u64, ..would(app, &rules).await? };
    Ok(Forecast { value, public_suffix, would, followers_lost })
}

/// What would be hidden, and which hosts blocked.
pub(super) async fn would(app: &App, rules: &Rules) -> sqlx::Result<Enforced> {
    let mut would = Enforced::default();
    let mut conn = app.db.read().await?;
    let mut after = 0;
    loop {
        let said = interaction::store::said_after(&mut conn, after, CHUNK).await?;
        let Some(last) = said.last() else { break };
        after = last.id.0;
        for one in said.iter().filter(|one| one.stands && one.block.is_none()) {
            let who = Who::new(&one.url, one.webfinger.as_deref(), one.names.clone());
            let block = match &one.words {
                Some(words) => rules.of_post(&who, &one.keepers, &said_before(words)),
                None => rules.of_person(&who, &one.keepers),
            };
            would.hidden += u64::from(block.is_some());
        }
    }
    let mut after = 0;
    loop {
        let hosts = delivery::store::hosts_after(&mut conn, after, CHUNK).await?;
        let Some((last, ..)) = hosts.last() else { return Ok(would) };
        after = last.0;
        for (_, name, is_blocked) in &hosts {
            let domain = Domain::of(&format!("https://{name}/"));
            let is_met = !is_blocked && domain.is_some_and(|domain| rules.of_domain(&domain).is_some());
            would.servers_cut_off += u64::from(is_met);
        }
    }
}

/// Follows that would end.
pub(super) async fn followers(app: &App, rules: &Rules) -> sqlx::Result<Vec<Lost>> {
    let mut conn = app.db.read().await?;
    let (mut lost, mut after) = (Vec::new(), (0, 0));
    loop {
        let follows = follower::store::follows_after(&mut conn, after, CHUNK).await?;
        let Some(end) = follows.last() else { return Ok(lost) };
        after = (end.who.0, end.actor.0);
        for follow in &follows {
            let who = Who::new(&follow.url, follow.webfinger.as_deref(), String::new());
            if let Some(block) = rules.of_person(&who, &[follow.actor]) {
                let author = format!("@{}@{}", follow.handle, app.urls.handle_domain());
                lost.push(Lost { follower: follow.url.clone(), author, because: block.value.clone() });
            }
        }
    }
}

/// Whether anybody may register names below a domain, by the public suffix list.
fn is_public_suffix(domain: &str) -> bool {
    let is_address = domain.starts_with('[') || domain.parse::<std::net::IpAddr>().is_ok();
    !is_address && psl::domain_str(domain).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_are_by_the_public_suffix_list() {
        for (domain, expected) in [
            ("com", true),
            ("co.uk", true),
            ("github.io", true),
            ("bad.example", false),
            ("a.bad.co.uk", false),
            ("192.0.2.1", false),
            ("[2001:db8::1]", false),
        ] {
            assert_eq!(is_public_suffix(domain), expected, "{domain}");
        }
    }
}
