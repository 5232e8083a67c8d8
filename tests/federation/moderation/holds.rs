//! What waits for a moderator, and why: policies, silence, keywords, limits, new servers, and who is let in at all.

use std::time::Duration;

use serde_json::{Value, json};
use veerpont::base::ids::Ids;
use veerpont::inbox::review;
use veerpont::model::interaction;
use veerpont::model::interaction::State;
use veerpont::model::interaction::store::Filter;
use veerpont::moderation::review::Decision;
use veerpont::moderation::{BlockKind, ModerationNote, Severity, store};

use super::{about, article, block, decide, last_reason, note, reply, seen, send, state, unblock, why};
use crate::world::{MAREN, World, on_each_engine};

async fn queue(world: &World) -> Vec<String> {
    let mut conn = world.app.db.read().await.expect("a connection");
    let filter = Filter { state: Some(State::Held), ..Filter::default() };
    let held = interaction::store::list(&mut conn, &world.app.urls, filter, None, 100).await.expect("a list");
    held.items.into_iter().map(|reply| html::text(&reply.words.expect("words").content)).collect()
}

#[tokio::test]
async fn under_held_each_waits_and_a_community_may_have_its_own_policy() {
    on_each_engine(async |world| {
        world.configure("team_handle = \"editors\"", "team_handle = \"editors\"\npolicy = \"held\"").await;
        let article = article(world).await;
        let peer = world.peer("peer.test", &["ann"]);
        let first = reply(world, &peer, "ann", 1, &article, "<p>One</p>").await;
        decide(world, &first, Decision::Approve, "fine").await;
        let second = reply(world, &peer, "ann", 2, &article, "<p>Two</p>").await;
        assert_eq!((queue(world).await, seen(world, &article).await.0), (vec!["Two".to_owned()], vec![first.clone()]));
        let mut edit = note(&peer, "ann", 1, &article, "<p>Buy</p>");
        edit["updated"] = "2026-11-02T09:30:00Z".into();
        send(world, &peer, "ann", about(&peer, "ann", "Update", "e1", edit)).await;
        assert_eq!(state(world, &first).await, State::Held, "new words are looked at as the first were");
        assert_eq!(decide(world, &second, Decision::Hide, "no").await, State::Hidden);
        assert_eq!(queue(world).await, ["Buy"]);
    })
    .await;
}

#[tokio::test]
async fn silence_holds_and_leaves_what_stands() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        let before = reply(world, &peer, "ann", 1, &article, "<p>Before</p>").await;
        block(world, BlockKind::Domain, "peer.test", Severity::Silence).await;
        let after = reply(world, &peer, "ann", 2, &article, "<p>After</p>").await;
        send(world, &peer, "ann", about(&peer, "ann", "Like", "l1", article.as_str())).await;
        assert_eq!(seen(world, &article).await, (vec![before], 1, 0));
        assert_eq!((world.followers().await, state(world, &after).await), (1, State::Held));
        assert_eq!(why(world, &after).await.as_deref(), Some("the domain peer.test is silenced: a reason"));
    })
    .await;
}

#[tokio::test]
async fn a_keyword_counts_wherever_it_is_said() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let peer = world.peer("peer.test", &["ann"]);
        reply(world, &peer, "ann", 1, &article, "<p>The <b>CASI</b>NO opens</p>").await;
        reply(world, &peer, "ann", 2, &article, "<p>Two casinos</p>").await;
        let done = block(world, BlockKind::Keyword, "Casino", Severity::Block).await;
        assert_eq!((done.hidden, world.reply_texts().await), (1, vec!["Two casinos".to_owned()]));
        let said = |number: u32, key: &str, value: Value| {
            let mut note = note(&peer, "ann", number, &article, "<p>Look</p>");
            note[key] = value;
            about(&peer, "ann", "Create", &format!("c{number}"), note)
        };
        for (number, key, value) in [
            (3, "content", json!("a c\u{ad}asino")),
            (4, "summary", json!("Casino")),
            (5, "attachment", json!([{ "type": "Image", "url": "https://peer.test/1.png", "name": "a casino" }])),
            (6, "tag", json!([{ "type": "Hashtag", "name": "#casino" }])),
        ] {
            send(world, &peer, "ann", said(number, key, value)).await;
            let (verdict, reason) = last_reason(world).await;
            assert_eq!(
                (verdict.as_str(), reason.as_str()),
                ("declined", "the keyword casino is blocked: a reason"),
                "{key}"
            );
        }
        unblock(world, BlockKind::Keyword, "casino").await;
        block(world, BlockKind::Keyword, "ann", Severity::Silence).await;
        assert_eq!(world.reply_texts().await.len(), 2, "what stood is there again");
        let held = reply(world, &peer, "ann", 7, &article, "<p>Hello</p>").await;
        assert_eq!(state(world, &held).await, State::Held, "it stands in the author's name");
    })
    .await;
}

