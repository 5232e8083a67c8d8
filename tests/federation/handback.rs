//! What is said of a site's posts is handed back to it: the data files, the pages that Hugo builds of them, and the way
//! from such a page to its article.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::{Value, json};
use veerpont::demo::site::write_site;
use veerpont::handback::worker::{AGAIN, PAUSE};
use veerpont::handback::{hugo as files, partials, store};
use veerpont::harness::Peer;
use veerpont::inbox::decisions;
use veerpont::moderation::decisions::Decision;
use veerpont::web;

use crate::hugo;
use crate::threads::{Person, article};
use crate::world::{World, on_each_engine, shared_key};

const PAGE: &str = "https://example.org/post/ferry/";

/// A world whose bridge hands back to its site.
async fn with_handback(world: &mut World) {
    let before = "removal_grace = \"24h\"";
    world
        .configure(before, &format!("{before}\n[[handback]]\nkind = \"hugo\"\nsource = \"site\"\nevery = \"5m\""))
        .await;
}

fn folder(world: &World) -> PathBuf {
    world.site.path().join(files::FOLDER)
}

/// The files that are there, by name.
fn names(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(folder(world)).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
}

/// What the index says of the ferry's page.
fn about(world: &World) -> Value {
    read(&folder(world).join("index.json"))["pages"][PAGE].clone()
}

fn comments(world: &World) -> PathBuf {
    let name = about(world)["comments"].as_str().expect("a name").to_owned();
    folder(world).join(format!("{name}.json"))
}

/// Works what is due a moment later.
async fn later(world: &World) {
    world.advance(PAUSE);
    world.drain().await;
}

/// Depth and words of each reply in the file.
fn told(world: &World) -> Vec<(u64, String)> {
    let file = read(&comments(world));
    let items = file["replies"]["items"].as_array().expect("items").iter();
    items
        .map(|item| (item["depth"].as_u64().expect("a depth"), item["content"].as_str().expect("words").to_owned()))
        .collect()
}

fn told_as(list: &[(u64, &str)]) -> Vec<(u64, String)> {
    list.iter().map(|(depth, words)| (*depth, format!("<p>{words}</p>").replace("<p></p>", ""))).collect()
}

async fn decide(world: &World, id: &str, decision: Decision) {
    decisions::decide(&world.app, id, decision, Some("a reason")).await.expect("decided");
}

