//! The program as its operator has it: what it prints, how it ends, and one clear sentence for whatever is wrong.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop where it stands")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

mod answering;
mod beginning;
mod deciding;
mod exporting;
mod faults;
mod keeping;
mod moderator;
mod operator;
mod people;
mod rights;
mod spelling;
mod stopping;

/// A list with nothing in it.
fn nothing() -> Value {
    serde_json::json!({ "items": [], "next": null })
}

/// A folder with a configuration and a small site.
struct Home {
    folder: TempDir,
}

/// What a command did.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Home {
    fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().expect("a folder") };
        home.write("site/hugo.toml", "baseURL = \"https://example.org/\"\n");
        home.write("site/content/authors/ann/_index.md", "---\ntitle: Ann\nbio: Writes about ferries.\n---\n");
        home.post("first", "The first ferry", "2020-01-01", "It sails at nine.");
        home.configure("", "");
        home
    }

    /// Writes the configuration with more lines in `[server]` and under the source.
    fn configure(&self, server: &str, source: &str) {
        let origin = if server.contains("origin") { "" } else { "origin = \"https://social.example.org\"\n" };
        let listen = if server.contains("listen") { "" } else { "listen = \"127.0.0.1:0\"\n" };
        let text = format!(
            "[server]\n{listen}{origin}{server}\n[database]\nurl = \"sqlite://data/veerpont.db\"\n\
             [secrets]\nmaster_key_file = \"data/master.key\"\n\
             [[community]]\nname = \"Harbour\"\nhandle = \"harbour\"\nteam_handle = \"editors\"\n\
             [[source]]\nname = \"site\"\nkind = \"hugo\"\ncommunity = \"harbour\"\npath = \"site\"\n\
             public_url = \"https://example.org/\"\nsections = [\"post\"]\nauthors = \"published\"\n{source}\n"
        );
        self.write("veerpont.toml", &text);
    }

    fn post(&self, name: &str, title: &str, date: &str, body: &str) {
        let text =
            format!("---\ntitle: {title}\ndate: {date}\nauthors: [ann]\nsummary: {title}, in short.\n---\n\n{body}\n");
        self.write(&format!("site/content/post/{name}.md"), &text);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veerpont"));
        command.current_dir(self.folder.path()).args(arguments);
        for name in ["VEERPONT_DATABASE_URL", "VEERPONT_LISTEN", "VEERPONT_MASTER_KEY", "VEERPONT_LOG"] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().expect("the program starts").into()
    }

    /// Runs a command that must succeed, and reads its JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        serde_json::from_str(&ran.stdout).expect("one JSON document on stdout")
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl Ran {
    /// It failed with one sentence that has all of these in it.
    #[track_caller]
    fn failed_with(&self, words: &[&str]) {
        assert_eq!(self.code, Some(1), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stderr.trim_end().lines().count(), 1, "one line: {}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in: {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}
