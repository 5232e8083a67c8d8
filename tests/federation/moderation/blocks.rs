//! Blocks by hand and by lists: what was shown is hidden, follows end, and all comes back with their end.

use std::time::Duration;

use harness::FollowState;
use veerpont::inbox;
use veerpont::model::interaction::State;
use veerpont::moderation::enforcement::Enforced;
use veerpont::moderation::listing::{self, BlockRequest, Imported, List};
use veerpont::moderation::{BlockKind, ModerationNote, Severity, store};

use super::{about, article, block, knock, last_reason, ours, read, refused, reply, seen, send, state, unblock};
use crate::world::{GROUP, MAREN, World, on_each_engine, taken};

async fn import(world: &World, name: &str, text: &str) -> Imported {
    let list = List { name, file: "file.csv", text };
    listing::import(&world.app, list, false, ModerationNote::default()).await.expect("an import")
}

/// A block reaches what is below the domain, hides what was shown, ends follows with a Reject, and lets nothing more out;
/// its end shows again what it alone hid.
#[tokio::test]
async fn a_blocked_domain_is_gone_with_all_below_it_and_comes_back() {
    on_each_engine(async |world| {
        world.publish().await;
        let (peer, bad) = (world.peer("peer.test", &["ann"]), world.peer("sub.bad.test", &["eve"]));
        let maren = world.follow(&bad, "eve", MAREN).await;
        world.follow(&bad, "eve", GROUP).await;
        world.follow(&peer, "ann", MAREN).await;
        let article = article(world).await;
        let good = reply(world, &peer, "ann", 1, &article, "<p>Good</p>").await;
        let evil = reply(world, &bad, "eve", 1, &article, "<p>Evil</p>").await;
        for (kind, id) in [("Like", "l1"), ("Announce", "b1")] {
            send(world, &bad, "eve", about(&bad, "eve", kind, id, article.as_str())).await;
        }
        assert_eq!(seen(world, &article).await, (vec![good.clone(), evil.clone()], 1, 1));

        let done = block(world, BlockKind::Domain, "Bad.Test.", Severity::Block).await;
        let expected = Enforced { hidden: 3, shown_again: 0, follows_ended: 2, servers_cut_off: 1 };
        assert_eq!(done, expected);
        assert_eq!(
            (seen(world, &article).await, state(world, &evil).await),
            ((vec![good.clone()], 0, 0), State::Blocked)
        );
        assert_eq!(
            (world.followers().await, bad.follow_state("eve", &maren.actor_id)),
            (1, Some(FollowState::Rejected))
        );
        assert_eq!(taken(&bad, "Reject").len(), 2);
        assert_eq!(
            block(world, BlockKind::Domain, "bad.test", Severity::Block).await,
            Enforced::default(),
            "once is enough"
        );

        let late = about(&bad, "eve", "Like", "l2", article.as_str());
        assert_eq!(knock(world, &bad, "eve", &late).await, 403, "C10");
        assert_eq!(refused(world, "blocked-domain").await, 1);
        assert_eq!(bad.fetch(&article).await.expect("an answer").0, 403, "nor is it shown what it asks for");
        assert_eq!(read(world, &article).await.0, 200, "anybody else is");
        let before = taken(&bad, "Create").len() + taken(&bad, "Update").len();
        world.write_post("ferry", "The ferry", "It sails at eleven.", &["maren"]);
        world.write_post("news", "News", "Some news.", &["maren"]);
        world.publish().await;
        assert_eq!(taken(&bad, "Create").len() + taken(&bad, "Update").len(), before, "it is told of nothing");
        world.sync_removal("ferry").await;
        assert_eq!(taken(&bad, "Delete").len(), 1, "but of the end of what it has");

        let done = unblock(world, BlockKind::Domain, "bad.test").await;
        assert_eq!((done.shown_again, state(world, &evil).await), (3, State::Shown));
        assert_eq!(world.followers().await, 1, "who was let go may follow again, and does not by itself");
        world.follow(&bad, "eve", MAREN).await;
    })
    .await;
}

