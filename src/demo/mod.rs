//! The whole conversation on one machine, narrated.

pub mod site;

/// How the story is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// End when it is told.
    pub once: bool,
    /// Print one JSON document of the steps instead of narrating.
    pub json: bool,
}

/// Being built on another branch.
///
/// # Errors
/// Always.
#[expect(clippy::unused_async, reason = "stands in until the branch is merged")]
pub async fn run(_options: Options) -> anyhow::Result<()> {
    anyhow::bail!("the demo is not merged yet")
}
