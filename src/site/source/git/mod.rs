//! A git repository as the place of a site: fetched before each scan, and checked out where the scan reads it (ADR 7).

mod program;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use hugo_content::{Scan, Warning};
use walkdir::WalkDir;

use self::program::Git;
use crate::config::Repository;

const FETCHED: &str = "refs/veerpont/fetched";

/// Locks that git leaves behind when it is killed. Nobody else works in our folder while we hold the source.
const LOCKS: &[&str] = &[
    "index.lock",
    "shallow.lock",
    "HEAD.lock",
    "config.lock",
    "packed-refs.lock",
    "gc.pid",
    "refs/veerpont/fetched.lock",
    "objects/maintenance.lock",
];

/// In bytes; no token is longer.
const MAX_TOKEN: u64 = 16 * 1024;

/// Why a repository could not be fetched or checked out.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no `git` program.
    #[error("the program `git` is not on this machine; install it (on Debian: apt install git), or use `path`")]
    NotInstalled,
    /// It could not be run.
    #[error("git cannot be run: {0}")]
    Run(#[source] std::io::Error),
    /// It took too long.
    #[error("git did not end within {0:?} and was stopped; see whether the remote answers")]
    TimedOut(Duration),
    /// Its own error.
    #[error("{0}")]
    Failed(String),
    /// A fetch that failed, with what to do.
    #[error("the repository {remote} could not be fetched: {why}; {advice}")]
    Fetch {
        /// Where it is.
        remote: String,
        /// What git says.
        why: String,
        /// What to do.
        advice: &'static str,
    },
    /// The token cannot be read.
    #[error("the token file {} cannot be read: {why}; let only the user who runs Veerpont read it", file.display())]
    Token {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        why: String,
    },
    /// Our own copy is broken.
    #[error("the files of the last fetch cannot be laid out in {}: {why}; see that the disk has room and that this folder is ours to write; it may be removed at any time, and is fetched again", folder.display())]
    Checkout {
        /// Where they should be.
        folder: PathBuf,
        /// What git or the system says.
        why: String,
    },
    /// The site's folder is not in the repository.
    #[error("there is no folder `{}` in the repository at commit {commit}; set `folder` of the source to the folder that holds the site's configuration", folder.display())]
    NoFolder {
        /// As configured.
        folder: PathBuf,
        /// Which was fetched.
        commit: String,
    },
}

/// The files as they are now.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Why they are not newer; they are those of an earlier fetch then.
    pub(crate) stale: Option<GitError>,
    /// What the operator should know.
    pub(crate) warnings: Vec<Warning>,
}

impl Standing {
    /// Adds its warnings to a scan; returns why the files are not newer. Nothing counts as gone while the newest are
    /// not known.
    pub(super) fn tell(self, scan: &mut Scan) -> Option<String> {
        scan.warnings.extend(self.warnings);
        let why = self.stale?.to_string();
        scan.complete = false;
        let message = format!("{why}. The files of the last fetch were read, and nothing counts as removed");
        scan.warnings.push(Warning { file: "the repository".to_owned(), line: None, message });
        Some(why)
    }
}

/// Fetches the newest commit of the repository, without its history unless that is configured, and checks it out.
///
/// # Errors
/// When there are no files to read at all: nothing was ever fetched, or what was cannot be checked out. A failed fetch
/// of a repository that was fetched before is told in `stale`.
pub(crate) async fn update(repository: &Repository) -> Result<Standing, GitError> {
    let mut git = Git::new(repository);
    open(&git, repository).await?;
    let site = repository.files().join(&repository.folder);
    let stale = match authorized(&mut git, repository).await {
        Ok(()) => fetch(&git, repository).await.err(),
        Err(error) => Some(error),
    };
    let Some(commit) = commit(&git).await? else {
        return Err(stale.unwrap_or_else(|| failed(repository, "it has no commit".to_owned())));
    };
    let links = lay_out(&git, repository, &commit).await?;
    if !site.is_dir() {
        return Err(GitError::NoFolder { folder: repository.folder.clone(), commit });
    }
    Ok(Standing { stale, warnings: links.iter().map(|link| link_warning(link)).collect() })
}

