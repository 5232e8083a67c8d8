//! The pages that Hugo builds of the data files, and the way from such a page to its article.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use harness::Peer;
use serde_json::{Value, json};
use veerpont::cli::demo::site::write_site;
use veerpont::site::comment_export::partials;
use veerpont::web;

use super::{PAGE, folder, later, read, told, with_comment_export};
use crate::hugo;
use crate::threads::{Person, article};
use crate::world::{World, on_each_engine, shared_key};

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
        with_comment_export(world).await;
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
        with_comment_export(world).await;
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
        with_comment_export(world).await;
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