/// Several lists may name one domain: each goes with exactly its own entries.
#[tokio::test]
async fn a_list_is_imported_with_its_provenance_and_undone_exactly() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (bad, loud) = (world.peer("a.bad.test", &["eve"]), world.peer("loud.test", &["leo"]));
        world.follow(&bad, "eve", MAREN).await;
        let evil = reply(world, &bad, "eve", 1, &article, "<p>Evil</p>").await;
        let noisy = reply(world, &loud, "leo", 1, &article, "<p>Loud</p>").await;
        let both = [evil.clone(), noisy.clone()];
        assert_eq!(seen(world, &article).await.0, both);
        let csv = "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n\
                   bad.test,suspend,FALSE,FALSE,Spam,FALSE\nloud.test,silence,FALSE,FALSE,,FALSE\n\
                   x*y.test,suspend,FALSE,FALSE,,TRUE\nexample.org,suspend,FALSE,FALSE,,FALSE\n";

        let dry = listing::would_import(&world.app, List { name: "ours", file: "ours.csv", text: csv })
            .await
            .expect("a dry run");
        assert_eq!((dry.added.len(), dry.skipped.len()), (2, 2));
        let [lost] = dry.followers_lost.as_slice() else { panic!("one follower: {:?}", dry.followers_lost) };
        assert_eq!(
            (lost.follower.as_str(), lost.author.as_str(), lost.because.as_str()),
            (&*bad.actor_id("eve"), "@maren@example.org", "bad.test")
        );
        assert_eq!((seen(world, &article).await.0, world.followers().await), (both.to_vec(), 1), "nothing was written");

        for (list, text) in [("ours", csv), ("theirs", "bad.test\n")] {
            import(world, list, text).await;
        }
        world.drain().await;
        assert_eq!((seen(world, &article).await.0, world.followers().await), (vec![noisy.clone()], 0));
        let again = import(world, "ours", csv).await;
        assert_eq!(
            (again.added.len(), again.removed.len(), again.unchanged, again.enforced),
            (0, 0, 2, Enforced::default())
        );
        let next = reply(world, &loud, "leo", 2, &article, "<p>Louder</p>").await;
        assert_eq!(state(world, &next).await, State::Held, "silence holds what comes from then on");

        let replaced = import(world, "ours", "other.test\n").await;
        assert_eq!(
            (replaced.added, replaced.removed),
            (vec!["other.test".to_owned()], vec!["bad.test".to_owned(), "loud.test".to_owned()])
        );
        assert_eq!(seen(world, &article).await.0, std::slice::from_ref(&noisy), "the other list still names it");
        block(world, BlockKind::Domain, "a.bad.test", Severity::Block).await;
        assert_eq!(listing::remove_list(&world.app, "theirs", ModerationNote::default()).await.expect("a list").0, 1);
        assert_eq!(seen(world, &article).await.0, [noisy], "and so does a moderator");
        unblock(world, BlockKind::Domain, "a.bad.test").await;
        assert_eq!(seen(world, &article).await.0, both);
        let mut conn = world.app.db.read().await.expect("a connection");
        let left: Vec<String> = store::blocks(&mut conn, None, 10)
            .await
            .expect("blocks")
            .items
            .into_iter()
            .map(|block| block.value)
            .collect();
        assert_eq!(left, ["other.test"]);
        assert!(listing::remove_list(&world.app, "theirs", ModerationNote::default()).await.is_err());
    })
    .await;
}

/// What was decided is carried out by the running bridge, should the command that decided it have died.
#[tokio::test]
async fn a_block_that_was_only_written_is_enforced_later() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let bad = world.peer("bad.test", &["eve"]);
        reply(world, &bad, "eve", 1, &article, "<p>Evil</p>").await;
        let (id, now) = (veerpont::base::ids::BlockId(world.app.ids.row()), world.clock.now());
        let written = world.app.db.write(move |conn| {
            Box::pin(async move {
                let (kind, severity) = (BlockKind::Domain, Severity::Block);
                let block =
                    store::NewBlock { id, kind, value: "bad.test", severity, actor: None, list: None, reason: None };
                store::put_block(conn, &block, now).await?;
                store::note_change(conn).await
            })
        });
        written.await.map_err(|error: sqlx::Error| error).expect("written");
        assert_eq!(seen(world, &article).await.0.len(), 1);
        inbox::housekeeping::tidy(&world.app).await.expect("tidy");
        assert_eq!(seen(world, &article).await.0.len(), 0);
        let mut conn = world.app.db.read().await.expect("a connection");
        assert_eq!(store::changes(&mut conn).await.expect("a number"), None, "and is done");
    })
    .await;
}

/// A block of one author or community keeps from what is theirs, and from nothing else.
#[tokio::test]
async fn a_block_for_one_author_leaves_the_others_alone() {
    on_each_engine(async |world| {
        let marens = article(world).await;
        world.write_post("tides", "The tides", "High at noon.", &["joris"]);
        world.advance(Duration::from_secs(5));
        world.publish().await;
        let mut conn = world.app.db.read().await.expect("a connection");
        let uuid: String = sqlx::query_scalar(
            "SELECT a.uuid FROM articles a JOIN posts p ON p.id = a.post_id WHERE p.key = 'post/tides'",
        )
        .fetch_one(&mut *conn)
        .await
        .expect("an article");
        drop(conn);
        let joriss = format!("https://social.example.org/ap/articles/{uuid}");
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        world.follow(&peer, "ann", GROUP).await;
        reply(world, &peer, "ann", 1, &marens, "<p>To Maren</p>").await;
        reply(world, &peer, "ann", 2, &joriss, "<p>To Joris</p>").await;
        let actor = Some(ours(world, "maren").await);
        let wish = || BlockRequest { kind: BlockKind::Domain, value: "peer.test", actor };
        listing::add(&world.app, wish(), Severity::Block, ModerationNote::default()).await.expect("a block");
        world.drain().await;
        assert_eq!((world.reply_texts().await, world.followers().await), (vec!["To Joris".to_owned()], 1));
        let like = about(&peer, "ann", "Like", "l1", marens.as_str());
        send(world, &peer, "ann", like).await;
        assert_eq!(
            last_reason(world).await,
            ("declined".to_owned(), "the domain peer.test is blocked for this author".to_owned())
        );
        let maren = peer.lookup(MAREN).await.expect("an actor");
        peer.follow("ann", &maren).await.expect("it is taken");
        world.drain().await;
        assert_eq!(
            (world.followers().await, peer.follow_state("ann", &maren.actor_id)),
            (1, Some(FollowState::Rejected))
        );
        reply(world, &peer, "ann", 3, &joriss, "<p>To Joris again</p>").await;
        assert_eq!(world.reply_texts().await, ["To Joris", "To Joris again"]);
        listing::remove(&world.app, wish(), ModerationNote::default()).await.expect("it is there");
        assert_eq!(world.reply_texts().await.len(), 3);
        let actor = Some(ours(world, "community").await);
        let wish = BlockRequest { kind: BlockKind::Actor, value: &peer.actor_id("ann"), actor };
        listing::add(&world.app, wish, Severity::Block, ModerationNote::default()).await.expect("a block");
        assert_eq!(
            (world.reply_texts().await.len(), world.followers().await),
            (0, 0),
            "the community's are all of them"
        );
    })
    .await;
}