/// Creates our own repository where there is none, and removes the locks of a killed run.
async fn open(git: &Git, repository: &Repository) -> Result<(), GitError> {
    let git_dir = repository.git_dir();
    let io = |error: std::io::Error| at_fault(repository, error.to_string());
    tokio::fs::create_dir_all(repository.files()).await.map_err(io)?;
    if !git_dir.join("HEAD").is_file() {
        tokio::fs::create_dir_all(&git_dir).await.map_err(io)?;
        // An empty template: no hooks, not even samples.
        git.run(&["init", "--quiet", "--template="]).await.map_err(|error| at_fault(repository, error.to_string()))?;
    }
    for lock in LOCKS {
        match tokio::fs::remove_file(git_dir.join(lock)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
    }
    Ok(())
}

async fn authorized(git: &mut Git, repository: &Repository) -> Result<(), GitError> {
    let Some(file) = &repository.token_file else { return Ok(()) };
    let fault = |why: String| GitError::Token { file: file.clone(), why };
    let token = super::secret::read(file, MAX_TOKEN).await.map_err(fault)?;
    git.authorize(repository, &token);
    Ok(())
}

/// A branch that was rewritten is taken as it is now.
async fn fetch(git: &Git, repository: &Repository) -> Result<(), GitError> {
    let from = repository.branch.as_ref().map_or_else(|| "HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
    let (address, refs) = (repository.remote.address(), format!("+{from}:{FETCHED}"));
    // The whole history is fetched like a very deep one, whether there is some of it already or not.
    let depth = if repository.history { "--depth=2147483647" } else { "--depth=1" };
    let arguments = [
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        "--update-shallow",
        depth,
        "--end-of-options",
        &address,
        &refs,
    ];
    match git.run(&arguments).await {
        Ok(_) => Ok(()),
        Err(GitError::Failed(why)) => Err(failed(repository, why)),
        Err(other) => Err(other),
    }
}

async fn commit(git: &Git) -> Result<Option<String>, GitError> {
    match git.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{FETCHED}^{{commit}}")]).await {
        Ok(said) => Ok(Some(said.trim().to_owned())),
        Err(GitError::Failed(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Checks out `commit`, touching only what differs, also after a run that was killed half-way; returns the links that
/// were left out.
async fn lay_out(git: &Git, repository: &Repository, commit: &str) -> Result<Vec<PathBuf>, GitError> {
    let fault = |why: String| at_fault(repository, why);
    let said = |error: GitError| fault(error.to_string());
    git.run(&["checkout", "--quiet", "--force", "--detach", "--no-recurse-submodules", commit]).await.map_err(said)?;
    git.run(&["clean", "--quiet", "-ffdx"]).await.map_err(said)?;
    let files = repository.files();
    let links = tokio::task::spawn_blocking(move || drop_foreign_links(&files)).await;
    links.map_err(|error| fault(error.to_string()))?.map_err(|error| fault(error.to_string()))
}

/// Removes the links that lead out of the repository: whoever may commit must not make us read other files of this
/// machine.
fn drop_foreign_links(files: &Path) -> std::io::Result<Vec<PathBuf>> {
    let real = files.canonicalize()?;
    let mut dropped = Vec::new();
    for item in WalkDir::new(files).follow_links(false) {
        let item = item?;
        if !item.path_is_symlink() || item.path().canonicalize().is_ok_and(|target| target.starts_with(&real)) {
            continue;
        }
        std::fs::remove_file(item.path())?;
        dropped.push(item.path().strip_prefix(files).unwrap_or(item.path()).to_owned());
    }
    Ok(dropped)
}

fn link_warning(link: &Path) -> Warning {
    Warning {
        file: link.display().to_string(),
        line: None,
        message: "this link leads out of the repository or nowhere and was passed over".to_owned(),
    }
}

fn at_fault(repository: &Repository, why: String) -> GitError {
    GitError::Checkout { folder: repository.checkout.clone(), why }
}

fn failed(repository: &Repository, why: String) -> GitError {
    let advice = advice(&why);
    GitError::Fetch { remote: repository.remote.address(), why, advice }
}

/// What to do about what git says.
fn advice(said: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&["couldn't find remote ref", "Remote branch", "no commit"]) {
        "see whether the branch is still there, and name the right one with `branch`"
    } else if has(&["Host key verification failed", "host key"]) {
        "check the host's key and add it to the known hosts of the user who runs Veerpont (ssh-keyscan), or to ssh_known_hosts_file"
    } else if has(&["dubious ownership"]) {
        "a repository on this machine must belong to the user who runs Veerpont; change its owner, or fetch it over ssh or https"
    } else if has(&["Authentication failed", "could not read Username", "Permission denied", "403", "401"]) {
        "give Veerpont the right to read it: token_file for https, ssh_key_file for ssh"
    } else if has(&["redirect", "error: 30"]) {
        "redirects are not followed; write the address it leads to, often the same with `.git`"
    } else if has(&["Could not resolve host", "Connection", "timed out", "Operation too slow", "unable to access"]) {
        "see whether the remote can be reached from here; it is tried again by itself"
    } else {
        "see whether the address is right and the repository still there"
    }
}
