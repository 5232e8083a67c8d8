//! Whatever is wrong is one clear sentence that says what to do, and exit 1; wrong use is exit 2.

use std::net::TcpListener;

use crate::Home;

#[test]
fn without_a_configuration_it_says_how_to_write_one() {
    let home = Home::new();
    std::fs::remove_file(home.path("veerpont.toml")).expect("removed");
    for command in ["serve", "sync", "status"] {
        home.run(&[command]).failed_with(&["veerpont.toml", "veerpont init", "--config"]);
    }
}

#[test]
fn init_never_overwrites() {
    let home = Home::new();
    let before = std::fs::read(home.path("veerpont.toml")).expect("a file");
    home.run(&["init"]).failed_with(&["veerpont.toml", "already", "--config"]);
    assert_eq!(std::fs::read(home.path("veerpont.toml")).expect("a file"), before);
    let made =
        home.run(&["init", "--config", "new/other.toml", "--site", "../site", "--public-url", "https://example.org/"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let checked = home.json(&["config", "check", "--config", "new/other.toml"]);
    assert_eq!(checked["ok"], true);
}

#[test]
fn a_fault_in_the_configuration_is_shown_at_its_line() {
    let home = Home::new();
    home.configure("colour = \"blue\"", "");
    home.run(&["config", "check"]).failed_with(&["veerpont.toml:4", "colour"]);
    home.configure("", "authors_typo = 1");
    home.run(&["serve"]).failed_with(&["veerpont.toml", "authors_typo"]);
}

#[test]
fn a_missing_source_folder_is_named() {
    let home = Home::new();
    std::fs::remove_dir_all(home.path("site")).expect("removed");
    home.run(&["sync"]).failed_with(&["site", "path"]);
    home.run(&["config", "check"]).failed_with(&["site", "path"]);
    assert_eq!(home.json(&["post", "list", "--all"]), crate::nothing());
}

#[test]
fn a_database_that_cannot_be_read_is_named() {
    let home = Home::new();
    home.write("data/veerpont.db", "this is no database, and long enough to be read as a header that is wrong");
    home.run(&["serve"]).failed_with(&["veerpont.db", "[database] url"]);
    home.run(&["status"]).failed_with(&["veerpont.db", "[database] url"]);
    home.write("blocked", "a file where a folder should be");
    let mut command = home.command(&["status"]);
    let ran: crate::Ran =
        command.env("VEERPONT_DATABASE_URL", "sqlite://blocked/veerpont.db").output().expect("it starts").into();
    ran.failed_with(&["blocked", "[database] url"]);
    for secret in
        ["postgres://veerpont:top-secret@127.0.0.1:1/none", "postgres://veerpont@127.0.0.1:1/none?password=top-secret"]
    {
        let mut command = home.command(&["status"]);
        let ran: crate::Ran = command.env("VEERPONT_DATABASE_URL", secret).output().expect("it starts").into();
        ran.failed_with(&["127.0.0.1", "[database] url"]);
        assert!(!ran.stderr.contains("top-secret"), "{}", ran.stderr);
    }
}

#[test]
fn the_master_key_is_made_once_and_then_must_be_there_and_right() {
    let home = Home::new();
    home.json(&["sync"]);
    let file = home.path("data/master.key");
    let key = std::fs::read_to_string(&file).expect("a key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    std::fs::remove_file(&file).expect("removed");
    for command in [&["sync"][..], &["author", "add", "ann"]] {
        home.run(command).failed_with(&["master.key", "missing", "backup", "VEERPONT_MASTER_KEY"]);
    }
    let looked = home.json(&["status"]);
    assert!(looked["master_key"].as_str().is_some_and(|why| why.contains("missing")), "{looked}");
    assert!(!file.exists(), "no new key is made over sealed ones");

    let mut command = home.command(&["sync"]);
    let ran: crate::Ran = command.env("VEERPONT_MASTER_KEY", key.trim()).output().expect("it starts").into();
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);

    home.write("data/master.key", "not a key\n");
    home.run(&["sync"]).failed_with(&["master.key", "backup"]);
    home.write("data/master.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n");
    let wrong = home.run(&["sync"]);
    wrong.failed_with(&["master.key", "does not open"]);
    assert!(!wrong.stderr.contains("MDEyMzQ1"), "{}", wrong.stderr);
}

#[test]
fn what_stands_in_every_id_cannot_change() {
    let home = Home::new();
    home.json(&["sync"]);
    home.configure("origin = \"https://other.example.org\"", "");
    for command in [&["serve"][..], &["status"], &["sync", "--dry-run"], &["author", "add", "ann"]] {
        home.run(command).failed_with(&["origin", "https://social.example.org", "https://other.example.org"]);
    }
    home.configure("handle_domain = \"example.net\"", "");
    home.run(&["serve"]).failed_with(&["handle_domain", "social.example.org", "example.net"]);
}

#[test]
fn a_known_source_or_community_must_stay_configured() {
    let home = Home::new();
    home.json(&["sync"]);
    let text = std::fs::read_to_string(home.path("veerpont.toml")).expect("a file");
    home.write("veerpont.toml", &text.replace("name = \"site\"", "name = \"renamed\""));
    home.run(&["serve"]).failed_with(&["`site`", "[[source]]"]);
    let renamed = text.replace("\"harbour\"", "\"quay\"").replace("\"editors\"", "\"writers\"");
    home.write("veerpont.toml", &renamed);
    home.run(&["serve"]).failed_with(&["@harbour", "[[community]]"]);
}

#[test]
fn a_taken_handle_stops_the_sync_before_anything_is_written() {
    let home = Home::new();
    home.write("site/content/authors/editors/_index.md", "---\ntitle: The editors\n---\n");
    home.write(
        "site/content/post/second.md",
        "---\ntitle: Second\ndate: 2020-02-02\nauthors: [editors]\n---\n\nHello.\n",
    );
    home.run(&["sync"]).failed_with(&["@editors", "[source.handles]", "editors = "]);
    assert_eq!(home.json(&["post", "list", "--all"]), crate::nothing());
    assert_eq!(home.json(&["author", "list"]), crate::nothing());
    home.configure("", "[source.handles]\neditors = \"the-editors\"");
    assert_eq!(home.json(&["sync"])["created"], 2);
}

#[test]
fn a_taken_port_is_named() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    home.configure(&format!("listen = \"{address}\""), "");
    // Begun before, so that nothing else is said.
    home.json(&["sync"]);
    home.run(&["serve"]).failed_with(&[&address, "VEERPONT_LISTEN"]);
}

#[test]
fn wrong_use_is_exit_2() {
    let home = Home::new();
    for arguments in [&["syncc"][..], &["sync", "--nonsense"], &["post", "show"], &[]] {
        assert_eq!(home.run(arguments).code, Some(2), "{arguments:?}");
    }
    assert_eq!(home.run(&["--help"]).code, Some(0));
}

#[test]
fn what_is_not_there_is_said() {
    let home = Home::new();
    home.json(&["sync"]);
    home.run(&["sync", "other"]).failed_with(&["`other`"]);
    home.run(&["post", "show", "post/none"]).failed_with(&["post/none", "post list"]);
    home.run(&["author", "show", "bob"]).failed_with(&["bob", "author list"]);
    home.run(&["author", "add", "bob"]).failed_with(&["bob"]);
    home.run(&["follower", "remove", "https://x.example/u", "--author", "ann"])
        .failed_with(&["does not follow @ann@social.example.org"]);
    home.run(&["sync", "--deliver", "post/none"]).failed_with(&["post/none"]);
    let failed = home.run(&["--json", "post", "show", "post/none"]);
    let document: serde_json::Value = serde_json::from_str(&failed.stdout).expect("JSON even then");
    assert!(document["error"].as_str().is_some_and(|why| why.contains("post/none")));
}
