//! A post is one article whatever becomes of its file and its address (ADR 9).

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use harness::Peer;
use veerpont::model::post::{self, Post};
use veerpont::site::source::report::{Change, Report};
use veerpont::site::source::store;

use crate::shared::corpus;
use crate::site;
use crate::world::{GROUP, MAREN, World, kinds, on_each_engine, on_each_engine_at, taken};

const DAY: Duration = Duration::from_hours(24);

/// Some words, of which no other post has many.
fn words(of: &str) -> String {
    (0..60).map(|at| format!("{of}{at}")).collect::<Vec<_>>().join(" ")
}

/// A little later, synced: what changed, and what it was called.
async fn later(world: &World) -> (Report, Vec<Change>) {
    world.advance(Duration::from_hours(30));
    let report = world.publish().await;
    let changes = report.changes.clone();
    (report, changes)
}

async fn posts(world: &World) -> Vec<Post> {
    let mut conn = world.app.db.read().await.expect("a connection");
    let source = store::known(&mut conn).await.expect("sources")[0].id;
    post::store::posts(&mut conn, source).await.expect("posts")
}

/// The standing article of each post, by key.
async fn articles(world: &World) -> BTreeMap<String, i64> {
    let standing = posts(world).await.into_iter().filter(|post| post.article_stands);
    standing.map(|post| (post.key, post.article.expect("an article").0)).collect()
}

async fn followed(world: &mut World) -> Peer {
    world.publish().await;
    let peer = world.peer("peer.test", &["ann"]);
    world.follow(&peer, "ann", MAREN).await;
    peer
}

/// The seed's own case: its text and date were edited as it became a bundle.
#[tokio::test]
async fn a_page_renamed_in_its_folder_and_rewritten_is_an_update() {
    on_each_engine(async |world| {
        let peer = followed(world).await;
        let folder = world.site.path().join("content/post/2022-06-riconline");
        let text = |date: &str, body: &str| {
            format!("---\ntitle: Building collaborative platforms\ndate: {date}\nauthors: [maren]\n---\n\n{body}\n")
        };
        fs::create_dir_all(&folder).expect("a folder");
        let first = folder.join("Building collaborative platforms_ RIConline and Alkemio.md");
        fs::write(&first, text(&world.days_ago(1), &words("sea"))).expect("a file");
        assert_eq!(world.publish().await.created, 1);
        let article =
            articles(world).await["post/2022-06-riconline/Building collaborative platforms_ RIConline and Alkemio"];

        fs::remove_file(&first).expect("the file");
        fs::write(folder.join("index.md"), text(&world.days_ago(0), &words("land"))).expect("a file");
        let (report, changes) = later(world).await;
        assert_eq!((report.created, report.moved, report.removed), (0, 1, 0), "{changes:?}");
        assert_eq!(changes[0].why.as_deref(), Some("same folder and title"));
        assert_eq!(articles(world).await["post/2022-06-riconline"], article);
        later(world).await;
        assert_eq!(kinds(&peer), ["Create", "Update"]);
    })
    .await;
}

