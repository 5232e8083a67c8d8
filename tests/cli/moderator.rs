//! A moderator's commands: blocks by hand and by list, replies and reports, each with a sentence for what is wrong.

use serde_json::json;

use crate::Home;

#[test]
fn blocks_are_made_listed_and_removed() {
    let home = Home::new();
    home.json(&["sync"]);
    let made = home.json(&["block", "add", "domain", "Bad.Test.", "--reason", "spam"]);
    assert_eq!((&made["value"], &made["severity"]), (&"bad.test".into(), &"block".into()));
    home.json(&["block", "add", "keyword", "Casino", "--severity", "silence", "--author", "@ann"]);
    home.json(&["block", "add", "actor", "https://peer.test/users/eve"]);
    let blocks = home.json(&["block", "list"]);
    let blocks: Vec<_> = blocks["items"].as_array().expect("a list").iter().collect();
    let line = |at: usize| {
        let of = |key: &str| blocks[at][key].clone();
        [of("kind"), of("value"), of("severity"), of("author"), of("list"), of("reason")]
    };
    let null = json!(null);
    assert_eq!(
        line(2),
        [
            json!("actor"),
            json!("https://peer.test/users/eve"),
            json!("block"),
            null.clone(),
            null.clone(),
            null.clone()
        ]
    );
    assert_eq!(
        line(0),
        [json!("domain"), json!("bad.test"), json!("block"), null.clone(), null.clone(), json!("spam")]
    );
    assert_eq!(
        line(1),
        [
            json!("keyword"),
            json!("casino"),
            json!("silence"),
            json!("@ann@social.example.org"),
            null.clone(),
            null.clone()
        ]
    );
    let shown = home.run(&["block", "list"]);
    assert!(shown.stdout.contains("by hand") && shown.stdout.contains("everyone"), "{}", shown.stdout);

    home.json(&["block", "remove", "domain", "BAD.test"]);
    home.run(&["block", "remove", "domain", "bad.test"]).failed_with(&["there is no such block", "block list"]);
    home.run(&["block", "remove", "keyword", "casino"]).failed_with(&["there is no such block"]);
    home.json(&["block", "remove", "keyword", "casino", "--author", "ann"]);
    assert_eq!(home.json(&["block", "list"])["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_list_is_tried_imported_and_removed() {
    let home = Home::new();
    home.json(&["sync"]);
    home.write(
        "fedi.csv",
        "#domain,#severity,#public_comment\nbad.test,suspend,Spam\nloud.test,silence,\nx*.test,suspend,\n",
    );
    let dry = home.json(&["block", "import", "fedi.csv", "--dry-run"]);
    assert_eq!(
        (&dry["list"], &dry["dry_run"], &dry["added"]),
        (&"fedi".into(), &true.into(), &json!(["bad.test", "loud.test"]))
    );
    assert_eq!(dry["skipped"][0]["line"], 4);
    assert_eq!(home.json(&["block", "list"])["items"], json!([]));

    let said = home.run(&["block", "import", "fedi.csv", "--list", "Fedi"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    for line in ["add     bad.test", "skip    line 4: x*.test: it is obfuscated", "2 added or changed, 0 removed"] {
        assert!(said.stdout.contains(line), "`{line}` is not in: {}", said.stdout);
    }
    let list = home.json(&["block", "list"]);
    assert_eq!(
        (&list["lists"][0]["name"], &list["lists"][0]["entries"], &list["lists"][0]["file"]),
        (&"Fedi".into(), &2.into(), &"fedi.csv".into())
    );
    home.run(&["block", "remove", "domain", "bad.test"]).failed_with(&["it is of the list Fedi", "--list"]);
    home.run(&["block", "remove", "--list", "fedi"]).failed_with(&["there is no list `fedi`"]);
    assert_eq!(home.json(&["block", "remove", "--list", "Fedi"])["removed"], 2);
    assert_eq!(home.json(&["block", "list"]), json!({ "items": [], "next": null, "lists": [] }));
}

#[test]
fn what_is_wrong_is_said() {
    let home = Home::new();
    home.json(&["sync"]);
    home.run(&["block", "add", "domain", "example.org"]).failed_with(&["example.org is our own"]);
    home.run(&["block", "add", "domain", "https://bad.test/"]).failed_with(&["is no domain", "write a name alone"]);
    home.run(&["block", "add", "actor", "@eve@peer.test"]).failed_with(&["nobody is known here as", "write their id"]);
    home.run(&["block", "add", "keyword", "!"]).failed_with(&["is no keyword"]);
    home.run(&["block", "add", "domain", "bad.test", "--author", "bo"]).failed_with(&["there is no @bo here"]);
    home.run(&["block", "import", "none.csv"]).failed_with(&["none.csv cannot be read"]);
    for wrong in [
        vec!["block", "add", "server", "bad.test"],
        vec!["block", "add", "domain"],
        vec!["block", "remove"],
        vec!["block", "remove", "domain"],
        vec!["block", "remove", "domain", "bad.test", "--list", "x"],
        vec!["block", "add", "domain", "bad.test", "--severity", "noop"],
        vec!["reply", "list", "--state", "odd"],
        vec!["report", "resolve", "1"],
    ] {
        assert_eq!(home.run(&wrong).code, Some(2), "{wrong:?}");
    }
    for command in ["show", "approve", "hide", "delete"] {
        home.run(&["reply", command, "https://peer.test/1"])
            .failed_with(&["there is no `https://peer.test/1`", "reply list"]);
    }
    home.run(&["report", "resolve", "1", "--note", "done"]).failed_with(&["there is no open report 1", "report list"]);
    home.run(&["report", "resolve", "1", "--note", " "]).failed_with(&["say with --note"]);
    assert_eq!(home.json(&["report", "list", "--all"]), crate::nothing());
    assert_eq!(home.json(&["reply", "list", "--state", "held"]), crate::nothing());
    let status = home.json(&["status"]);
    assert_eq!((&status["replies"], &status["reports"]), (&json!({}), &json!(0)));
}
