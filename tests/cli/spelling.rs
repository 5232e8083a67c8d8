//! One spelling of everything that is printed, and every such spelling taken back.

use serde_json::{Value, json};

use crate::Home;
use crate::people::{EVE, REPLY, arrive};

const ANN: &str = "@ann@social.example.org";

fn instance() -> Home {
    let home = Home::new();
    home.json(&["sync"]);
    arrive(&home);
    home
}

#[test]
fn handles_are_taken_as_they_are_printed() {
    let home = instance();
    for ann in ["ann", "@ann", ANN, "Ann", "acct:ann@social.example.org"] {
        assert_eq!(home.json(&["author", "show", ann])["handle"], ANN, "{ann}");
        assert_eq!(home.json(&["key", "rotate", ann, "--yes"])["rotated"], json!([ANN]));
        assert_eq!(home.json(&["follower", "list", "--author", ann])["items"][0]["follower_id"], EVE);
        let made = home.json(&["block", "add", "domain", "bad.example", "--author", ann]);
        assert_eq!(made["author"], ANN);
        home.json(&["block", "remove", "domain", "bad.example", "--author", ann]);
        let sent = home.json(&["reply", "send", "--as", ann, "--to", "https://example.org/post/first", "Yes"]);
        assert_eq!(sent["author"], ANN);
    }
    for other in ["@ann@peer.test", "ann@example.net"] {
        home.run(&["key", "rotate", other, "--yes"]).failed_with(&["not of ours", "@name@social.example.org"]);
    }
    // Somebody elsewhere too, as lists print them.
    let follower = home.json(&["follower", "list"])["items"][0]["follower"].clone();
    assert_eq!(follower, "@eve@peer.test");
    home.json(&["block", "add", "actor", "@eve@peer.test", "--severity", "silence"]);
    home.json(&["follower", "remove", "eve@peer.test", "--author", ANN, "--yes"]);
}

/// Every number in a document that a program which counts in doubles would round.
fn too_big(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Number(number) if number.as_i64().is_some_and(|number| number.abs() > 1 << 53) => {
            found.push(number.to_string());
        }
        Value::Array(items) => items.iter().for_each(|item| too_big(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| too_big(field, found)),
        _ => {}
    }
}

#[test]
fn lists_have_one_shape_and_ids_are_texts() {
    let home = instance();
    home.json(&["block", "add", "domain", "bad.example"]);
    home.json(&["key", "rotate", "ann", "--yes"]);
    for list in [
        &["author", "list"][..],
        &["post", "list"],
        &["reply", "list"],
        &["block", "list"],
        &["report", "list"],
        &["inbox", "list"],
        &["follower", "list"],
        &["delivery", "list"],
        &["host", "list"],
    ] {
        let printed = home.json(list);
        assert!(printed["items"].is_array() && printed["next"].is_null(), "{list:?}: {printed}");
        let mut numbers = Vec::new();
        too_big(&printed, &mut numbers);
        assert_eq!(numbers, Vec::<String>::new(), "{list:?}");
    }
    assert!(home.json(&["block", "list"])["items"][0]["id"].is_string());
}

#[test]
fn a_reply_is_told_with_its_article_its_warning_and_its_links() {
    let home = instance();
    let article = home.json(&["post", "show", "post/first"])["id"].clone();
    for reply in
        [home.json(&["reply", "show", REPLY]), home.json(&["reply", "list", "--state", "held"])["items"][0].clone()]
    {
        assert_eq!((&reply["article"], &reply["title"]), (&article, &"The first ferry".into()));
        assert_eq!((&reply["warning"], &reply["text"]), (&"money".into(), &"See bank.example".into()));
        assert_eq!(reply["links"], json!(["https://evil.test/pay?a=1&b=2"]));
        assert_eq!((&reply["author"], &reply["author_id"]), (&"@eve@peer.test".into(), &EVE.into()));
    }
    let told = home.run(&["reply", "show", REPLY]).stdout;
    for words in ["“The first ferry”", "warning    money", "link to    https://evil.test/pay?a=1&b=2", "@eve@peer.test"]
    {
        assert!(told.contains(words), "`{words}` is not in: {told}");
    }
    let listed = home.run(&["reply", "list"]).stdout;
    assert!(listed.contains("[money] See bank.example") && listed.contains("evil.test"), "{listed}");
}

#[test]
fn addresses_are_taken_with_and_without_their_last_slash() {
    let home = instance();
    let article = home.json(&["post", "show", "post/first"])["id"].clone();
    let id = article.as_str().expect("an id");
    for address in
        [format!("{id}/"), "https://example.org/post/first".to_owned(), "https://example.org/post/first/".to_owned()]
    {
        assert_eq!(home.json(&["post", "show", &address])["id"], article, "{address}");
        assert_eq!(home.json(&["reply", "list", "--post", &address])["items"].as_array().map(Vec::len), Some(2));
        let story = home.json(&["explain", &address]);
        assert!(story["subject"].as_str().is_some_and(|subject| subject.contains(id)), "{story}");
    }
    let slashed = format!("{REPLY}/");
    assert_eq!(home.json(&["reply", "show", &slashed])["id"], REPLY);
    assert_eq!(home.json(&["reply", "hide", &slashed])["id"], REPLY);
    assert!(home.run(&["explain", &slashed]).stdout.contains("a moderator hid it"));
}
