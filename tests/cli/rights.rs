//! Errors of rights say whose a file is, who we are, and what to do. Only root can become somebody else to try it.

#![cfg(unix)]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use crate::{Home, Ran};

/// Nobody's number on most systems.
const NOBODY: u32 = 65534;

/// Whether this test runs as root, which it says where it does not.
fn is_root() -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|found| std::os::unix::fs::MetadataExt::uid(&found) == 0);
    if !root {
        let _ = writeln!(std::io::stderr(), "SKIPPED: only root can try what another user is told");
    }
    root
}

/// Runs a command as nobody.
fn as_nobody(home: &Home, arguments: &[&str]) -> Ran {
    let mut command = home.command(arguments);
    command.uid(NOBODY).gid(NOBODY).output().expect("the program starts").into()
}

fn set_mode(home: &Home, name: &str, mode: u32) {
    std::fs::set_permissions(home.path(name), std::fs::Permissions::from_mode(mode)).expect("a mode");
}

#[test]
fn whose_it_is_and_who_we_are_is_said() {
    if !is_root() {
        return;
    }
    let home = Home::new();
    home.json(&["sync"]);
    set_mode(&home, "", 0o755);
    set_mode(&home, "data", 0o755);
    set_mode(&home, "data/veerpont.db", 0o600);
    let words = ["data/veerpont.db", "belongs to root", "this user is", "sudo -u root", "chown"];
    for command in [&["status"][..], &["sync"], &["author", "add", "ann"], &["serve"]] {
        as_nobody(&home, command).failed_with(&words);
    }
    set_mode(&home, "data", 0o700);
    as_nobody(&home, &["status"]).failed_with(&["the folder", "data belongs to root", "sudo -u root"]);
    // The master key, where the database is open to them.
    set_mode(&home, "data", 0o777);
    set_mode(&home, "data/veerpont.db", 0o666);
    as_nobody(&home, &["sync"]).failed_with(&["data/master.key", "belongs to root"]);
    set_mode(&home, "veerpont.toml", 0o600);
    as_nobody(&home, &["status"]).failed_with(&["veerpont.toml", "belongs to root"]);
    set_mode(&home, "veerpont.toml", 0o644);
    set_mode(&home, "site", 0o700);
    as_nobody(&home, &["config", "check"]).failed_with(&["site", "belongs to root"]);
    as_nobody(&home, &["sync", "--dry-run"]).failed_with(&["site"]);
}

#[test]
fn a_folder_that_we_may_not_write_in_is_named() {
    if !is_root() {
        return;
    }
    let home = Home::new();
    set_mode(&home, "", 0o755);
    as_nobody(&home, &["sync"]).failed_with(&["the folder", "belongs to root", "data/veerpont.db"]);
    assert!(!home.path("data").exists());
}
