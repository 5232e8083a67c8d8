//! Keys, backup and restore as an operator has them (docs/operating.md).

use serde_json::{Value, json};

use crate::{Home, Ran};

/// Runs a command on another database.
fn on(home: &Home, database: &str, arguments: &[&str]) -> Ran {
    home.command(arguments).env("VEERPONT_DATABASE_URL", database).output().expect("the program starts").into()
}

fn succeeded(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stderr, "", "nothing else on stderr");
    serde_json::from_str(&ran.stdout).expect("one JSON document on stdout")
}

/// The files of the folder `data`, without those SQLite keeps beside an open database.
fn data(home: &Home) -> Vec<String> {
    let files = std::fs::read_dir(home.path("data")).expect("a folder");
    let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect();
    names.sort();
    names
}

#[cfg(unix)]
fn mode(home: &Home, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(home.path(name)).expect("a file").permissions().mode() & 0o777
}

#[test]
fn keys_are_rotated_for_one_or_for_all() {
    let home = Home::new();
    home.json(&["sync"]);
    assert_eq!(home.json(&["key", "rotate", "@ann", "--yes"])["rotated"], json!(["@ann@social.example.org"]));
    assert_eq!(home.json(&["key", "rotate", "instance", "--yes"])["rotated"], json!(["@instance@social.example.org"]));
    let all = home.json(&["key", "rotate", "--all", "--yes"]);
    let mut all: Vec<&str> = all["rotated"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
    all.sort_unstable();
    let expected = ["ann", "editors", "harbour", "instance"].map(|name| format!("@{name}@social.example.org"));
    assert_eq!(all, expected);
    let told = home.run(&["key", "rotate", "ann", "--yes"]);
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""));
    assert!(
        told.stdout.contains("@ann@social.example.org has a new key pair") && told.stdout.contains("Make a backup now"),
        "{}",
        told.stdout
    );
    assert_eq!(home.json(&["status"])["outbox"]["unsent"], 7, "each is told, once");

    home.run(&["key", "rotate", "nobody"]).failed_with(&["@nobody", "veerpont author list"]);
    for wrong in [&["key", "rotate"][..], &["key", "rotate", "ann", "--all"], &["key"], &["key", "reseal"]] {
        assert_eq!(home.run(wrong).code, Some(2), "{wrong:?}");
    }
    home.json(&["author", "remove", "ann", "--delete", "--yes"]);
    home.run(&["key", "rotate", "ann"]).failed_with(&["@ann is deleted"]);
    let failed = home.run(&["key", "rotate", "nobody", "--json"]);
    let error: Value = serde_json::from_str(&failed.stdout).expect("one JSON document on stdout");
    assert!(failed.code == Some(1) && error["error"].as_str().is_some_and(|why| why.contains("@nobody")), "{error}");
}

#[test]
fn a_new_master_key_is_made_used_and_put_in_place_of_the_old_one() {
    let home = Home::new();
    home.json(&["sync"]);
    home.run(&["key", "reseal", "--new-master-key-file", "data/master.key"]).failed_with(&["present master key"]);
    home.run(&["key", "reseal", "--new-master-key-file", "nowhere/new.key"]).failed_with(&["nowhere/new.key"]);
    home.write("data/short.key", "c2hvcnQ=\n");
    home.run(&["key", "reseal", "--new-master-key-file", "data/short.key"])
        .failed_with(&["short.key", "no master key"]);
    home.json(&["status"]);

    let done = home.json(&["key", "reseal", "--new-master-key-file", "data/new.key"]);
    assert_eq!(done, json!({ "sealed": 8, "new_master_key_file": "data/new.key", "made": true }));
    #[cfg(unix)]
    assert_eq!(mode(&home, "data/new.key"), 0o600);
    assert_eq!(data(&home), ["master.key", "new.key", "short.key", "veerpont.db"]);
    assert!(home.run(&["status"]).stdout.contains("master key  FAILED"), "and who looks is told");
    for command in [&["sync"][..], &["serve"], &["key", "rotate", "ann"]] {
        home.run(command).failed_with(&["master.key", "does not open the private keys"]);
    }
    std::fs::rename(home.path("data/master.key"), home.path("data/old.key")).expect("moved");
    std::fs::rename(home.path("data/new.key"), home.path("data/master.key")).expect("moved");
    assert_eq!(home.json(&["key", "rotate", "ann", "--yes"])["rotated"], json!(["@ann@social.example.org"]));
}

