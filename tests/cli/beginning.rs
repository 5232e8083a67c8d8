//! Only `serve` and `sync` begin an instance; whoever looks or plans leaves nothing behind.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::people::run_sql;
use crate::{Home, nothing};

/// What only looks, each with whatever it needs to be a right use.
const LOOKING: [&[&str]; 18] = [
    &["status"],
    &["author", "list"],
    &["author", "show", "ann"],
    &["post", "list", "--all"],
    &["post", "show", "post/first"],
    &["reply", "list"],
    &["reply", "show", "https://peer.test/1"],
    &["block", "list"],
    &["block", "add", "domain", "bad.test", "--dry-run"],
    &["report", "list"],
    &["inbox", "list"],
    &["explain", "post/first"],
    &["follower", "list"],
    &["delivery", "list", "--all"],
    &["delivery", "show", "1", "https://peer.test/inbox"],
    &["host", "list"],
    &["host", "show", "peer.test"],
    &["export", "comments", "--hugo", "site"],
];

/// What looks for something that is not there.
const ABSENT: [&[&str]; 3] = [
    &["reply", "show", "https://peer.test/1"],
    &["delivery", "show", "1", "https://peer.test/inbox"],
    &["host", "show", "peer.test"],
];

/// What decides something.
const DECIDING: [&[&str]; 13] = [
    &["author", "add", "ann"],
    &["author", "remove", "ann"],
    &["post", "unpublish", "post/first", "--yes"],
    &["reply", "approve", "https://peer.test/1"],
    &["reply", "send", "--as", "ann", "--to", "https://example.org/post/first/", "Yes"],
    &["block", "add", "domain", "bad.test"],
    &["block", "remove", "domain", "bad.test"],
    &["report", "resolve", "1", "--note", "done"],
    &["follower", "remove", "https://peer.test/u", "--author", "ann", "--yes"],
    &["delivery", "retry", "--host", "peer.test"],
    &["delivery", "drop", "--host", "peer.test", "--yes"],
    &["key", "rotate", "--all", "--yes"],
    &["key", "reseal", "--new-master-key-file", "new.key"],
];

