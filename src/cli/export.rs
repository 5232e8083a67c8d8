//! `veerpont export`: files for a site that shows its conversations itself.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use super::print::Output;
use crate::app::App;
use crate::config::Source;
use crate::site::comment_export::{self, Known, Report, partials};

#[derive(Debug, Subcommand)]
pub(super) enum Export {
    /// Write what was said of each post into a data file, if it changed; `[[comment_export]]` does so by itself.
    Comments {
        /// The root folder of the Hugo site.
        #[arg(long, value_name = "DIR")]
        hugo: PathBuf,
        /// The source whose posts are meant, where there are several.
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
    },
    /// Write the partials that show them; never over a file that differs.
    Partials {
        /// The root folder of the Hugo site.
        #[arg(long, value_name = "DIR")]
        hugo: PathBuf,
        /// Write over files that differ, too.
        #[arg(long)]
        force: bool,
    },
}

impl Export {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Comments { hugo, source } => {
                let source = chosen(app, source.as_deref())?;
                let (report, _) = comment_export::hand_back(app, source, &hugo, &mut Known::new()).await?;
                output.print(&report, || text(&report))
            }
            Self::Partials { hugo, force } => write_partials(&hugo, force, output),
        }
    }
}

/// Needs neither configuration nor database.
pub(super) fn write_partials(site: &std::path::Path, force: bool, output: Output) -> anyhow::Result<()> {
    let report = partials::write(site, force)?;
    output.print(&report, || {
        format!(
            "{} in {}; docs/hugo-comments.md tells how to use them",
            text(&report),
            site.join(partials::FOLDER).display()
        )
    })
}

fn chosen<'a>(app: &'a App, name: Option<&str>) -> anyhow::Result<&'a Source> {
    let sources = &app.config.sources;
    let names = || sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name, sources.as_slice()) {
        (_, []) => anyhow::bail!("no source is configured; add a [[source]] to the configuration"),
        (None, [only]) => Ok(only),
        (None, _) => anyhow::bail!("say with --source whose posts are meant: {}", names()),
        (Some(name), _) => sources
            .iter()
            .find(|source| source.name == name)
            .with_context(|| format!("there is no source `{name}`; there are: {}", names())),
    }
}

fn text(report: &Report) -> String {
    format!("{} written, {} unchanged, {} removed", report.written, report.unchanged, report.removed)
}
