//! An operator's day: sync, look, unpublish, publish again, opt people in and out.

use crate::Home;

#[test]
fn the_options_stand_before_or_after_any_command() {
    let home = Home::new();
    let config = home.path("veerpont.toml").display().to_string();
    let before = home.run(&["--json", "--config", &config, "config", "check"]);
    let after = home.run(&["config", "check", "--json", "--config", &config]);
    assert_eq!((before.code, &before.stdout), (Some(0), &after.stdout));
}

#[test]
fn a_sync_tells_what_it_did_and_a_second_one_does_nothing() {
    let home = Home::new();
    let planned = home.json(&["sync", "--dry-run"]);
    assert_eq!((&planned["created"], &planned["dry_run"]), (&1.into(), &true.into()));
    home.run(&["post", "list"]).failed_with(&["there is no bridge yet", "veerpont sync"]);

    let first = home.json(&["sync"]);
    for (key, number) in [("created", 1), ("updated", 0), ("moved", 0), ("removed", 0), ("held", 0), ("unchanged", 0)] {
        assert_eq!(first[key], number, "{key}");
    }
    assert_eq!(first["warnings"], serde_json::json!([]));
    assert_eq!(home.json(&["sync"])["unchanged"], 1);

    let posts = home.json(&["post", "list"]);
    let post = &posts["items"][0];
    assert_eq!(post["key"], "post/first");
    assert_eq!(post["url"], "https://example.org/post/first/");
    assert_eq!(post["title"], "The first ferry");
    assert_eq!(post["state"], "published");
    assert_eq!(post["source"], "site");
    assert_eq!(post["authors"], serde_json::json!(["ann"]));
    assert_eq!(post["published"], "2020-01-01T00:00:00Z");
    assert_eq!(post["updated"], serde_json::Value::Null);
    for count in ["replies", "likes", "boosts"] {
        assert_eq!(post[count], 0);
    }
    let id = post["id"].as_str().expect("an id");
    assert!(id.starts_with("https://social.example.org/ap/articles/"));
    for name in ["post/first", id, "https://example.org/post/first/", "https://example.org/post/first"] {
        assert_eq!(home.json(&["post", "show", name])["id"], id);
    }
    let status = home.json(&["status"]);
    assert_eq!(status["posts"]["published"], 1);
    assert_eq!(status["outbox"], serde_json::json!({ "unsaid": 0, "unsent": 0 }));
}

#[test]
fn an_edit_a_draft_and_a_return() {
    let home = Home::new();
    home.json(&["sync"]);
    home.post("first", "The first ferry", "2020-01-01", "It sails at ten.");
    assert_eq!(home.json(&["sync"])["updated"], 1);
    let edited = home.json(&["post", "show", "post/first"]);
    assert!(edited["updated"].is_string());
    let text = std::fs::read_to_string(home.path("site/content/post/first.md")).expect("a post");
    home.write("site/content/post/first.md", &text.replacen("---\n", "---\ndraft: true\n", 1));
    assert_eq!(home.json(&["sync"])["removed"], 1);
    assert_eq!(home.json(&["post", "show", "post/first"])["state"], "draft");
    home.write("site/content/post/first.md", &text);
    assert_eq!(home.json(&["sync"])["created"], 1);
    assert_ne!(home.json(&["post", "show", "post/first"])["id"], edited["id"], "a deleted id is burned");
}

#[test]
fn unpublish_holds_until_publish() {
    let home = Home::new();
    home.json(&["sync"]);
    let before = home.json(&["post", "show", "post/first"]);
    assert_eq!(home.json(&["post", "unpublish", "post/first", "--yes"])["state"], "withheld");
    home.post("first", "The first ferry", "2020-01-01", "Edited meanwhile.");
    let synced = home.json(&["sync"]);
    assert_eq!((&synced["created"], &synced["updated"]), (&0.into(), &0.into()));
    std::fs::rename(home.path("site/content/post/first.md"), home.path("site/content/post/renamed.md")).expect("moved");
    assert_eq!(home.json(&["sync"])["created"], 0, "another file name does not undo it");
    assert_eq!(home.json(&["post", "show", "post/renamed"])["state"], "withheld");
    std::fs::rename(home.path("site/content/post/renamed.md"), home.path("site/content/post/first.md")).expect("moved");
    home.json(&["sync"]);
    let after = home.json(&["post", "publish", "post/first"]);
    assert_eq!(after["state"], "published");
    assert_ne!(after["id"], before["id"]);
    assert_eq!(after["sent"], false, "it is old, and nobody asked for it to be sent");
}

