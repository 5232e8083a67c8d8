//! An author answers on the command line: send, edit, delete.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::{Home, Ran};

const PAGE: &str = "https://example.org/post/first/";

/// Runs a command with a text on stdin.
fn piped(home: &Home, arguments: &[&str], text: &[u8]) -> Ran {
    let mut command = home.command(arguments);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(text).expect("the text is read");
    child.wait_with_output().expect("it ends").into()
}

fn send(home: &Home, to: &str, text: &str) -> Value {
    home.json(&["reply", "send", "--as", "ann", "--to", to, text])
}

#[test]
fn an_answer_is_sent_edited_and_deleted() {
    let home = Home::new();
    home.json(&["sync"]);
    let article = home.json(&["post", "show", "post/first"])["id"].clone();
    let sent = send(&home, PAGE, "It sails *again*.");
    let id = sent["id"].as_str().expect("an id");
    assert!(id.starts_with("https://social.example.org/ap/notes/"), "{id}");
    assert_eq!((&sent["author"], &sent["answers"]), (&"@ann@social.example.org".into(), &article));
    assert_eq!((&sent["state"], &sent["content"]), (&"shown".into(), &"<p>It sails <em>again</em>.</p>".into()));
    assert_eq!((&sent["mentions"], &sent["updated"]), (&json!([]), &Value::Null), "nobody calls themselves");
    assert_eq!(home.json(&["status"])["outbox"]["unsaid"], 0, "it is said before the command ends");
    assert_eq!(home.json(&["post", "show", "post/first"])["replies"], 1);
    assert_eq!(home.json(&["reply", "list"])["items"][0]["id"], id);

    let team = home.json(&["reply", "send", "--as", "@editors", "--to", id, "--language", "nl", "Goed zo."]);
    assert_eq!((&team["answers"], &team["mentions"]), (&id.into(), &json!(["@ann@social.example.org"])));

    let edited = home.json(&["reply", "edit", id, "It sails daily."]);
    assert_eq!((&edited["id"], &edited["content"]), (&id.into(), &"<p>It sails daily.</p>".into()));
    assert!(edited["updated"].as_str() > edited["published"].as_str(), "{edited}");
    let same = home.run(&["reply", "edit", id, "It sails daily."]);
    assert_eq!((same.code, same.stdout.contains("says so already")), (Some(0), true));

    let deleted = home.json(&["reply", "delete", id, "--yes"]);
    assert_eq!((&deleted["state"], &deleted["content"]), (&"deleted".into(), &Value::Null));
    home.run(&["reply", "delete", id]).failed_with(&["was deleted"]);
    home.run(&["reply", "edit", id, "Again"]).failed_with(&["burned", "write a new answer"]);
    home.run(&["reply", "send", "--as", "ann", "--to", id, "Again"]).failed_with(&["deleted by its author"]);
}

#[test]
fn an_answer_is_read_from_stdin() {
    let home = Home::new();
    home.json(&["sync"]);
    let arguments = ["reply", "send", "--as", "ann", "--to", PAGE, "-", "--json"];
    let ran = piped(&home, &arguments, "Éen *regel*.\n\nEn nog een.\n".as_bytes());
    let sent: Value = serde_json::from_str(&ran.stdout).expect("one JSON document on stdout");
    assert_eq!(sent["content"], "<p>Éen <em>regel</em>.</p>\n<p>En nog een.</p>");
    let id = sent["id"].as_str().expect("an id");
    let ran = piped(&home, &["reply", "edit", id, "-"], b"Short.");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    piped(&home, &arguments[..7], b"\xff\xfe").failed_with(&["not UTF-8"]);
    piped(&home, &arguments[..7], b"").failed_with(&["says nothing"]);
    piped(&home, &arguments[..7], "é".repeat(5001).as_bytes()).failed_with(&["5001 characters", "5000"]);
}

#[test]
fn what_cannot_be_answered_is_told_in_one_line() {
    let home = Home::new();
    home.json(&["sync"]);
    let refuse = |who: &str, to: &str, words: &[&str]| {
        home.run(&["reply", "send", "--as", who, "--to", to, "Yes"]).failed_with(words);
    };
    refuse("nobody", PAGE, &["@nobody", "veerpont author list"]);
    refuse("a b", PAGE, &["`a b`", "handle"]);
    refuse("harbour", PAGE, &["@harbour", "as an author"]);
    refuse("ann", "https://elsewhere.example/", &["no conversation", "veerpont post list"]);
    refuse("ann", "", &["no conversation"]);
    home.run(&["reply", "edit", "https://elsewhere.example/1", "x"]).failed_with(&["no answer of one of our authors"]);
    for wrong in
        [&["reply", "send", "--as", "ann", "Yes"][..], &["reply", "send", "--to", PAGE, "Yes"], &["reply", "edit"]]
    {
        assert_eq!(home.run(wrong).code, Some(2), "{wrong:?}");
    }
    home.json(&["author", "remove", "ann"]);
    refuse("ann", PAGE, &["@ann has opted out", "veerpont author add"]);
    home.json(&["author", "remove", "ann", "--delete", "--yes"]);
    refuse("ann", PAGE, &["@ann was deleted"]);
    refuse("editors", PAGE, &["taken down"]);
}
