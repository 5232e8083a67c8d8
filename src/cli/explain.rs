//! `veerpont explain`: the whole story of one thing.

use anyhow::Context;

use super::names;
use super::print::{Output, shown};
use crate::app::App;
use crate::server::explain;

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    /// The id of an activity, a reply, an article or a note; the page of a post, or its key; a domain, a word, somebody or a
    /// list that was blocked.
    what: String,
}

impl Explain {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        let [written, other] = names::spellings(&self.what);
        let story = match explain::story(app, &written).await? {
            None if other.contains("://") => explain::story(app, &other).await?,
            story => story,
        };
        let story = story.with_context(|| {
            format!(
                "nothing is known of `{}`; what was turned away at the door leaves no row, only a count, which `veerpont status` shows",
                self.what
            )
        })?;
        output.print(&story, || {
            let mut lines = vec![shown(&story.subject)];
            for event in &story.events {
                lines.push(format!("{}  {}", event.at.rfc3339(), shown(&event.what)));
                lines.extend(event.details.iter().map(|detail| format!("                      {}", shown(detail))));
            }
            lines.join("\n")
        })
    }
}
