//! `veerpont config check`: is the configuration good, before anything is started with it?

use std::path::Path;

use anyhow::Context;
use clap::Subcommand;
use clock::Clock;
use hugo_content::{Memory, Warning};
use serde_json::json;

use super::print::{Output, count, shown};
use crate::app::user_agent;
use crate::base::rights::{self, Need};
use crate::config::{self, AuthorChoice, Config};
use crate::net::client::Client;
use crate::site::source::choices;
use crate::site::source::connector;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Read the configuration and look whether its files are there; nothing is written.
    Check,
}

impl ConfigCommand {
    pub(super) fn run(self, path: &Path, output: Output) -> anyhow::Result<()> {
        let Self::Check = self;
        let config = super::load(path)?;
        Client::network(&config.network, user_agent(&config.server.origin))?;
        for source in &config.sources {
            if let Some(config::WebhookSecret::File(file)) = &source.webhook {
                is_readable(file, &source.name, "webhook_secret_file")?;
            }
            if let Some(repository) = &source.repository {
                let files = [
                    ("token_file", &repository.token_file),
                    ("ssh_key_file", &repository.ssh_key_file),
                    ("ssh_known_hosts_file", &repository.ssh_known_hosts_file),
                ];
                for (key, file) in files {
                    file.as_ref().map_or(Ok(()), |file| is_readable(file, &source.name, key))?;
                }
                // The repository itself is asked at the first sync.
                continue;
            }
            is_open(&source.path, &format!("the source `{}`", source.name))?;
            anyhow::ensure!(
                source.path.is_dir(),
                "the source `{}` is not there: {} is no folder; set its `path` to the root of the site",
                source.name,
                source.path.display()
            );
        }
        for comment_export in &config.comment_exports {
            is_open(&comment_export.path, &format!("the site of the comment export of `{}`", comment_export.source))?;
            anyhow::ensure!(
                comment_export.path.is_dir(),
                "the site of the comment export of `{}` is not there: {} is no folder; set its `path` to the root of the site that is built",
                comment_export.source,
                comment_export.path.display()
            );
        }
        let warnings = misspelt_authors(&config);
        let names: Vec<&str> = config.sources.iter().map(|source| source.name.as_str()).collect();
        let communities: Vec<&str> = config.communities.iter().map(|community| community.handle.as_str()).collect();
        let result = json!({
            "ok": true,
            "origin": config.server.origin.as_str().trim_end_matches('/'),
            "handle_domain": config.server.handle_domain,
            "database": config.database.redacted(),
            "communities": communities,
            "sources": names,
            "warnings": warnings,
            "notes": split_domain(&config).into_iter().collect::<Vec<_>>(),
        });
        output.print(&result, || {
            let told: Vec<String> =
                warnings.iter().map(|warning| format!("warning: {}\n", shown(&warning.message))).collect();
            let told = told.concat();
            format!(
                "{told}{} is good: {} with {} ({}), at {}, database {}",
                path.display(),
                count(communities.len(), "community").replace("communitys", "communities"),
                count(names.len(), "source"),
                names.join(", "),
                config.server.origin,
                config.database.redacted()
            ) + &split_domain(&config).map_or_else(String::new, |note| format!("\nnote: {note}"))
        })
    }
}

/// A folder that is there but closed to us is no missing one.
fn is_open(folder: &Path, what: &str) -> anyhow::Result<()> {
    match rights::denied(folder, Need::Read) {
        Some(why) => anyhow::bail!("{what} cannot be read at {}: {why}", folder.display()),
        None => Ok(()),
    }
}

/// Names of authors that the sites do not have; those of a repository are known at its first sync.
fn misspelt_authors(config: &Config) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for source in config.sources.iter().filter(|source| source.repository.is_none()) {
        let names_some = matches!(source.authors, AuthorChoice::Listed(_)) || !source.handles.is_empty();
        if !names_some {
            continue;
        }
        // What is wrong with the site itself is told by a sync.
        let Ok(scan) = connector::of(source).scan(Memory::new(), Clock::system().now(), &mut |_, _| {}) else {
            continue;
        };
        let known = scan.authors.iter().map(|profile| profile.slug.clone()).chain(scan.unread_profiles).collect();
        warnings.extend(choices::misspelt(source, &known));
    }
    warnings
}

/// What handles of another domain than that of the actors cost (interop U2).
fn split_domain(config: &Config) -> Option<String> {
    let (handles, actors) = (config.server.handle_domain.as_str(), config.server.origin.host_str().unwrap_or_default());
    let note = || {
        format!(
            "handles end in @{handles}, and actors live on {actors}: NodeBB from 4.15 finds nobody then. For readers there, \
             choose one domain for both, before anybody follows (docs/webfinger.md)"
        )
    };
    (handles != actors).then(note)
}

fn is_readable(file: &Path, source: &str, key: &str) -> anyhow::Result<()> {
    std::fs::File::open(file).map(drop).with_context(|| {
        format!("the file {} cannot be read; set `{key}` of the source `{source}` right", file.display())
    })
}