#[test]
fn a_change_of_the_master_key_that_was_cut_short_is_run_again() {
    let home = Home::new();
    home.json(&["sync"]);
    // The new key was written, and then the program ended: the old one still fits.
    home.write("data/new.key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n");
    home.json(&["status"]);
    let done = home.json(&["key", "reseal", "--new-master-key-file", "data/new.key"]);
    assert_eq!((&done["sealed"], &done["made"]), (&8.into(), &false.into()));
    // Everything was sealed, and then the machine ended: the operator sees which key fits.
    home.run(&["key", "reseal", "--new-master-key-file", "data/new.key"])
        .failed_with(&["master.key", "does not open the private keys"]);
    let mut command = home.command(&["sync"]);
    let ran: Ran = command
        .env("VEERPONT_MASTER_KEY", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
        .output()
        .expect("the program starts")
        .into();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn a_backup_is_made_and_restored() {
    let home = Home::new();
    home.run(&["backup", "instance.backup"]).failed_with(&["there is no bridge yet", "data/veerpont.db"]);
    assert!(!home.path("instance.backup").exists() && !home.path("data").exists());
    home.json(&["sync"]);
    let post = home.json(&["post", "show", "post/first"]);
    let made = succeeded(&home.run(&["backup", "instance.backup", "--json"]));
    assert_eq!((&made["origin"], &made["tables"]["keys"]), (&"https://social.example.org".into(), &8.into()));
    #[cfg(unix)]
    assert_eq!(mode(&home, "instance.backup"), 0o600);
    home.run(&["backup", "instance.backup"]).failed_with(&["instance.backup", "is there already"]);
    home.run(&["backup", "nowhere/instance.backup"]).failed_with(&["nowhere", "may write"]);
    assert_eq!(home.run(&["backup"]).code, Some(2));
    let told = home.run(&["backup", "second.backup"]);
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""), "no litter of a progress display");
    assert!(told.stdout.contains("The master key is not in it") && told.stdout.contains("data/master.key"));

    let new = "sqlite://new/veerpont.db";
    let restored = succeeded(&on(&home, new, &["restore", "instance.backup", "--json"]));
    assert_eq!((&restored["tables"], &restored["made_at"]), (&made["tables"], &made["made_at"]));
    assert_eq!(succeeded(&on(&home, new, &["post", "show", "post/first", "--json"])), post);
    on(&home, new, &["restore", "instance.backup"]).failed_with(&["not empty", "nothing was changed"]);
    home.run(&["restore", "instance.backup"]).failed_with(&["not empty"]);
    home.run(&["restore", "absent.backup"]).failed_with(&["absent.backup"]);
    home.write("text.backup", "no database at all, but long enough to be taken for one at first sight");
    let other = "sqlite://other/veerpont.db";
    on(&home, other, &["restore", "text.backup"]).failed_with(&["text.backup", "damaged or no backup"]);
    on(&home, other, &["restore", "data/veerpont.db"]).failed_with(&["no backup made by `veerpont backup`"]);
    home.configure("origin = \"https://other.example.org\"\n", "");
    on(&home, other, &["restore", "instance.backup"]).failed_with(&["https://social.example.org", "origin"]);
    assert!(!home.path("other").exists(), "what cannot be restored makes no database");
    home.configure("", "");
    // Without the master key it says so, and what to do.
    std::fs::rename(home.path("data/master.key"), home.path("kept.key")).expect("moved");
    let told = on(&home, other, &["restore", "instance.backup"]);
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), ""));
    assert!(told.stdout.contains("Before you start") && told.stdout.contains("put it back"), "{}", told.stdout);
    on(&home, other, &["sync"]).failed_with(&["master.key", "missing"]);
    std::fs::rename(home.path("kept.key"), home.path("data/master.key")).expect("moved");
    assert_eq!(succeeded(&on(&home, other, &["post", "show", "post/first", "--json"]))["id"], post["id"]);
}
