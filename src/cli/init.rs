//! `veerpont init`: a first configuration file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::print::Output;
use crate::config::{AuthorChoice, Config, InitAnswers, InitSite, template, write_new};

/// What the file will say; all of it can be changed in the file, but the origin and the handles only until the
/// first start.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Where remote servers reach the bridge, for ever: scheme and host.
    #[arg(long, value_name = "URL", default_value = "https://social.example.org")]
    origin: String,
    /// The domain in @handle@domain, where it is not the origin's host.
    #[arg(long, value_name = "DOMAIN")]
    handle_domain: Option<String>,
    /// Where to take requests.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The database: `sqlite://` and a path, or `postgres://`…
    #[arg(long, value_name = "URL", default_value = "sqlite://data/veerpont.db")]
    database: String,
    /// The community's name, for people.
    #[arg(long, value_name = "NAME", default_value = "Our community")]
    community: String,
    /// The community's handle.
    #[arg(long, value_name = "HANDLE", default_value = "community")]
    handle: String,
    /// The handle that signs what no author with an actor does.
    #[arg(long, value_name = "HANDLE", default_value = "editors")]
    team_handle: String,
    /// The folder of the Hugo site.
    #[arg(long, value_name = "FOLDER", requires = "public_url")]
    site: Option<PathBuf>,
    /// Where the public reads the site.
    #[arg(long, value_name = "URL", requires = "site")]
    public_url: Option<String>,
    /// Top folders that hold posts; the usual ones when left out.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    sections: Vec<String>,
    /// Who becomes an actor, which makes them visible: `published` (everyone with a profile and a published post), or slugs.
    #[arg(long, value_name = "WHO", value_delimiter = ',', default_value = "published")]
    authors: Vec<String>,
}

impl Init {
    pub(super) fn run(self, path: &Path, output: Output) -> anyhow::Result<()> {
        let authors = match self.authors.as_slice() {
            [one] if one == "published" => AuthorChoice::Published,
            _ => AuthorChoice::Listed(self.authors),
        };
        let site = self.site.zip(self.public_url).map(|(path, public_url)| InitSite {
            path,
            public_url,
            sections: self.sections,
            authors,
        });
        let text = template(&InitAnswers {
            origin: self.origin,
            handle_domain: self.handle_domain,
            listen: self.listen,
            database_url: self.database,
            community_name: self.community,
            community_handle: self.handle,
            team_handle: self.team_handle,
            site,
        });
        let base = std::path::absolute(path)?;
        Config::parse(&text, base.parent().unwrap_or(Path::new("/")), &path.display().to_string(), &|_| None)
            .context("these answers make no valid configuration")?;
        write_new(path, &text).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                anyhow::anyhow!(
                    "{} is there already and stays as it is; name another file with --config",
                    path.display()
                )
            }
            _ => anyhow::Error::new(error).context(format!("cannot write {}", path.display())),
        })?;
        let shown = path.display();
        output.print(&json!({ "written": shown.to_string() }), || {
            format!(
                "Wrote {shown}. Read it through, then:\n\n  veerpont --config {shown} config check\n  veerpont --config {shown} sync --dry-run\n  veerpont --config {shown} serve"
            )
        })
    }
}
