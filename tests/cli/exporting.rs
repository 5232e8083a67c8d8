//! Files for a site that shows its conversations itself: `veerpont export`, and what is told of a comment export.

use serde_json::{Value, json};

use crate::Home;

#[test]
fn comments_are_written_once_and_go_with_their_post() {
    let home = Home::new();
    home.json(&["sync"]);
    let index = home.path("site/data/fediverse/index.json");
    let export = ["export", "comments", "--hugo", "site"];
    assert_eq!(home.json(&export), json!({ "written": 1, "unchanged": 0, "removed": 0 }));
    home.json(&["reply", "send", "--as", "ann", "--to", "https://example.org/post/first/", "It sails *again*."]);
    assert_eq!(home.json(&export), json!({ "written": 2, "unchanged": 0, "removed": 0 }));
    let read = |path| -> Value { serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON") };
    let about = read(index.clone())["pages"]["https://example.org/post/first/"].clone();
    let name = about["comments"].as_str().expect("a name");
    assert!(name.starts_with("post-first-"), "{name}");
    let file = home.path(&format!("site/data/fediverse/{name}.json"));
    let item = read(file.clone())["replies"]["items"][0].clone();
    assert_eq!((&item["content"], &item["depth"]), (&"<p>It sails <em>again</em>.</p>".into(), &0.into()));
    assert_eq!(item["author"]["ours"], true);
    let again = home.run(&[&export[..], &["--source", "site"]].concat());
    assert_eq!((again.code, again.stdout.trim()), (Some(0), "0 written, 2 unchanged, 0 removed"));
    home.json(&["post", "unpublish", "post/first", "--yes"]);
    assert_eq!(home.json(&export), json!({ "written": 1, "unchanged": 0, "removed": 1 }));
    assert!(!file.exists() && index.exists());

    home.run(&["export", "comments", "--hugo", "nowhere"]).failed_with(&["nowhere is no folder", "root folder"]);
    home.run(&["export", "comments", "--hugo", "site", "--source", "x"]).failed_with(&["no source `x`", "site"]);
    home.write("site/data/fediverse/index.json", "[1]");
    home.run(&export).failed_with(&["index.json was not written by Veerpont", "move it away"]);
    assert_eq!(home.run(&["export", "comments"]).code, Some(2));
}

#[test]
fn partials_are_written_without_a_configuration() {
    let home = Home::new();
    std::fs::remove_file(home.path("veerpont.toml")).expect("removed");
    let export = ["export", "partials", "--hugo", "site"];
    assert_eq!(home.json(&export), json!({ "written": 6, "unchanged": 0, "removed": 0 }));
    home.write("site/layouts/partials/veerpont/head.html", "mine");
    home.run(&export).failed_with(&["head.html", "--force"]);
    let forced = home.json(&[&export[..], &["--force"]].concat());
    assert_eq!(forced, json!({ "written": 1, "unchanged": 5, "removed": 0 }));
}

#[test]
fn a_comment_export_without_its_site_is_told_by_check() {
    let home = Home::new();
    home.configure("", "[[comment_export]]\nkind = \"hugo\"\nsource = \"site\"\npath = \"built\"\n");
    home.run(&["config", "check"]).failed_with(&["comment export", "built is no folder", "`path`"]);
    std::fs::create_dir(home.path("built")).expect("a folder");
    assert_eq!(home.run(&["config", "check"]).code, Some(0));
    home.json(&["sync"]);
    assert_eq!(home.json(&["status"])["comment_exports"], json!([]), "none was gone through yet");
    home.configure("", "[[comment_export]]\nkind = \"hugo\"\nsource = \"sight\"\n");
    home.run(&["config", "check"]).failed_with(&["no source named \"sight\"", "known are: site"]);
}