#[tokio::test]
async fn many_mentions_and_links_wait() {
    on_each_engine(async |world| {
        world.configure("policy = \"open\"", "policy = \"open\"\nmax_mentions = 2\nmax_links = 2").await;
        let article = article(world).await;
        let peer = world.peer("peer.test", &["ann"]);
        let mut many = note(&peer, "ann", 1, &article, "<p>Hi</p>");
        many["tag"] = vec![json!({ "type": "Mention", "href": "https://x.test/bob" }); 3].into();
        send(world, &peer, "ann", about(&peer, "ann", "Create", "c1", many)).await;
        let link = "<a href=\"https://x.test/\">x</a> ";
        let links = reply(world, &peer, "ann", 2, &article, &link.repeat(3)).await;
        reply(world, &peer, "ann", 3, &article, &link.repeat(2)).await;
        assert_eq!((queue(world).await.len(), seen(world, &article).await.0.len()), (2, 1));
        assert_eq!(why(world, &links).await.as_deref(), Some("it has 3 links, and more than 2 wait for a moderator"));
    })
    .await;
}

/// Interop E23.
#[tokio::test]
async fn new_servers_wait_and_so_do_many_of_one_domain() {
    on_each_engine(async |world| {
        world
            .configure("policy = \"open\"", "policy = \"open\"\nnew_host_hold = \"1h\"\nnew_hosts_per_domain = 2")
            .await;
        let article = article(world).await;
        let young = world.peer("young.test", &["ann"]);
        let first = reply(world, &young, "ann", 1, &article, "<p>First</p>").await;
        assert_eq!(state(world, &first).await, State::Held);
        assert_eq!(why(world, &first).await.as_deref(), Some("its server young.test was first seen less than 1h ago"));
        world.advance(Duration::from_hours(2));
        let second = reply(world, &young, "ann", 2, &article, "<p>Second</p>").await;
        assert_eq!(state(world, &second).await, State::Shown);
        let mut last = String::new();
        for (number, host) in ["a.farm.test", "b.farm.test", "c.farm.test", "d.other.test"].into_iter().enumerate() {
            let peer = world.peer(host, &["eve"]);
            send(world, &peer, "eve", about(&peer, "eve", "Like", "l1", article.as_str())).await;
            world.advance(Duration::from_hours(2));
            last = reply(world, &peer, "eve", 1, &article, &format!("<p>{host}</p>")).await;
            let expected = if number == 2 { State::Held } else { State::Shown };
            assert_eq!(state(world, &last).await, expected, "{host}");
            if expected == State::Held {
                let reason = "3 servers below farm.test came up within a day, and 2 may";
                assert_eq!(why(world, &last).await.as_deref(), Some(reason));
            }
        }
        assert!(last.contains("d.other.test"));
    })
    .await;
}

/// After so many rows in one millisecond, or after the clock was set back, a new server's row lies ahead of the clock.
#[tokio::test]
async fn without_a_hold_no_server_is_too_new() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let ahead = Ids::first_at(world.app.clock.now() + Duration::from_mins(1));
        let insert = "INSERT INTO hosts (id, name) VALUES ($1, 'new.test')";
        let row = world
            .app
            .db
            .write(move |conn| Box::pin(async move { sqlx::query(insert).bind(ahead).execute(&mut *conn).await }));
        row.await.expect("a row");
        let peer = world.peer("new.test", &["ann"]);
        let said = reply(world, &peer, "ann", 1, &article, "<p>First</p>").await;
        assert_eq!(state(world, &said).await, State::Shown);
    })
    .await;
}

