//! Decisions are remembered with who and why, and what cannot be undone is not done by mistake.

use serde_json::{Value, json};

use crate::people::{EVE, NOTICE, REPLY, arrive};
use crate::{Home, nothing};

fn instance() -> Home {
    let home = Home::new();
    home.json(&["sync"]);
    arrive(&home);
    home
}

/// A command that is not done without `--yes` where nobody can be asked, and says what it would do.
#[track_caller]
fn asks(home: &Home, command: &[&str], words: &[&str]) {
    let before = [home.json(&["status"]), home.json(&["reply", "list"]), home.json(&["follower", "list"])];
    home.run(command).failed_with(&[&["cannot be undone", "nothing was done", "--yes"][..], words].concat());
    home.run(&[command, &["--json"]].concat()).failed_with(words);
    let after = [home.json(&["status"]), home.json(&["reply", "list"]), home.json(&["follower", "list"])];
    assert_eq!(before, after, "{command:?} did something");
    let done = home.run(&[command, &["--yes"]].concat());
    assert_eq!(done.code, Some(0), "{command:?}: {}", done.stderr);
}

#[test]
fn what_cannot_be_undone_is_said_and_asked() {
    let home = instance();
    asks(&home, &["reply", "delete", REPLY], &["@eve@peer.test", "forgets"]);
    asks(&home, &["key", "rotate", "ann"], &["1 actor a new key"]);
    asks(&home, &["follower", "remove", "@eve@peer.test", "--author", "@ann@social.example.org"], &["@eve@peer.test"]);
    asks(&home, &["post", "unpublish", "post/first"], &["The first ferry", "replies 0"]);
    assert_eq!(home.run(&["post", "unpublish", "post/first"]).code, Some(0), "nothing is lost a second time");
    let home = instance();
    let sent = home.json(&["reply", "send", "--as", "ann", "--to", "https://example.org/post/first", "Yes"]);
    asks(
        &home,
        &["author", "remove", "ann", "--delete"],
        &["@ann@social.example.org", "1 article", "1 answer", "1 follow"],
    );
    assert_eq!(home.json(&["reply", "show", sent["id"].as_str().expect("an id")])["state"], "deleted");
    // What can be undone is not asked.
    let home = instance();
    for command in [&["author", "remove", "ann"][..], &["reply", "hide", REPLY], &["reply", "approve", REPLY]] {
        assert_eq!(home.run(command).code, Some(0), "{command:?}");
    }
}

#[test]
fn a_block_tells_what_it_would_do_and_asks_where_follows_end() {
    let home = instance();
    home.json(&["reply", "approve", REPLY]);
    let dry = home.json(&["block", "add", "domain", "peer.test", "--dry-run"]);
    assert_eq!((&dry["dry_run"], &dry["forecast"]["public_suffix"]), (&true.into(), &false.into()));
    assert_eq!(
        dry["forecast"]["would"],
        json!({ "hidden": 1, "shown_again": 0, "follows_ended": 1, "servers_cut_off": 1 }),
        "private words were not shown before"
    );
    assert_eq!(
        dry["forecast"]["followers_lost"],
        json!([{ "follower_id": EVE, "author": "@ann@social.example.org", "because": "peer.test" }])
    );
    let told = home.run(&["block", "add", "domain", "peer.test", "--dry-run"]).stdout;
    assert!(
        told.contains("would be: the domain peer.test kept out, 1 hidden, 1 follow ended, 1 server cut off"),
        "{told}"
    );
    assert_eq!(home.json(&["block", "list"])["items"], json!([]));
    asks(&home, &["block", "add", "domain", "peer.test"], &["ends 1 follow"]);
    assert_eq!(home.json(&["follower", "list"]), nothing());

    let home = instance();
    for suffix in ["com", "co.uk", "github.io"] {
        asks(&home, &["block", "add", "domain", suffix], &[suffix, "anybody may register"]);
    }
    // Nobody is lost, so nobody is asked.
    home.json(&["block", "add", "domain", "bad.example"]);
    home.json(&["block", "add", "domain", "192.0.2.1"]);
    home.json(&["block", "add", "domain", "peer.test", "--severity", "silence"]);
}

#[test]
fn what_a_moderator_hid_is_not_counted_as_shown_again() {
    let home = instance();
    home.json(&["reply", "hide", REPLY]);
    let done = home.json(&["block", "add", "actor", "@eve@peer.test", "--yes"]);
    assert_eq!(done["enforced"]["hidden"], 0);
    let back = home.json(&["block", "remove", "actor", EVE]);
    assert_eq!(back["enforced"]["shown_again"], 0);
    assert_eq!(home.json(&["reply", "show", REPLY])["state"], "hidden");
}

