//! A source's git repository: where it may be, and what may be handed to the `git` program.

#[cfg(test)]
mod tests;

use std::path::{Component, Path, PathBuf};

use url::Url;

use super::error::Fault;
use super::values;

/// Where a source is fetched from, in place of a folder that stands by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    /// Where it is.
    pub(crate) remote: Remote,
    /// Which branch; the remote's own default when none.
    pub(crate) branch: Option<String>,
    /// The site's folder inside the repository, relative to its top; empty for the top itself.
    pub(crate) folder: PathBuf,
    /// Whether its history is fetched too, for dates from git.
    pub(crate) history: bool,
    /// Where what was fetched is kept: git's own data in `git`, the files in `files`.
    pub(crate) checkout: PathBuf,
    /// Holds the token or password for an https remote.
    pub(crate) token_file: Option<PathBuf>,
    /// The private key for an ssh remote.
    pub(crate) ssh_key_file: Option<PathBuf>,
    /// The hosts that ssh trusts, in place of the user's own list.
    pub(crate) ssh_known_hosts_file: Option<PathBuf>,
}

impl Repository {
    /// Git's own data.
    pub(crate) fn git_dir(&self) -> PathBuf {
        self.checkout.join("git")
    }

    /// The files of the last commit that was fetched.
    pub(crate) fn files(&self) -> PathBuf {
        self.checkout.join("files")
    }
}

/// Where a repository is; never with a password. Nothing of it begins with `-`, so that none of it is an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remote {
    /// Over https. The user name stands apart, since git would ask for a password otherwise.
    Https {
        /// Without user name.
        url: Url,
        /// The name to send with the token.
        user: Option<String>,
    },
    /// Over ssh, as `ssh://…` or `user@host:path`.
    Ssh(String),
    /// A folder of this machine, absolute.
    Local(PathBuf),
}

impl Remote {
    /// As it is given to git, and shown to people.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Https { url, .. } => url.to_string(),
            Self::Ssh(address) => address.clone(),
            Self::Local(path) => path.display().to_string(),
        }
    }
}

const FORMS: &str = "write \"https://host/name.git\", \"ssh://user@host/name.git\", \"user@host:name.git\", or the path of a \
     repository on this machine";

/// Reads where a repository is. Only https, ssh and paths of this machine are taken: git's other transports run
/// programs or are not secured.
pub(super) fn remote(text: &str, base: &Path) -> Result<Remote, Fault> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('-') || text.chars().any(char::is_control) {
        return Err(Fault::new("this is no address of a repository", FORMS));
    }
    if let Some((scheme, _)) = text.split_once("://") {
        return match scheme {
            "https" => https(text),
            "ssh" => ssh(text),
            "file" => file(text),
            other => Err(Fault::new(format!("a repository cannot be fetched by \"{other}\" here"), FORMS)),
        };
    }
    if text.contains("::") {
        return Err(Fault::new("git's helper transports (`name::address`) are not used here", FORMS));
    }
    match text.split_once(':') {
        Some((host, path)) if !host.contains('/') => short_ssh(host, path).map(|()| Remote::Ssh(text.to_owned())),
        _ => Ok(Remote::Local(base.join(text))),
    }
}

fn parsed(text: &str) -> Result<Url, Fault> {
    let url = Url::parse(text)
        .map_err(|error| Fault::new(format!("the repository's address cannot be read ({error})"), FORMS))?;
    if url.password().is_some() {
        return Err(Fault::new(
            "the repository's address holds a password",
            "take it out, write it to a file that only this user can read, and name that file with token_file",
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Fault::new("the repository's address has a query or a fragment", FORMS));
    }
    Ok(url)
}

fn https(text: &str) -> Result<Remote, Fault> {
    let mut url = parsed(text)?;
    let user = Some(url.username()).filter(|user| !user.is_empty()).map(str::to_owned);
    url.set_username("").map_err(|()| Fault::new("the repository's address has no host", FORMS))?;
    Ok(Remote::Https { url, user })
}

fn ssh(text: &str) -> Result<Remote, Fault> {
    let url = parsed(text)?;
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() || host.starts_with('-') || url.username().starts_with('-') || url.path().starts_with("/-") {
        return Err(Fault::new("this is no address of a repository", FORMS));
    }
    Ok(Remote::Ssh(url.to_string()))
}

fn file(text: &str) -> Result<Remote, Fault> {
    let path = parsed(text)?.to_file_path();
    path.map(Remote::Local).map_err(|()| Fault::new("a file: address names a path of this machine", FORMS))
}

/// `user@host` and `path` of `user@host:path`. Without a user it might as well be a file's name with a colon.
fn short_ssh(who: &str, path: &str) -> Result<(), Fault> {
    let fault = || Fault::new("this is no address of a repository", FORMS);
    let (user, host) = who.split_once('@').ok_or_else(fault)?;
    let plain = |text: &str| {
        !text.is_empty()
            && !text.starts_with('-')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let is_good = plain(user) && plain(host) && !path.is_empty() && !path.starts_with('-');
    is_good.then_some(()).ok_or_else(fault)
}

/// A branch's name, by the rules of `git check-ref-format`.
pub(super) fn branch(text: &str) -> Result<String, Fault> {
    let name = values::not_blank(text)?;
    let name = name.strip_prefix("refs/heads/").unwrap_or(&name).to_owned();
    let odd = |c: char| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.to_lowercase().ends_with(".lock");
    let is_good = !name.starts_with('-')
        && !name.contains("..")
        && !name.contains("@{")
        && !name.ends_with('.')
        && name != "@"
        && !name.contains(odd)
        && name.split('/').all(part);
    is_good.then_some(name).ok_or_else(|| {
        Fault::new(format!("\"{text}\" cannot be the name of a branch"), "write its name only, as \"main\"")
    })
}

/// A folder inside the repository.
pub(super) fn folder(text: &str) -> Result<PathBuf, Fault> {
    let path = PathBuf::from(text.trim());
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let dot_git = path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git"));
    if is_inside && !dot_git {
        Ok(path.components().filter(|part| matches!(part, Component::Normal(_))).collect())
    } else {
        Err(Fault::new(
            format!("\"{text}\" is no folder inside the repository"),
            "write it relative to the repository's top, as \"site\"",
        ))
    }
}

/// Where a source's repository is kept, beside the database. The name is written so that it is always one plain
/// folder, and another for each source.
pub(super) fn checkout(data: &Path, source: &str) -> PathBuf {
    let name: String = url::form_urlencoded::byte_serialize(source.as_bytes()).collect();
    data.join("sources").join(format!("{name}.checkout"))
}