/// The seed's life as git has it.
#[tokio::test]
async fn the_life_of_one_post_is_one_article() {
    on_each_engine(async |world| {
        let peer = followed(world).await;
        let content = world.site.path().join("content/post");
        let odd = "Building collaborative platforms_ RIConline and Alkemio.md";
        let head = |date: &str, more: &str| {
            format!("---\ntitle: Building collaborative platforms\ndate: {date}\nauthors: [maren]\n{more}---\n\n")
        };
        let date = world.clock.now().rfc3339();
        fs::create_dir_all(content.join("2022-06-riconline")).expect("a folder");
        let first = content.join("2022-06-riconline").join(odd);
        fs::write(&first, format!("{}{}\n", head(&date, ""), words("sea"))).expect("a file");
        assert_eq!(world.publish().await.created, 1);
        assert_eq!(kinds(&peer), ["Create"]);
        let id = taken(&peer, "Create")[0].object_id.clone();

        let index = content.join("2022-06-riconline/index.md");
        fs::rename(&first, &index).expect("renamed to index.md");
        let (report, changes) = later(world).await;
        assert_eq!((report.moved, report.created, report.updated, report.removed), (1, 0, 0, 0));
        assert_eq!(changes[0].why.as_deref(), Some("same text"));

        let folder = content.join("2022-06-23-riconline");
        fs::rename(content.join("2022-06-riconline"), &folder).expect("the folder renamed");
        let index = folder.join("index.md");
        fs::write(&index, format!("{}{}\n", head(&date, ""), words("sea").replace("sea7 ", "lake7 ")))
            .expect("an edit");
        let (report, changes) = later(world).await;
        assert_eq!((report.moved, report.created, report.removed), (1, 0, 0));
        assert_eq!(changes[0].why.as_deref(), Some("same title and date"));

        fs::write(folder.join("featured.png"), b"not quite a picture").expect("an image");
        let (report, _) = later(world).await;
        assert_eq!((report.updated, report.created, report.moved, report.removed), (1, 0, 0, 0));

        let text = fs::read_to_string(&index).expect("the file");
        fs::write(&index, text.replace("authors:", "tags: [platforms]\nauthors:")).expect("a tag");
        assert_eq!(later(world).await.0.updated, 1);

        fs::remove_dir_all(&folder).expect("it goes");
        assert_eq!(world.publish().await.removed, 0, "not at once");
        assert_eq!(later(world).await.0.removed, 1);
        assert_eq!(kinds(&peer), ["Create", "Update", "Update", "Update", "Update", "Delete"]);
        assert!(peer.received().iter().filter(|post| post.kind != "Accept").all(|post| post.object_id == id));
        let urls: Vec<_> = taken(&peer, "Update").iter().map(|post| post.activity["object"]["url"].clone()).collect();
        let at = |name: &str| serde_json::json!(format!("https://example.org/post/{name}/"));
        let (before, after) = (at("2022-06-riconline"), at("2022-06-23-riconline"));
        assert_eq!(urls, [before, after.clone(), after.clone(), after]);
        assert_eq!(peer.fetch(&id).await.expect("an answer").0, 410);
    })
    .await;
}

/// The corpus under its real addresses, followed, and its theme's move of 2025: `post/X/index.md` to `blog/X.md`.
async fn mass_move(edit: impl Fn(&str) -> String) {
    let Some(corpus) = corpus() else { return };
    on_each_engine_at("2022-06-01T10:00:00Z", async |world| {
        let folder = tempfile::tempdir().expect("a folder");
        site::copy(&corpus, folder.path());
        let path = world.source_path();
        world.configure(&path, &format!("path = \"{}\"", folder.path().display())).await;
        world.configure("sections = [\"post\"]", "sections = [\"post\", \"blog\"]").await;
        world.configure("push_within = \"7d\"", "push_within = \"3650d\"").await;
        let content = folder.path().join("content/en");
        // The import comes before the posts, so that they are sent.
        fs::rename(content.join("post"), folder.path().join("aside")).expect("put aside");
        world.publish().await;
        fs::rename(folder.path().join("aside"), content.join("post")).expect("put back");
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", GROUP).await;
        world.advance(Duration::from_hours(24 * 1100));
        assert_eq!(world.publish().await.created, 30);
        assert_eq!(taken(&peer, "Announce").len(), 30);
        let before = articles(world).await;

        fs::create_dir_all(content.join("blog")).expect("a folder");
        for entry in fs::read_dir(content.join("post")).expect("a folder") {
            let entry = entry.expect("an entry");
            let index = entry.path().join("index.md");
            if index.is_file() {
                let text = fs::read_to_string(index).expect("a page");
                let name = entry.file_name().into_string().expect("a name");
                fs::write(content.join("blog").join(format!("{name}.md")), edit(&text)).expect("a page");
                fs::remove_dir_all(entry.path()).expect("the bundle goes");
            }
        }
        let (report, changes) = later(world).await;
        assert_eq!((report.moved, report.created, report.updated, report.removed, report.held), (30, 0, 0, 0, 0));
        assert!(changes.iter().all(|change| change.why.is_some()), "{changes:?}");
        assert_eq!(taken(&peer, "Update").len(), 30);
        assert_eq!((kinds(&peer).len(), taken(&peer, "Delete").len()), (60, 0));
        let url = |post: &harness::Received| post.activity["object"]["url"].as_str().map(str::to_owned);
        assert!(taken(&peer, "Update").iter().all(|post| url(post).is_some_and(|url| url.contains("/blog/"))));
        let renamed: BTreeMap<_, _> =
            before.into_iter().map(|(key, article)| (key.replacen("post/", "blog/", 1), article)).collect();
        assert_eq!(articles(world).await, renamed, "every article is its post's");
        assert_eq!(later(world).await.0.unchanged, 30);
    })
    .await;
}