/// All files below a folder with what is in them, but what SQLite keeps beside an open database.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.display().to_string();
            if path.is_dir() {
                found.push((name, Vec::new()));
                folders.push(path);
            } else if !name.ends_with("-wal") && !name.ends_with("-shm") {
                found.push((name, std::fs::read(&path).expect("a file")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn who_looks_or_decides_begins_nothing() {
    let home = Home::new();
    let before = files(home.folder.path());
    for command in LOOKING.iter().chain(&DECIDING) {
        home.run(command).failed_with(&["there is no bridge yet", "data/veerpont.db", "veerpont serve", "--config"]);
        assert_eq!(files(home.folder.path()), before, "{command:?} left something behind");
    }
    home.run(&["backup", "instance.backup"]).failed_with(&["there is no bridge yet"]);
    assert_eq!(files(home.folder.path()), before);
}

#[test]
fn an_empty_file_is_no_instance_and_stays_empty() {
    let home = Home::new();
    home.write("data/veerpont.db", "");
    home.run(&["status"]).failed_with(&["there is no bridge yet"]);
    home.json(&["sync", "--dry-run"]);
    assert_eq!(std::fs::read(home.path("data/veerpont.db")).expect("a file"), b"");
}

#[test]
fn a_plan_needs_no_instance_and_makes_none() {
    let home = Home::new();
    let before = files(home.folder.path());
    let planned = home.json(&["sync", "--dry-run"]);
    assert_eq!((&planned["created"], &planned["dry_run"]), (&1.into(), &true.into()));
    assert_eq!((&planned["opted_in"][0], &planned["begun"]), (&"@ann@social.example.org".into(), &Value::Null));
    assert_eq!(files(home.folder.path()), before);
    // A handle that the instance would take is told before there is an instance.
    home.write("site/content/authors/editors/_index.md", "---\ntitle: The editors\n---\n");
    home.write(
        "site/content/post/second.md",
        "---\ntitle: Second\ndate: 2020-02-02\nauthors: [editors]\n---\n\nHello.\n",
    );
    let before = files(home.folder.path());
    home.run(&["sync", "--dry-run"]).failed_with(&["@editors", "[source.handles]"]);
    assert_eq!(files(home.folder.path()), before);
}

#[test]
fn the_first_sync_says_what_is_fixed_for_ever() {
    let home = Home::new();
    let first = home.json(&["sync"]);
    let begun = &first["begun"];
    assert_eq!((&begun["instance"], &begun["origin"]), (&true.into(), &"https://social.example.org".into()));
    assert_eq!(
        (&begun["handle_domain"], &begun["sources"]),
        (&"social.example.org".into(), &serde_json::json!(["site"]))
    );
    assert_eq!(
        begun["actors"],
        serde_json::json!([
            "@instance@social.example.org",
            "@harbour@social.example.org",
            "@editors@social.example.org"
        ])
    );
    assert!(begun["master_key_file"].as_str().is_some_and(|file| file.ends_with("data/master.key")), "{begun}");
    assert_eq!(home.json(&["sync"])["begun"], Value::Null, "only once");
    let other = Home::new();
    let told = other.run(&["sync"]).stdout;
    for words in
        ["Fixed for ever", "https://social.example.org", "@harbour", "keep a copy in another place", "1 created"]
    {
        assert!(told.contains(words), "`{words}` is not in: {told}");
    }
}

#[test]
fn who_looks_changes_nothing_that_is_there() {
    let home = Home::new();
    home.json(&["sync"]);
    let before = files(home.folder.path());
    for command in LOOKING.iter().filter(|command| command[0] != "export" && !ABSENT.contains(command)) {
        let ran = home.run(command);
        assert_eq!(ran.code, Some(0), "{command:?}: {}", ran.stderr);
    }
    // A new source is planned before anybody founds it, and a broken one is not held against the real one.
    let text = std::fs::read_to_string(home.path("veerpont.toml")).expect("a file");
    home.write(
        "veerpont.toml",
        &format!("{text}\n[[source]]\nname = \"other\"\nkind = \"hugo\"\ncommunity = \"harbour\"\npath = \"nowhere\"\npublic_url = \"https://other.example/\"\nauthors = \"published\"\n"),
    );
    assert_eq!(home.json(&["sync", "site", "--dry-run"])["unchanged"], 1);
    home.run(&["sync", "other", "--dry-run"]).failed_with(&["nowhere"]);
    home.write("veerpont.toml", &text);
    assert_eq!(files(home.folder.path()), before, "looking and planning changed something");
    assert_eq!(home.json(&["status"])["sources"][0]["error"], Value::Null);
    assert_eq!(home.json(&["reply", "list"]), nothing());
}

#[test]
fn an_older_database_is_brought_up_to_date_by_who_runs_it_and_said() {
    let home = Home::new();
    home.json(&["sync"]);
    run_sql(&home, "DROP TABLE decisions; DROP TABLE foreign_hosts; DELETE FROM _sqlx_migrations WHERE version = 20;");
    let before = std::fs::read(home.path("data/veerpont.db")).expect("a file");
    for command in [&["status"][..], &["block", "add", "domain", "bad.test"], &["sync", "--dry-run"]] {
        home.run(command).failed_with(&["older Veerpont", "veerpont serve", "veerpont backup"]);
    }
    home.json(&["backup", "before.backup"]);
    assert_eq!(std::fs::read(home.path("data/veerpont.db")).expect("a file"), before, "nobody brought it up to date");
    let told = home.run(&["sync"]);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    assert!(told.stdout.contains("made by an older Veerpont, and is up to date now"), "{}", told.stdout);
    home.json(&["status"]);
    // What was backed up before is restored by the newer program.
    let mut command = home.command(&["restore", "before.backup"]);
    let ran = command.env("VEERPONT_DATABASE_URL", "sqlite://new/veerpont.db").output().expect("it starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));

    run_sql(&home, "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 20;");
    home.run(&["status"]).failed_with(&["newer Veerpont", "9999"]);
}

#[test]
fn serve_says_what_it_fixed() {
    let home = Home::new();
    let mut child = home
        .command(&["serve"])
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(home.path("log")).expect("a file"))
        .spawn()
        .expect("the program starts");
    let mut log = String::new();
    for _ in 0..1200 {
        log = std::fs::read_to_string(home.path("log")).expect("a log");
        if log.contains("serving") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(log.contains("Fixed for ever") && log.contains("https://social.example.org"), "{log}");
}
