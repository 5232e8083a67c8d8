//! The first configuration file: what `veerpont init` writes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::AuthorChoice;

/// What the operator says to `veerpont init`. Nothing is checked here: parse what [`template`] gives.
#[derive(Clone, Debug)]
pub(crate) struct InitAnswers {
    /// Scheme and host where remote servers reach us.
    pub(crate) origin: String,
    /// What stands in handles, where it is not the origin's host.
    pub(crate) handle_domain: Option<String>,
    /// Where to take requests.
    pub(crate) listen: SocketAddr,
    /// As in `[database]`.
    pub(crate) database_url: String,
    /// The community's name, for people.
    pub(crate) community_name: String,
    /// The community's handle.
    pub(crate) community_handle: String,
    /// The handle of the community's team account.
    pub(crate) team_handle: String,
    /// The site; without one its section is written as a comment.
    pub(crate) site: Option<InitSite>,
}

/// The site `veerpont init` is told of.
#[derive(Clone, Debug)]
pub(crate) struct InitSite {
    /// The root folder of the Hugo site, relative to the file that will be written or absolute.
    pub(crate) path: PathBuf,
    /// Where the public reads it.
    pub(crate) public_url: String,
    /// Its posts' top folders; empty leaves the usual ones.
    pub(crate) sections: Vec<String>,
    /// Who becomes an actor.
    pub(crate) authors: AuthorChoice,
}

/// The text of a commented configuration file with these answers.
pub(crate) fn template(init: &InitAnswers) -> String {
    let handle_domain = match &init.handle_domain {
        Some(domain) => format!("handle_domain = {}", quoted(domain)),
        None => "# handle_domain = \"example.org\"".to_owned(),
    };
    let allow_http = init.origin.starts_with("http:");
    let mut text = format!(
        include_str!("template.toml.txt"),
        listen = quoted(&init.listen.to_string()),
        origin = quoted(&init.origin),
        handle_domain = handle_domain,
        database_url = quoted(&init.database_url),
        allow_http = allow_http,
        community_name = quoted(&init.community_name),
        community_handle = quoted(&init.community_handle),
        team_handle = quoted(&init.team_handle),
    );
    text.push_str(&match &init.site {
        Some(site) => source(site, &init.community_handle),
        None => commented(&source(&sample_site(), &init.community_handle)),
    });
    text
}

fn sample_site() -> InitSite {
    InitSite {
        path: "../site".into(),
        public_url: "https://example.org/".to_owned(),
        sections: Vec::new(),
        authors: AuthorChoice::Listed(Vec::new()),
    }
}

fn source(site: &InitSite, community: &str) -> String {
    let sections = if site.sections.is_empty() {
        "# sections = [\"post\"]".to_owned()
    } else {
        format!("sections = {}", list(&site.sections))
    };
    let authors = match &site.authors {
        AuthorChoice::Published => quoted("published"),
        AuthorChoice::Listed(slugs) => list(slugs),
    };
    format!(
        include_str!("source.toml.txt"),
        community = quoted(community),
        path = quoted(&site.path.to_string_lossy()),
        public_url = quoted(&site.public_url),
        sections = sections,
        authors = authors,
    )
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn list(items: &[String]) -> String {
    toml::Value::from(items.to_vec()).to_string()
}

/// Every line as a comment; one that is a comment already stays one, as in the rest of the file.
fn commented(text: &str) -> String {
    text.lines().fold(String::new(), |mut all, line| {
        let mark = if line.is_empty() || line.starts_with('#') { "" } else { "# " };
        // Writing to a String cannot fail.
        let _ = writeln!(all, "{mark}{line}");
        all
    })
}

/// Writes a new file, with the folders above it; never overwrites one.
///
/// # Errors
/// `AlreadyExists` when there is a file of that name; otherwise what the file system says.
pub(crate) fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