#[tokio::test]
async fn thirty_posts_that_move_are_thirty_updates() {
    mass_move(str::to_owned).await;
}

#[tokio::test]
async fn thirty_posts_that_move_and_are_edited_are_thirty_updates() {
    // As the theme of 2025 wanted it: other front matter, relative links gone, a word here and there.
    mass_move(|text| text.replace("](./", "](/media/").replace(" the ", " that ")).await;
}

#[tokio::test]
async fn thirty_posts_that_move_and_lose_title_and_date_are_told_by_their_text() {
    mass_move(|text| {
        let retitled =
            |line: &str| if line.starts_with("title:") { "title: Untitled".to_owned() } else { line.to_owned() };
        let undated = text.lines().filter(|line| !line.starts_with("date:")).map(retitled);
        format!("{}\n\nAn extra line at the end.\n", undated.collect::<Vec<_>>().join("\n"))
    })
    .await;
}

#[tokio::test]
async fn a_renamed_section_that_is_not_named_is_held() {
    on_each_engine(async |world| {
        let peer = followed(world).await;
        for number in 0..4 {
            world.write_post(&format!("p{number}"), &format!("P {number}"), &words(&format!("p{number}x")), &["maren"]);
        }
        world.publish().await;
        let before = articles(world).await;
        let content = world.site.path().join("content");
        fs::rename(content.join("post"), content.join("blog")).expect("the section renamed");
        for _ in 0..3 {
            let (report, _) = later(world).await;
            assert_eq!((report.removed, report.held), (0, 6));
            let told = report.warnings.iter().any(|warning| warning.message.contains("no section `post`"));
            assert!(told, "{:?}", report.warnings);
        }
        world.configure("sections = [\"post\"]", "sections = [\"blog\"]").await;
        let (report, _) = later(world).await;
        assert_eq!((report.moved, report.created, report.removed, report.held), (6, 0, 0, 0));
        let after = articles(world).await;
        assert_eq!(before.values().collect::<Vec<_>>(), after.values().collect::<Vec<_>>());
        assert_eq!(taken(&peer, "Delete").len(), 0);
    })
    .await;
}

#[tokio::test]
async fn two_posts_that_change_places_keep_their_articles() {
    on_each_engine(async |world| {
        let peer = followed(world).await;
        world.write_post("one", "One", &words("one"), &["maren"]);
        world.write_post("two", "Two", &words("two"), &["maren"]);
        world.publish().await;
        let before = articles(world).await;
        world.site.rename("one", "aside");
        world.site.rename("two", "one");
        world.site.rename("aside", "two");
        let (report, _) = later(world).await;
        assert_eq!((report.moved, report.created, report.updated, report.removed), (2, 0, 0, 0));
        let after = articles(world).await;
        assert_eq!((before["post/one"], before["post/two"]), (after["post/two"], after["post/one"]));
        // One takes the other's place for good: that other is missed, and comes back elsewhere.
        let text = fs::read_to_string(world.site.folder_of("two").join("index.md")).expect("a page");
        world.site.remove("two");
        world.site.rename("one", "two");
        let (report, _) = later(world).await;
        assert_eq!((report.moved, report.created, report.removed), (1, 0, 0));
        assert_eq!(articles(world).await["post/two"], before["post/two"]);
        world.site.write("content/post/three.md", &text);
        let (report, _) = later(world).await;
        assert_eq!((report.moved, report.created, report.removed), (1, 0, 0));
        assert_eq!(articles(world).await["post/three"], before["post/one"]);
        assert_eq!(kinds(&peer), ["Create", "Create", "Update", "Update", "Update", "Update"]);
    })
    .await;
}