#[test]
fn an_old_post_is_sent_when_the_operator_says_so() {
    let home = Home::new();
    home.json(&["sync"]);
    assert_eq!(home.json(&["post", "show", "post/first"])["sent"], false);
    let synced = home.json(&["sync", "site", "--deliver", "post/first"]);
    assert_eq!((&synced["delivered"], &synced["created"]), (&1.into(), &0.into()));
    assert_eq!(home.json(&["post", "show", "post/first"])["sent"], true);
    home.run(&["sync", "site", "--deliver", "post/first"]).failed_with(&["not sent yet"]);
}

#[test]
fn authors_are_opted_in_and_out() {
    let home = Home::new();
    home.write("site/content/authors/bo/_index.md", "---\ntitle: Bo\n---\n");
    home.json(&["sync"]);
    assert_eq!(home.json(&["author", "list"])["items"].as_array().map(Vec::len), Some(1), "bo published nothing");
    let bo = home.json(&["author", "add", "bo"]);
    assert_eq!((&bo["handle"], &bo["state"]), (&"@bo@social.example.org".into(), &"active".into()));
    let first = home.json(&["author", "list", "--limit", "1"]);
    let next = first["next"].as_str().expect("there is more");
    let second = home.json(&["author", "list", "--limit", "1", "--after", next]);
    assert_ne!(first["items"][0]["slug"], second["items"][0]["slug"]);
    assert_eq!((second["items"].as_array().map(Vec::len), &second["next"]), (Some(1), &serde_json::json!(null)));
    assert!(home.run(&["author", "list", "--limit", "1"]).stdout.contains(&format!("--after {next}")));
    home.run(&["author", "list", "--after", "x"]).failed_with(&["is no place in this list"]);
    assert_eq!(home.json(&["author", "show", "@bo"])["slug"], "bo");

    assert_eq!(home.json(&["author", "remove", "ann"])["deleted"], false);
    assert_eq!(home.json(&["author", "show", "ann"])["state"], "frozen");
    home.json(&["sync"]);
    assert_eq!(home.json(&["author", "show", "ann"])["state"], "frozen", "a sync does not undo it");
    home.post("second", "The second ferry", "2020-02-02", "It sails at noon.");
    home.json(&["sync"]);
    assert_eq!(home.json(&["post", "show", "post/second"])["owner"], "@editors@social.example.org");

    let gone = home.json(&["author", "remove", "ann", "--delete", "--yes"]);
    assert_eq!((&gone["deleted"], &gone["articles_deleted"]), (&true.into(), &1.into()));
    assert_eq!(home.json(&["author", "show", "ann"])["state"], "deleted");
    home.run(&["author", "add", "ann"]).failed_with(&["@ann", "deleted"]);
    assert_eq!(home.json(&["sync"])["created"], 0, "the team account does not publish what was deleted");
    assert_eq!(home.json(&["post", "show", "post/first"])["state"], "withheld");
}

#[test]
fn vanished_posts_are_held_until_confirmed() {
    let home = Home::new();
    home.json(&["sync"]);
    std::fs::remove_file(home.path("site/content/post/first.md")).expect("removed");
    let held = home.json(&["sync"]);
    assert_eq!((&held["held"], &held["removed"]), (&1.into(), &0.into()), "all of a site's posts never vanish unasked");
    assert_eq!(home.json(&["post", "show", "post/first"])["state"], "held");
    assert_eq!(home.json(&["sync", "--confirm"])["removed"], 1);
    assert_eq!(home.json(&["post", "show", "post/first"])["state"], "removed");
}