#[tokio::test]
async fn files_follow_what_is_said() {
    on_each_engine(async |world| {
        with_handback(world).await;
        let article = article(world).await;
        later(world).await;
        assert_eq!(names(world), ["index.json"], "nothing is said yet");
        let expected =
            json!({ "article": article, "creator": "@maren@example.org", "author": "maren", "comments": null });
        assert_eq!(about(world), expected);

        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let first = ann.note(1, &article);
        let id = first["id"].as_str().expect("an id").to_owned();
        ann.send(world, &ann.activity("Create", "c1", first)).await;
        let other = ann.note(2, &article);
        ann.send(world, &ann.activity("Create", "c2", other)).await;
        let below = bob.note(3, &id);
        let below_id = below["id"].as_str().expect("an id").to_owned();
        bob.send(world, &bob.activity("Create", "c3", below)).await;
        bob.send(world, &bob.activity("Like", "l1", article.as_str())).await;
        later(world).await;
        assert_eq!(told(world), told_as(&[(0, "1"), (1, "3"), (0, "2")]), "each below what it answers");
        let file = read(&comments(world));
        assert_eq!((&file["key"], &file["article"]["id"]), (&"post/ferry".into(), &article.as_str().into()));
        assert_eq!(file["article"]["author"]["handle"], "@maren@example.org");
        assert_eq!(
            file["resolve"],
            "https://social.example.org/ap/resolve?url=https%3A%2F%2Fexample.org%2Fpost%2Fferry%2F"
        );
        assert_eq!((&file["likes"]["total"], &file["replies"]["left_out"]), (&1.into(), &0.into()));
        assert_eq!(names(world).len(), 2);

        decide(world, &id, Decision::Hide).await;
        later(world).await;
        assert_eq!(told(world), told_as(&[(0, ""), (1, "3"), (0, "2")]), "of what is hidden, no word");
        assert!(!std::fs::read_to_string(comments(world)).expect("a file").contains("<p>1</p>"));
        decide(world, &id, Decision::Approve).await;
        let mut edit = ann.note(1, &article);
        edit["content"] = "<p>edited</p>".into();
        edit["updated"] = "2026-11-02T09:30:00Z".into();
        ann.send(world, &ann.activity("Update", "u1", edit)).await;
        later(world).await;
        assert_eq!(told(world), told_as(&[(0, "edited"), (1, "3"), (0, "2")]));

        for (person, id, name) in [(&ann, &id, "d1"), (&bob, &below_id, "d3")] {
            person.send(world, &person.activity("Delete", name, id.as_str())).await;
        }
        later(world).await;
        assert_eq!(told(world), told_as(&[(0, "2")]));
        let file = comments(world);
        world.sync_removal("ferry").await;
        later(world).await;
        assert_eq!((file.exists(), about(world)), (false, Value::Null), "the article stands no more");
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_moderator_is_not_there() {
    on_each_engine(async |world| {
        with_handback(world).await;
        world.configure("house_handle = \"editors\"", "house_handle = \"editors\"\npolicy = \"held\"").await;
        let article = article(world).await;
        let ann = Person::new(world, "ann.test");
        let note = ann.note(1, &article);
        let id = note["id"].as_str().expect("an id").to_owned();
        ann.send(world, &ann.activity("Create", "c1", note)).await;
        later(world).await;
        assert_eq!(names(world), ["index.json"]);
        decide(world, &id, Decision::Approve).await;
        later(world).await;
        assert_eq!(told(world), told_as(&[(0, "1")]));
    })
    .await;
}

#[tokio::test]
async fn what_a_crash_or_a_hand_did_to_the_files_is_mended() {
    on_each_engine(async |world| {
        with_handback(world).await;
        let article = article(world).await;
        let ann = Person::new(world, "ann.test");
        let note = ann.note(1, &article);
        ann.send(world, &ann.activity("Create", "c1", note)).await;
        // Down before the files are written, and up again.
        world.restart().await;
        later(world).await;
        let file = comments(world);
        let written = std::fs::read(&file).expect("a file");
        let before = std::fs::metadata(&file).expect("a file").modified().expect("a time");

        world.advance(Duration::from_mins(5));
        world.drain().await;
        assert_eq!(std::fs::metadata(&file).expect("a file").modified().expect("a time"), before, "not written again");
        std::fs::remove_file(folder(world).join("index.json")).expect("removed");
        std::fs::write(&file, &written[..written.len() / 2]).expect("a file");
        world.advance(Duration::from_mins(5));
        world.drain().await;
        assert_eq!(std::fs::read(&file).expect("a file"), written);
        assert_eq!(comments(world), file);

        // What cannot be written stands in a row with its reason, and is tried again.
        std::fs::write(&file, "{}").expect("a file");
        world.advance(Duration::from_mins(5));
        world.drain().await;
        let error = async || {
            let mut conn = world.app.db.read().await.expect("a connection");
            let mut all = store::all(&mut conn).await.expect("rows");
            assert_eq!(all.len(), 1);
            all.remove(0).error
        };
        let why = error().await.expect("a reason");
        assert!(why.contains("was not written by Veerpont"), "{why}");
        assert_eq!(std::fs::read(&file).expect("a file"), b"{}", "somebody else's file stays");
        // It keeps no other post's file from being written.
        world.write_post("tides", "The tides", "They turn.", &["maren"]);
        world.publish().await;
        world.advance(AGAIN);
        world.drain().await;
        let index = read(&folder(world).join("index.json"));
        let tides = index["pages"]["https://example.org/post/tides/"]["article"].as_str().expect("an id").to_owned();
        let note = ann.note(2, &tides);
        ann.send(world, &ann.activity("Create", "c2", note)).await;
        world.advance(AGAIN);
        world.drain().await;
        assert_eq!(names(world).len(), 3, "{:?}", names(world));
        assert!(error().await.is_some());
        std::fs::remove_file(&file).expect("removed");
        world.advance(AGAIN);
        world.drain().await;
        assert_eq!((error().await, std::fs::read(&file).expect("a file")), (None, written));
    })
    .await;
}

/// A site that shows its comments, as docs/hugo-comments.md has it.
fn dress(world: &World) {
    let settings = std::fs::read_to_string(world.site.path().join("hugo.toml")).expect("a file");
    world.site.write(
        "hugo.toml",
        &format!("{settings}\n[params.veerpont]\nbridge = \"https://social.example.org\"\nfollow = \"community\"\n"),
    );
    let page = "<!doctype html><html><head>{{ partial \"veerpont/head.html\" . }}{{ partial \"veerpont/style.html\" . }}</head><body>{{ .Content }}\n\
                {{ partial \"veerpont/comments.html\" . }}{{ partial \"veerpont/follow.html\" . }}</body></html>\n";
    world.site.write("layouts/_default/single.html", page);
    let list = "<!doctype html><html><head>{{ partial \"veerpont/head.html\" . }}</head>\
                <body>{{ partial \"veerpont/follow.html\" . }}</body></html>\n";
    world.site.write("layouts/_default/list.html", list);
    partials::write(world.site.path(), false).expect("the partials");
}

/// The text between two others, which must be there.
#[track_caller]
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("no `{start}` in {text}"));
    rest.split_once(end).unwrap_or_else(|| panic!("no `{end}` in {rest}")).0
}

/// Somebody whose every word is an attack.
fn hostile(world: &World) -> Person {
    let eve = Person::new(world, "eve.test");
    let mut actor = eve.server.actor("/users/u");
    let key = crate::stranger::Key::Rsa(shared_key());
    let id = eve.id.clone();
    actor["publicKey"] = json!({ "id": format!("{id}#main-key"), "owner": id, "publicKeyPem": key.public() });
    actor["name"] = format!("\u{202e}\"><script>alert(1)</script>:boat: {}", "x".repeat(300)).into();
    actor["url"] = "javascript:alert(1)".into();
    actor["icon"] = json!({ "type": "Image", "url": "javascript:alert(1)" });
    actor["tag"] =
        json!([{ "type": "Emoji", "name": ":boat:", "icon": { "type": "Image", "url": "data:text/html,x" } }]);
    eve.server.serve("/users/u", &actor);
    eve
}

fn hostile_note(eve: &Person, article: &str) -> Value {
    let mut note = eve.note(9, article);
    note["content"] = "<p onclick=\"alert(1)\">\u{202e}Fell <a href=\"javascript:alert(1)\" onmouseover=alert(1)>x</a>\
        <img src=x onerror=alert(1)><script>alert(1)</script><iframe src=\"https://eve.test/\"></iframe>\
        <svg onload=alert(1)></svg><style>*{}</style>{{ .Site.Title }}{{< raw >}} </article></section></body>"
        .into();
    note["summary"] = "\"><script>alert(1)</script><img src=x onerror=alert(1)>".into();
    note["url"] = "javascript:alert(1)".into();
    note["attachment"] = json!([
        { "type": "Document", "mediaType": "image/png\" onload=\"alert(1)", "url": "https://eve.test/a.png\"onload=\"alert(1)",
          "name": "\" onload=alert(1) x=\"" },
        { "type": "Document", "mediaType": "text/html", "url": "javascript:alert(1)", "name": "x" },
    ]);
    note["tag"] = json!([{ "type": "Emoji", "name": ":x\"onload=alert(1):", "icon": { "url": 7 } }]);
    note["contentMap"] = json!({ "en\" onload=\"alert(1)": note["content"] });
    note
}

/// Element names and attributes of a page, as a browser would read its tags.
fn tags_of(page: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = page;
    while let Some((_, after)) = rest.split_once('<') {
        let mut quoted = false;
        let end = after.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let Some(end) = end else { break };
        all.push(after[..end].to_owned());
        rest = &after[end..];
    }
    all
}

#[track_caller]
fn is_harmless(page: &str) {
    let handler = regex::Regex::new(r#"(?i)(^|[\s"'/])on[a-z]+\s*=|javascript:|data:"#).expect("a pattern");
    let quoted = regex::Regex::new("\"[^\"]*\"").expect("a pattern");
    for tag in tags_of(page) {
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        assert!(
            !["script", "iframe", "svg", "style", "object", "embed", "form", "base"].contains(&name.as_str()),
            "<{tag}>"
        );
        let bare = quoted.replace_all(&tag, "\"\"").into_owned();
        assert!(!handler.is_match(&bare), "<{tag}>");
        assert!(!tag.to_lowercase().contains("javascript:"), "<{tag}>");
    }
}

#[tokio::test]
async fn hugo_builds_the_comments_into_the_page() {
    on_each_engine(async |world| {
        with_handback(world).await;
        dress(world);
        let article = article(world).await;
        let (ann, eve) = (Person::new(world, "ann.test"), hostile(world));
        let first = ann.note(1, &article);
        let id = first["id"].as_str().expect("an id").to_owned();
        ann.send(world, &ann.activity("Create", "c1", first)).await;
        let below = ann.note(2, &id);
        let deeper = ann.note(3, below["id"].as_str().expect("an id"));
        ann.send(world, &ann.activity("Create", "c2", below)).await;
        ann.send(world, &ann.activity("Create", "c3", deeper)).await;
        let mut warned = ann.note(4, &article);
        warned["summary"] = "About the end".into();
        warned["content"] = "<p>It <em>sinks</em> &amp; swims.</p>".into();
        ann.send(world, &ann.activity("Create", "c4", warned)).await;
        eve.send(world, &eve.activity("Create", "c9", hostile_note(&eve, &article))).await;
        ann.send(world, &ann.activity("Like", "l1", article.as_str())).await;
        later(world).await;
        assert_eq!(told(world).len(), 5, "{:?}", world.verdicts().await);

        for program in hugo::programs() {
            let built = hugo::build(program, world.site.path());
            let page = std::fs::read_to_string(built.path().join("post/ferry/index.html")).expect("the page");
            let head = between(&page, "<head>", "</head>");
            assert!(
                head.contains(&format!(r#"<link rel="alternate" type="application/activity+json" href="{article}">"#)),
                "{head}"
            );
            assert!(head.contains(r#"<meta name="fediverse:creator" content="@maren@example.org">"#), "{head}");
            assert!(page.contains(r#"href="https://social.example.org/follow/maren""#), "{page}");
            assert!(head.contains(".veerpont-comment + ol"), "the styles are there: {head}");
            let section = between(&page, "<section class=\"veerpont-comments\"", "</section>");
            assert!(section.contains("Likes: <b>1</b>") && section.contains("Replies: <b>5</b>"), "{section}");
            let (opened, closed) = (section.matches("<ol>").count(), section.matches("</ol>").count());
            assert_eq!(
                (opened, closed, section.matches("<li ").count(), section.matches("</li>").count()),
                (3, 3, 5, 5)
            );
            // Below the first reply its answer, and below that one the next, all inside the first one's <li>.
            let nested = between(section, "<p>1</p>", "<p>3</p>");
            assert_eq!((nested.matches("<ol>").count(), nested.matches("</li>").count()), (2, 0), "{nested}");
            let folded = between(section, "<details><summary><bdi>About the end</bdi></summary>", "</details>");
            assert!(folded.contains("<p>It <em>sinks</em> &amp; swims.</p>"), "{folded}");
            assert!(section.contains(&format!(
                "https://social.example.org/reply?id={}",
                id.replace(':', "%3A").replace('/', "%2F")
            )));
            assert!(section.contains("<time datetime=\"2026-11-01T00:00:01Z\">Nov 1, 2026</time>"), "{section}");
            assert!(section.contains("{{ .Site.Title }}"), "it is text to Hugo: {section}");
            is_harmless(section);
            assert!(page.trim_end().ends_with("</a></body></html>"), "nobody ends the page early: {page}");

            let old = std::fs::read_to_string(built.path().join("post/old-maren/index.html")).expect("the page");
            assert!(old.contains("Nobody has replied yet.") && old.contains("fediverse:creator"), "{old}");
            let home = std::fs::read_to_string(built.path().join("index.html")).expect("the page");
            assert!(!home.contains("activity+json") && home.contains("/follow/community"), "{home}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_sample_site_shows_its_comments() {
    on_each_engine(async |world| {
        with_handback(world).await;
        write_site(world.site.path()).expect("the sample site");
        let settings = std::fs::read_to_string(world.site.path().join("hugo.toml")).expect("a file");
        // Of `languageCode` newer versions warn.
        let settings = settings.replace("https://ferrytown.example/", "https://example.org/");
        world.site.write("hugo.toml", &settings.replace("languageCode = \"en\"\n", ""));
        dress(world);
        world.publish().await;
        later(world).await;
        let url = "https://example.org/post/counting-terns/";
        let index = read(&folder(world).join("index.json"));
        let article = index["pages"][url]["article"].as_str().expect("an id").to_owned();
        let ann = Person::new(world, "ann.test");
        let first = ann.note(1, &article);
        let below = ann.note(2, first["id"].as_str().expect("an id"));
        ann.send(world, &ann.activity("Create", "c1", first)).await;
        ann.send(world, &ann.activity("Create", "c2", below)).await;
        later(world).await;
        for program in hugo::programs() {
            let built = hugo::build(program, world.site.path());
            let page = std::fs::read_to_string(built.path().join("post/counting-terns/index.html")).expect("the page");
            assert!(page.contains(&format!(r#"type="application/activity+json" href="{article}""#)), "{page}");
            assert!(page.contains(r#"<meta name="fediverse:creator" content="@priya-nair@example.org">"#), "{page}");
            assert_eq!(between(&page, "<p>1</p>", "<p>2</p>").matches("<ol>").count(), 1, "{page}");
            let other = std::fs::read_to_string(built.path().join("post/new-timetable/index.html")).expect("the page");
            assert!(other.contains("Nobody has replied yet."), "{other}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_that_we_know_nothing_of_builds_too() {
    on_each_engine(async |world| {
        dress(world);
        world.site.page("secret", "title: Secret\nfediverse: false", "Hush.");
        world.site.page("nl", "title: Nieuw", "Nog niet gelezen.");
        for program in hugo::programs() {
            let built = hugo::build(program, world.site.path());
            let read = |page: &str| std::fs::read_to_string(built.path().join(page)).expect("the page");
            let resolve = "https://social.example.org/ap/resolve?url=https%3A%2F%2Fexample.org%2Fpost%2Fnl%2F";
            let new = read("post/nl/index.html");
            assert!(new.contains(&format!(r#"type="application/activity+json" href="{resolve}""#)), "{new}");
            assert!(!new.contains("fediverse:creator") && !new.contains("<section"), "{new}");
            assert!(!read("post/secret/index.html").contains("activity+json"));
        }
    })
    .await;
}

/// The bridge and the site's own page behind the site's name.
async fn show(world: &World, page: String) {
    let bridge = web::router(world.app.clone()).await.expect("a router");
    let page = Router::new().route("/post/ferry/", get(async move || Html(page.clone())));
    world.net.host("example.org", page.fallback_service(bridge));
}

async fn finds(peer: &Peer, address: &str, article: &str) {
    let found = peer.find(address).await.expect(address);
    assert_eq!(found["id"], article, "{address}");
    assert_eq!(found["url"], PAGE);
}

#[tokio::test]
async fn a_server_that_is_given_the_sites_address_finds_the_article() {
    on_each_engine(async |world| {
        with_handback(world).await;
        dress(world);
        let article = article(world).await;
        later(world).await;
        let peer = world.peer("peer.test", &["ann"]);
        let link = |href: &str| {
            format!("<!doctype html><head><link rel=\"alternate\" type=\"application/activity+json\" href=\"{href}\">")
        };
        let mut pages = vec![link(&article)];
        for program in hugo::programs() {
            let built = hugo::build(program, world.site.path());
            pages.push(std::fs::read_to_string(built.path().join("post/ferry/index.html")).expect("the page"));
        }
        for page in pages {
            show(world, page).await;
            finds(&peer, PAGE, &article).await;
        }
        // The article itself, and the way there, which redirects, given as they are.
        finds(&peer, &article, &article).await;
        let resolve = "https://social.example.org/ap/resolve?url=https%3A%2F%2Fexample.org%2Fpost%2Fferry%2F";
        finds(&peer, resolve, &article).await;
        // Behind a page's link Mastodon wants the id itself; others are content with the way there.
        show(world, link(&resolve.replace('&', "&amp;"))).await;
        let why = peer.find(PAGE).await.expect_err("it is not the id");
        assert!(why.starts_with("A22") && why.contains(&article), "{why}");
        let (status, media, document) = peer.fetch(resolve).await.expect("an answer");
        assert_eq!((status, document), (302, Value::Null), "{media}");
        show(world, "<!doctype html><p>No way from here".to_owned()).await;
        assert!(peer.find(PAGE).await.expect_err("no link").starts_with("A21"));
    })
    .await;
}