#[tokio::test]
async fn what_moved_to_another_site_goes_or_stays_as_the_operator_says() {
    on_each_engine(async |world| {
        let peer = followed(world).await;
        world.write_post("gone", "Gone", &words("gone"), &["maren"]);
        world.write_post("kept", "Kept", &words("kept"), &["maren"]);
        world.publish().await;
        let rules = "/post/gone https://else.example/gone 301!\n/post/kept https://else.example/kept 301!\n";
        world.site.write("static/_redirects", rules);
        world.site.remove("gone");
        let (_, changes) = later(world).await;
        let why = changes[0].why.clone().unwrap_or_default();
        assert!(why.contains("static/_redirects:1 leads to https://else.example/gone"), "{why}");
        assert_eq!(later(world).await.0.removed, 1, "it is removed, unless the operator says otherwise");

        world.configure("removal_grace = \"24h\"", "removal_grace = \"24h\"\nmoved_away = \"keep\"").await;
        world.site.remove("kept");
        let (report, _) = later(world).await;
        assert_eq!((report.moved, report.updated), (1, 0), "it moved, and was not edited");
        for _ in 0..3 {
            let (report, _) = later(world).await;
            assert_eq!((report.updated, report.removed, report.held), (0, 0, 0));
        }
        let update = &taken(&peer, "Update")[0].activity["object"];
        assert_eq!(update["url"], "https://else.example/kept");
        assert_eq!(kinds(&peer), ["Create", "Create", "Delete", "Update"]);
        world.site.write("static/_redirects", "");
        later(world).await;
        world.advance(DAY);
        assert_eq!(world.publish().await.removed, 1, "without the rule it is gone");
    })
    .await;
}

#[tokio::test]
async fn an_id_an_alias_or_a_rule_leads_through_any_rewrite() {
    on_each_engine(async |world| {
        let peer = followed(world).await;
        let date = world.clock.now().rfc3339();
        let page = |slug: &str, title: &str, more: &str, body: &str| {
            world.site.page(slug, &format!("title: {title}\ndate: {date}\nauthors: [maren]\n{more}"), body);
        };
        page("a", "A", "id: 2a5b", &words("a"));
        page("b", "B", "", &words("b"));
        page("c", "C", "", &words("c"));
        world.publish().await;
        let before = articles(world).await;
        for slug in ["a", "b", "c"] {
            world.site.remove(slug);
        }
        page("new-a", "Another A", "params: {ap_id: 2a5b}", &words("x"));
        page("new-b", "Another B", "aliases: [b]", &words("y"));
        page("new-c", "Another C", "", &words("z"));
        world.site.write("netlify.toml", "[[redirects]]\nfrom = \"/post/c/\"\nto = \"/post/new-c/\"\n");
        let (report, changes) = later(world).await;
        let why: Vec<_> = changes.iter().map(|change| change.why.as_deref().unwrap_or_default()).collect();
        assert_eq!(why, ["same id", "alias names the old address", "redirect in netlify.toml:1"]);
        assert_eq!((report.moved, report.created, report.removed), (3, 0, 0));
        let after = articles(world).await;
        for slug in ["a", "b", "c"] {
            assert_eq!(before[&format!("post/{slug}")], after[&format!("post/new-{slug}")], "{slug}");
        }
        assert_eq!(kinds(&peer), ["Create", "Create", "Create", "Update", "Update", "Update"]);
    })
    .await;
}

#[tokio::test]
async fn a_draft_that_moves_is_still_the_draft_we_knew() {
    on_each_engine(async |world| {
        let peer = followed(world).await;
        let head = format!("title: The ferry\ndate: {}\nauthors: [maren]\ndraft: true", world.days_ago(60));
        world.site.page("ferry", &head, &words("ferry"));
        world.publish().await;
        world.site.rename("ferry", "the-ferry");
        world.site.replace("the-ferry", "draft: true", "draft: false");
        assert_eq!(later(world).await.0.created, 1);
        assert_eq!(kinds(&peer), ["Create"], "it went public just now, whatever its date");
    })
    .await;
}