#[test]
fn a_list_is_not_emptied_by_mistake() {
    let home = instance();
    home.write("ours.csv", "bad.example\nworse.example\n");
    home.json(&["block", "import", "ours.csv"]);
    home.write("ours.csv", "<html>\n");
    home.run(&["block", "import", "ours.csv"]).failed_with(&["ours", "2 entries would be empty", "--allow-empty"]);
    assert_eq!(home.json(&["block", "list"])["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(home.json(&["block", "import", "ours.csv", "--dry-run"])["removed"].as_array().map(Vec::len), Some(2));
    home.json(&["block", "import", "ours.csv", "--allow-empty"]);
    assert_eq!(home.json(&["block", "list"])["items"], json!([]));
    home.write("theirs.csv", "peer.test\n");
    asks(&home, &["block", "import", "theirs.csv"], &["ends 1 follow"]);
    // A list that names nobody yet may be imported empty.
    home.write("new.csv", "# nobody\n");
    home.json(&["block", "import", "new.csv"]);
}

#[test]
fn the_same_decision_again_keeps_its_reason() {
    let home = instance();
    let why = || home.json(&["reply", "show", REPLY])["why"].clone();
    home.json(&["reply", "hide", REPLY, "--reason", "an advert"]);
    home.json(&["reply", "hide", REPLY]);
    assert_eq!(why(), "an advert");
    home.json(&["reply", "approve", REPLY]);
    assert_eq!(why(), Value::Null, "another decision has its own");
    home.json(&["reply", "approve", REPLY, "--reason", "it is not"]);
    home.json(&["reply", "approve", REPLY]);
    assert_eq!(why(), "it is not");

    home.json(&["block", "add", "domain", "bad.example", "--reason", "spam"]);
    home.json(&["block", "add", "domain", "bad.example", "--severity", "silence"]);
    let block = &home.json(&["block", "list"])["items"][0];
    assert_eq!((&block["reason"], &block["severity"]), (&"spam".into(), &"silence".into()));
}

#[test]
fn past_decisions_are_told_with_who_when_and_why() {
    let home = instance();
    home.json(&["reply", "approve", REPLY, "--reason", "fine", "--by", "Mo"]);
    home.json(&["reply", "hide", REPLY, "--by", "Bo"]);
    home.json(&["reply", "approve", REPLY]);
    let decisions = home.json(&["reply", "show", REPLY])["decisions"].clone();
    let of = |at: usize| [&decisions[at]["by"], &decisions[at]["what"], &decisions[at]["why"]];
    assert_eq!(of(0), [&json!("Mo"), &json!("approved it"), &json!("fine")]);
    assert_eq!(of(1), [&json!("Bo"), &json!("hid it"), &Value::Null]);
    assert!(decisions[2]["by"].as_str().is_some_and(|user| !user.is_empty()), "the user of this machine");
    assert!(decisions.as_array().is_some_and(|all| all.iter().all(|one| one["at"].is_string())));
    for command in [["reply", "show"].as_slice(), &["explain"]] {
        let told = home.run(&[command, &[REPLY]].concat()).stdout;
        assert!(told.contains("Mo approved it: fine") && told.contains("Bo hid it"), "{told}");
    }
    for _ in 0..25 {
        home.json(&["reply", "hide", REPLY]);
    }
    let kept = home.json(&["reply", "show", REPLY])["decisions"].as_array().map(Vec::len);
    assert_eq!(kept, Some(20), "only so many are kept");

    home.json(&["block", "add", "domain", "Bad.Example.", "--reason", "spam", "--by", "Mo"]);
    home.json(&["block", "remove", "domain", "bad.example", "--by", "Bo"]);
    let told = home.run(&["explain", "bad.example"]).stdout;
    assert!(told.contains("Mo blocked it: spam") && told.contains("Bo took the block away"), "{told}");
}

#[test]
fn private_words_are_called_private() {
    let home = instance();
    assert_eq!(home.json(&["reply", "show", NOTICE])["state"], "private");
    assert_eq!(home.json(&["status"])["replies"], json!({ "held": 1, "private": 1 }));
    assert_eq!(home.json(&["reply", "list", "--state", "shown"]), nothing());
    assert_eq!(home.json(&["reply", "list", "--state", "private"])["items"][0]["id"], NOTICE);
    assert!(home.run(&["explain", NOTICE]).stdout.contains("it is private"), "and explain says so");
}
