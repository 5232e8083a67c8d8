//! Answers are prepared once, and each kind of change is seen by whoever asks next.

use std::time::Duration;

use http::Request;
use serde_json::Value;
use veerpont::base::ids::Handle;
use veerpont::federation::outbox::rotation;
use veerpont::inbox::review;
use veerpont::model::{author, post};
use veerpont::moderation::listing::{self, BlockRequest};
use veerpont::moderation::review::Decision;
use veerpont::moderation::{BlockKind, ModerationNote, Severity};
use veerpont::site::source;

use crate::threads::{Person, article, id};
use crate::world::{MAREN, World, on_each_engine};

const ORIGIN: &str = "https://social.example.org";
const AS2: &str = "application/activity+json";
const HTML: &str = "text/html";

/// A GET as anybody may make it: status and text.
async fn get(world: &World, address: &str, accept: &str) -> (u16, String) {
    let request = Request::get(address).header("accept", accept).body(bytes::Bytes::new()).expect("a request");
    let (head, body) = world.net.dispatch(request).await.expect("an answer").into_parts();
    let body = axum::body::to_bytes(body, 1_000_000).await.expect("a body");
    (head.status.as_u16(), String::from_utf8(body.to_vec()).expect("text"))
}

async fn document(world: &World, address: &str) -> Value {
    let (status, body) = get(world, address, AS2).await;
    assert_eq!(status, 200, "{address}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

/// All that shows an article and its author.
struct Shown {
    article: String,
    page: String,
    actor: String,
}

impl Shown {
    async fn new(world: &mut World) -> Self {
        let article = article(world).await;
        let uuid = article.rsplit('/').next().expect("a name");
        let page = format!("/@maren/{uuid}");
        let authors = document(world, &article).await["attributedTo"].clone();
        let actor = authors[0].as_str().or(authors.as_str()).expect("its author").to_owned();
        Self { article, page, actor }
    }

    /// Asks for everything, so that it is prepared; says where the text stands.
    async fn shows(&self, world: &World, text: &str) -> Vec<&'static str> {
        let conversation = format!("{ORIGIN}/api/v1/conversation?id={}", self.article);
        let outbox = document(world, &format!("{}/outbox", self.actor)).await;
        let first = outbox["first"].as_str().expect("a page").to_owned();
        let mut seen = Vec::new();
        for (name, address, accept) in [
            ("article", self.article.clone(), AS2),
            ("replies", format!("{}/replies", self.article), AS2),
            ("page", format!("{ORIGIN}{}", self.page), HTML),
            ("conversation", conversation, "*/*"),
            ("actor", self.actor.clone(), AS2),
            ("outbox", first, AS2),
            ("profile", format!("{ORIGIN}/@maren"), HTML),
            ("feed", format!("{ORIGIN}/@maren/feed.atom"), "*/*"),
            ("json feed", format!("{ORIGIN}/@maren/feed.json"), "*/*"),
            ("home", format!("{ORIGIN}/"), HTML),
        ] {
            if get(world, &address, accept).await.1.contains(text) {
                seen.push(name);
            }
        }
        seen
    }

    async fn count(&self, world: &World, of: &str) -> [u64; 2] {
        let (alone, whole) =
            (document(world, &format!("{}/{of}", self.article)).await, document(world, &self.article).await);
        [&alone["totalItems"], &whole[of]["totalItems"]].map(|total| total.as_u64().expect("a number"))
    }
}

async fn maren(world: &World) -> author::Actor {
    let mut conn = world.app.db.read().await.expect("a connection");
    let handle = Handle::parse("maren").expect("a handle");
    author::store::actor_by_handle(&mut conn, &handle).await.expect("a row").expect("an actor")
}

#[tokio::test]
async fn what_the_site_changes_is_seen_at_once() {
    on_each_engine(async |world| {
        let shown = Shown::new(world).await;
        let everywhere = ["article", "page", "conversation", "profile", "feed", "json feed", "home"];
        assert_eq!(shown.shows(world, "The ferry").await.len(), everywhere.len() + 1, "and the outbox");

        world.write_post("tides", "The tides", "High at noon.", &["maren"]);
        world.publish().await;
        assert_eq!(shown.shows(world, "The tides").await, ["outbox", "profile", "feed", "json feed", "home"]);

        world.advance(Duration::from_mins(1));
        world.site.replace("ferry", "The ferry", "The new ferry");
        world.publish().await;
        let seen = shown.shows(world, "The new ferry").await;
        assert!(everywhere.iter().all(|place| seen.contains(place)), "{seen:?}");

        world.site.author("maren", "Maren the Elder");
        world.publish().await;
        let seen = shown.shows(world, "Maren the Elder").await;
        assert!(
            ["page", "conversation", "actor", "profile", "home"].iter().all(|place| seen.contains(place)),
            "{seen:?}"
        );

        let users =
            |text: String| serde_json::from_str::<Value>(&text).expect("JSON")["usage"]["users"]["total"].clone();
        let nodeinfo = format!("{ORIGIN}/nodeinfo/2.1");
        let before = users(get(world, &nodeinfo, "*/*").await.1);
        let configured = world.app.config.sources[0].clone();
        let mut conn = world.app.db.read().await.expect("a connection");
        let source = source::store::known(&mut conn).await.expect("sources").pop().expect("the source").id;
        drop(conn);
        author::choose::remove(&world.app, &configured, source, "joris").await.expect("he is out");
        assert_ne!(users(get(world, &nodeinfo, "*/*").await.1), before, "one author fewer");

        let until = (world.clock.now() + Duration::from_hours(1)).rfc3339();
        world.site.replace("tides", "title:", &format!("expiryDate: {until}\ntitle:"));
        world.publish().await;
        assert_eq!(shown.shows(world, "The tides").await.len(), 5);
        world.advance(Duration::from_hours(2));
        assert!(shown.shows(world, "The tides").await.is_empty(), "it has expired, though no loop has looked yet");
    })
    .await;
}

#[tokio::test]
async fn what_ends_is_gone_at_once() {
    on_each_engine(async |world| {
        let shown = Shown::new(world).await;
        world.write_post("tides", "The tides", "High at noon.", &["maren"]);
        world.publish().await;
        assert_eq!(get(world, &shown.article, AS2).await.0, 200);
        assert!(shown.shows(world, "The ferry").await.contains(&"home"));
        let mut conn = world.app.db.read().await.expect("a connection");
        let ferry = post::store::posts_by_key(&mut conn, "post/ferry").await.expect("rows").pop().expect("the post");
        drop(conn);
        source::unpublish::unpublish(&world.app, ferry.id).await.expect("a decision");
        for (address, accept) in [
            (shown.article.clone(), AS2),
            (format!("{}/replies", shown.article), AS2),
            (format!("{ORIGIN}{}", shown.page), HTML),
            (format!("{ORIGIN}/api/v1/conversation?id={}", shown.article), "*/*"),
        ] {
            assert_eq!(get(world, &address, accept).await.0, 410, "{address}");
        }
        assert_eq!(shown.shows(world, "The ferry").await, Vec::<&str>::new());
        assert!(shown.shows(world, "The tides").await.contains(&"home"));
        world.sync_removal("tides").await;
        assert_eq!(shown.shows(world, "The tides").await, Vec::<&str>::new());
    })
    .await;
}

#[tokio::test]
async fn what_others_say_and_moderators_decide_is_seen_at_once() {
    on_each_engine(async |world| {
        let shown = Shown::new(world).await;
        let person = Person::new(world, "peer.test");
        let note = person.note(7, &shown.article);
        let (said, words) = (id(&note), "replies");
        let everywhere = ["article", words, "page", "conversation"];
        let seen = async |world: &World| shown.shows(world, &said).await;
        assert_eq!(seen(world).await, Vec::<&str>::new());
        person.send(world, &person.activity("Create", "create/7", note.clone())).await;
        assert_eq!(seen(world).await, everywhere);
        for (decision, visible) in [(Decision::Hide, false), (Decision::Approve, true)] {
            review::decide(&world.app, &said, decision, ModerationNote::because("a test")).await.expect("a decision");
            assert_eq!(seen(world).await.is_empty(), !visible, "{decision:?}");
        }
        let whom = || BlockRequest { kind: BlockKind::Domain, value: "peer.test", actor: None };
        listing::add(&world.app, whom(), Severity::Block, ModerationNote::because("a test")).await.expect("a block");
        world.drain().await;
        assert_eq!(seen(world).await, Vec::<&str>::new(), "blocked");
        listing::remove(&world.app, whom(), ModerationNote::default()).await.expect("no block");
        world.drain().await;
        assert_eq!(seen(world).await, everywhere, "no longer blocked");

        for (kind, of) in [("Like", "likes"), ("Announce", "shares")] {
            assert_eq!(shown.count(world, of).await, [0, 0]);
            let activity = person.activity(kind, kind, shown.article.clone());
            person.send(world, &activity).await;
            assert_eq!(shown.count(world, of).await, [1, 1], "{kind}");
            person.send(world, &person.activity("Undo", &format!("undo/{kind}"), activity)).await;
            assert_eq!(shown.count(world, of).await, [0, 0], "Undo of {kind}");
        }

        person.send(world, &person.activity("Delete", "delete/7", said.clone())).await;
        assert_eq!(seen(world).await, Vec::<&str>::new(), "deleted");
    })
    .await;
}

#[tokio::test]
async fn follows_and_new_keys_are_seen_at_once() {
    on_each_engine(async |world| {
        let shown = Shown::new(world).await;
        let followers =
            async |world: &World| document(world, &format!("{}/followers", shown.actor)).await["totalItems"].clone();
        assert_eq!(followers(world).await, 1);
        let peer = world.peer("other.test", &["bob"]);
        world.follow(&peer, "bob", MAREN).await;
        assert_eq!(followers(world).await, 2);
        let key = async |world: &World| document(world, &shown.actor).await["publicKey"]["publicKeyPem"].clone();
        let before = key(world).await;
        rotation::rotate(&world.app, &maren(world).await).await.expect("a rotation");
        assert_ne!(key(world).await, before);
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn what_another_process_ends_is_gone_within_five_seconds() {
    on_each_engine(async |world| {
        let shown = Shown::new(world).await;
        assert_eq!(get(world, &shown.article, AS2).await.0, 200);
        let command = world.beside("node = \"test\"", "node = \"test\"").await.expect("a command");
        let mut conn = command.db.read().await.expect("a connection");
        let ferry = post::store::posts_by_key(&mut conn, "post/ferry").await.expect("rows").pop().expect("the post");
        drop(conn);
        source::unpublish::unpublish(&command, ferry.id).await.expect("a decision");
        command.db.close().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(get(world, &shown.article, AS2).await.0, 410);
        assert_eq!(get(world, &format!("{ORIGIN}{}", shown.page), HTML).await.0, 410);
        world.drain().await;
    })
    .await;
}
