//! What moderators decided is remembered with who and why, a few of each thing; the same word again keeps its reason.

use veerpont::inbox::review;
use veerpont::model::interaction;
use veerpont::moderation::listing::{self, BlockRequest};
use veerpont::moderation::preview::{self, Forecast};
use veerpont::moderation::review::Decision;
use veerpont::moderation::{BlockKind, ModerationNote, Severity, store};

use super::{article, reply, unblock};
use crate::world::{MAREN, on_each_engine};

fn note(by: &str, why: Option<&str>) -> ModerationNote {
    ModerationNote { by: Some(by.to_owned()), why: why.map(str::to_owned) }
}

#[tokio::test]
async fn decisions_are_kept_with_who_and_why() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let peer = world.peer("peer.test", &["ann"]);
        let id = reply(world, &peer, "ann", 1, &article, "<p>Hello</p>").await;
        for (decision, by, why) in
            [(Decision::Hide, "Mo", Some("an advert")), (Decision::Hide, "Bo", None), (Decision::Approve, "Bo", None)]
        {
            review::decide(&world.app, &id, decision, note(by, why)).await.expect("decided");
            let mut conn = world.app.db.read().await.expect("a connection");
            let row = interaction::store::post(&mut conn, &id).await.expect("a row").expect("a reply").id;
            let ruling = interaction::store::ruling(&mut conn, row).await.expect("a ruling");
            let expected = (decision == Decision::Hide).then_some("an advert");
            assert_eq!(ruling.why.as_deref(), expected, "{decision:?} of {by}");
        }
        let decided = async || {
            let mut conn = world.app.db.read().await.expect("a connection");
            store::decisions_of(&mut conn, &id).await.expect("decisions")
        };
        let told: Vec<String> = decided().await.iter().map(store::Decided::told).collect();
        assert_eq!(told, ["Mo hid it: an advert", "Bo hid it", "Bo approved it"]);
        for _ in 0..25 {
            review::decide(&world.app, &id, Decision::Hide, note("Mo", None)).await.expect("decided");
        }
        assert_eq!(decided().await.len(), 20);
    })
    .await;
}

#[tokio::test]
async fn a_forecast_is_what_the_block_then_does() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        let shown = reply(world, &peer, "ann", 1, &article, "<p>Hello</p>").await;
        let hidden = reply(world, &peer, "ann", 2, &article, "<p>Again</p>").await;
        review::decide(&world.app, &hidden, Decision::Hide, ModerationNote::default()).await.expect("decided");
        let wish = || BlockRequest { kind: BlockKind::Domain, value: "Peer.Test.", actor: None };
        let Forecast { value, public_suffix, would, followers_lost } =
            preview::of_block(&world.app, wish(), Severity::Block).await.expect("a forecast");
        assert_eq!((value.as_str(), public_suffix, followers_lost.len()), ("peer.test", false, 1));
        assert_eq!((would.hidden, would.follows_ended, would.servers_cut_off), (1, 1, 1));
        assert_eq!(world.followers().await, 1, "nothing was done");
        let (_, done) =
            listing::add(&world.app, wish(), Severity::Block, note("Mo", Some("spam"))).await.expect("a block");
        assert_eq!(done, would);
        // By hand again without a reason: it stays.
        listing::add(&world.app, wish(), Severity::Block, ModerationNote::default()).await.expect("a block");
        let mut conn = world.app.db.read().await.expect("a connection");
        let blocks = store::blocks(&mut conn, None, 10).await.expect("blocks").items;
        assert_eq!(blocks.first().and_then(|block| block.reason.as_deref()), Some("spam"));
        drop(conn);
        let undone = unblock(world, BlockKind::Domain, "peer.test").await;
        assert_eq!(undone.shown_again, 1, "what a moderator hid stays hidden: {shown}");
    })
    .await;
}