#[tokio::test]
async fn only_the_allowed_are_let_in() {
    on_each_engine(async |world| {
        world.configure("policy = \"open\"", "policy = \"open\"\nallow_only = [\"friends.test\"]").await;
        let article = article(world).await;
        let (friend, other) = (world.peer("a.friends.test", &["ann"]), world.peer("other.test", &["bob"]));
        reply(world, &friend, "ann", 1, &article, "<p>Friend</p>").await;
        reply(world, &other, "bob", 1, &article, "<p>Other</p>").await;
        assert_eq!(
            (world.reply_texts().await, queue(world).await),
            (vec!["Friend".to_owned()], vec!["Other".to_owned()])
        );
        world.follow(&other, "bob", MAREN).await;
        world.configure("allow_only", "others = \"decline\"\nallow_only").await;
        let maren = other.lookup(MAREN).await.expect("an actor");
        for (id, kind, object) in [
            ("c9", "Create", note(&other, "bob", 9, &article, "<p>More</p>")),
            ("l9", "Like", article.as_str().into()),
            ("f9", "Follow", maren.actor_id.as_str().into()),
        ] {
            send(world, &other, "bob", about(&other, "bob", kind, id, object)).await;
            let (verdict, reason) = last_reason(world).await;
            let expected = "its server is not among those that are let in (allow_only)";
            assert_eq!((verdict.as_str(), reason.as_str()), ("declined", expected), "{kind}");
        }
        send(world, &friend, "ann", about(&friend, "ann", "Like", "l1", article.as_str())).await;
        assert_eq!((seen(world, &article).await.1, world.followers().await), (1, 0));
    })
    .await;
}

/// Interop E6: kept for its author if that is wanted, and shown to nobody, whatever anybody decides.
#[tokio::test]
async fn a_private_word_is_kept_only_if_that_is_wanted() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let peer = world.peer("peer.test", &["ann"]);
        let private = |number: u32| {
            let mut note = note(&peer, "ann", number, &article, "<p>Secret</p>");
            note["to"] = json!(["https://social.example.org/somebody"]);
            about(&peer, "ann", "Create", &format!("c{number}"), note)
        };
        send(world, &peer, "ann", private(1)).await;
        assert_eq!(last_reason(world).await.0, "declined");
        world.configure("policy = \"open\"", "policy = \"open\"\nkeep_private = true").await;
        send(world, &peer, "ann", private(2)).await;
        assert_eq!((last_reason(world).await.0.as_str(), seen(world, &article).await.0.len()), ("accepted", 0));
        let id = format!("{}/statuses/2", peer.actor_id("ann"));
        assert!(review::decide(&world.app, &id, Decision::Approve, ModerationNote::default()).await.is_err());
        assert_eq!(decide(world, &id, Decision::Delete, "read").await, State::Deleted);
    })
    .await;
}

/// Interop E15.
#[tokio::test]
async fn a_report_is_shown_until_it_is_resolved() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let peer = world.peer("peer.test", &["ann"]);
        let mut flag = about(&peer, "ann", "Flag", "f1", article.as_str());
        flag["content"] = "It is <b>rude</b>".into();
        send(world, &peer, "ann", flag).await;
        let open = async |all| {
            let mut conn = world.app.db.read().await.expect("a connection");
            store::reports(&mut conn, all, None, 10).await.expect("reports").items
        };
        let reports = open(false).await;
        let [report] = reports.as_slice() else { panic!("one report: {reports:?}") };
        assert_eq!(
            (report.comment.as_str(), report.objects.as_slice()),
            ("It is rude", std::slice::from_ref(&article))
        );
        let (id, now) = (report.id, world.clock.now());
        for expected in [true, false] {
            let resolve = world.app.db.write(move |conn| {
                Box::pin(async move { store::resolve_report(conn, id, "spoke to them", now).await })
            });
            assert_eq!(resolve.await.map_err(|error: sqlx::Error| error).expect("written"), expected, "once");
        }
        let all = open(true).await;
        assert_eq!((open(false).await.len(), all[0].resolution.as_deref()), (0, Some("spoke to them")));
    })
    .await;
}
