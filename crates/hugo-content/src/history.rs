//! When git last saw each file of a folder change: the `:git` dates of Hugo (docs/hugo.md#whether-and-when). Asked of a site that wants them.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, FixedOffset};

/// Bytes of history that are read; what changed before that has no date.
const MAX_HISTORY: usize = 512 * 1024 * 1024;

/// What git is told on every run; it wins over every file.
const SETTINGS: &[(&str, &str)] = &[
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "false"),
    ("submodule.recurse", "false"),
    ("log.showSignature", "false"),
];

/// Author dates of the last commits that changed the files below a folder, by their paths in it.
pub(crate) type Changed = HashMap<PathBuf, DateTime<FixedOffset>>;

/// Reads the history of a folder in a git work tree. `git_dir` is where git's own data is, if it is not above the folder.
///
/// # Errors
/// When there is no history to rely on, with what to do.
pub(crate) fn read(folder: &Path, git_dir: Option<&Path>) -> Result<Changed, String> {
    let shallow = said(folder, git_dir, &["rev-parse", "--is-shallow-repository"])?;
    if shallow.trim() == "true" {
        return Err(
            "only the newest commit is here, not the history; set `history = true` beside `repository`, or fetch \
                    the whole history into the folder"
                .to_owned(),
        );
    }
    let mut child = local(folder, git_dir)
        .args(["log", "-z", "--no-renames", "--name-only", "--relative", "--format=tformat:%x01%aI"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("git cannot be run: {error}"))?;
    let mut changed = Changed::new();
    if let Some(out) = child.stdout.take() {
        take(BufReader::new(out), &mut changed);
    }
    // It may still be writing what is over the limit.
    let _ = child.kill();
    child.wait().map_err(|error| format!("git cannot be run: {error}"))?;
    Ok(changed)
}

/// Commits come newest first, each as a date, then the names of what it changed.
fn take(mut out: impl BufRead, changed: &mut Changed) {
    let (mut date, mut piece, mut read) = (None, Vec::new(), 0);
    while read < MAX_HISTORY {
        piece.clear();
        match out.read_until(0, &mut piece) {
            Ok(length) if length > 0 => read += length,
            _ => return,
        }
        let piece = piece.strip_suffix(b"\0").unwrap_or(&piece);
        if let Some(written) = piece.strip_prefix(b"\x01") {
            date = std::str::from_utf8(written).ok().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        } else if let (Some(date), Ok(name)) = (date, std::str::from_utf8(piece.strip_prefix(b"\n").unwrap_or(piece))) {
            changed.entry(PathBuf::from(name)).or_insert(date);
        }
    }
}

fn said(folder: &Path, git_dir: Option<&Path>, arguments: &[&str]) -> Result<String, String> {
    let output = local(folder, git_dir).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "the program `git` is not on this machine; install it".to_owned(),
        _ => format!("git cannot be run: {error}"),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(last_words(&String::from_utf8_lossy(&output.stderr)))
}

/// The program for questions about a folder that is here, which reach no remote and write nothing.
fn local(folder: &Path, git_dir: Option<&Path>) -> Command {
    let mut command = Command::new("git");
    command.env_clear().envs(["PATH", "HOME"].iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    for (number, (key, value)) in SETTINGS.iter().enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{number}"), key).env(format!("GIT_CONFIG_VALUE_{number}"), value);
    }
    command.env("GIT_CONFIG_COUNT", SETTINGS.len().to_string()).env("LC_ALL", "C").current_dir(folder);
    command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
    if let Some(git_dir) = git_dir {
        let top = git_dir.parent().map_or_else(|| folder.to_owned(), |checkout| checkout.join("files"));
        command.env("GIT_DIR", git_dir).env("GIT_WORK_TREE", top);
    }
    command
}

/// The lines in which git says what is wrong, fit for one line of a message.
#[must_use]
pub fn last_words(said: &str) -> String {
    let clean = |line: &str| line.chars().filter(|c| !c.is_control()).take(300).collect::<String>();
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let telling = ["fatal:", "error:", "remote:", "Host key", "Permission denied", "ssh:"];
    let mut chosen: Vec<String> = lines
        .iter()
        .filter(|line| telling.iter().any(|start| line.starts_with(start)) || line.contains("Permission denied"))
        .map(|line| clean(line))
        .take(4)
        .collect();
    if chosen.is_empty() {
        chosen.extend(lines.last().map(|line| clean(line)));
    }
    chosen.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, date: &str, arguments: &[&str]) {
        let done = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(["-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .env("GIT_AUTHOR_DATE", date)
            .output()
            .expect("git");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn each_file_has_the_author_date_of_its_last_commit() {
        let top = tempfile::tempdir().expect("a folder");
        let site = top.path().join("site");
        std::fs::create_dir_all(site.join("content")).expect("a folder");
        assert!(read(&site, None).is_err(), "no repository");
        let write = |name: &str, text: &str| std::fs::write(site.join("content").join(name), text).expect("a file");
        git(top.path(), "", &["init", "--quiet"]);
        write("a.md", "one");
        write("b é\n.md", "one");
        git(top.path(), "", &["add", "."]);
        git(top.path(), "2024-01-02T03:04:05+02:00", &["commit", "--quiet", "-m", "one"]);
        write("a.md", "two");
        git(top.path(), "2024-05-06T07:08:09Z", &["commit", "--quiet", "-a", "-m", "two"]);
        write("new.md", "not committed");
        let changed = read(&site, None).expect("a history");
        let at = |name: &str| changed.get(&Path::new("content").join(name)).map(DateTime::to_rfc3339);
        assert_eq!(at("a.md").as_deref(), Some("2024-05-06T07:08:09+00:00"));
        assert_eq!(at("b é\n.md").as_deref(), Some("2024-01-02T03:04:05+02:00"));
        assert_eq!((at("new.md"), changed.len()), (None, 2));

        let shallow = top.path().join("shallow");
        let from = format!("file://{}", top.path().display());
        git(top.path(), "", &["clone", "--quiet", "--depth=1", &from, &shallow.display().to_string()]);
        assert!(read(&shallow.join("site"), None).expect_err("no history").contains("history = true"));
    }
}
