//! The process may end between any two steps, and within any: what arrives is the same in the end.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use harness::{Found, Peer};
use veerpont::app::worker::{self, Worker};
use veerpont::base::ids::Handle;
use veerpont::federation::outbox::author_replies::{self, Draft};
use veerpont::federation::{delivery, outbox};
use veerpont::inbox;
use veerpont::site::source;

use crate::world::{GROUP, MAREN, World, ids, kinds, on_each_engine, taken};

/// How a step ends.
#[derive(Clone, Copy)]
enum End {
    /// Done, and then the process ends.
    Done,
    /// Claimed, and the process ends before any work.
    Claimed,
    /// The process ends after the n-th turn of the work, where it waits.
    Cut(u32),
}

/// Claims one piece and works it as far as `end` lets it; `false` when nothing is due.
async fn step<W: Worker>(worker: &Arc<W>, world: &World, end: End) -> bool {
    let mut claims = worker.claim(&world.app, 1).await.expect("a claim");
    let Some(claim) = claims.pop() else { return false };
    match end {
        End::Claimed => {}
        End::Done => Box::pin(worker.work(&world.app, claim)).await.expect("work"),
        End::Cut(turns) => {
            let mut turn = 0;
            let is_over = || {
                turn += 1;
                turn > turns
            };
            cut(Box::pin(worker.work(&world.app, claim)), is_over).await;
        }
    }
    true
}

/// Runs a future until `is_over` before one of its turns, then drops it.
async fn cut<T>(future: impl Future<Output = T>, mut is_over: impl FnMut() -> bool) {
    let mut future = pin!(future);
    std::future::poll_fn(|context| if is_over() { Poll::Ready(()) } else { future.as_mut().poll(context).map(|_| ()) })
        .await;
}

/// Works everything that is due, one step of one worker at a time, with a restart after each; answers how many.
async fn work_and_crash(world: &mut World, ends: &mut impl Iterator<Item = End>) -> usize {
    for crashes in 0.. {
        let end = ends.next().expect("endless");
        let worked = step(&inbox::worker::worker(), world, end).await
            || step(&source::worker::worker(), world, end).await
            || step(&outbox::worker::worker(), world, end).await
            || step(&delivery::worker::worker(), world, end).await;
        if !worked {
            return crashes;
        }
        world.restart().await;
    }
    unreachable!("the steps come to an end")
}

/// Two followers, of author and Group, through a post's whole life.
async fn tell(world: &mut World, mut ends: impl Iterator<Item = End>) -> [Peer; 2] {
    world.publish().await;
    let fan = world.peer("fan.test", &["ann"]);
    let both = world.peer_with("both.test", &["ann"], |settings| settings.shared_inbox = false);
    let [maren, group]: [Found; 2] =
        [fan.lookup(MAREN).await.expect("an actor"), fan.lookup(GROUP).await.expect("an actor")];
    fan.follow("ann", &maren).await.expect("the Follow is taken");
    both.follow("ann", &maren).await.expect("the Follow is taken");
    both.follow("ann", &group).await.expect("the Follow is taken");
    let mut crashes = work_and_crash(world, &mut ends).await;
    world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
    world.sync().await;
    crashes += work_and_crash(world, &mut ends).await;
    // By the timer, so that the scan itself is one of the steps.
    world.site.replace("ferry", "at ten", "at eleven");
    world.advance(Duration::from_mins(5));
    crashes += work_and_crash(world, &mut ends).await;
    world.site.remove("ferry");
    world.sync_confirmed().await;
    crashes += work_and_crash(world, &mut ends).await;
    // Three Follows; four activities, each said, fanned out and sent; at least twice as many steps as pieces.
    assert!(crashes > 30, "only {crashes} crashes");
    let accepts: BTreeSet<_> = taken(&fan, "Accept").into_iter().map(|post| post.id).collect();
    assert_eq!(accepts.len(), 1);
    [fan, both]
}

#[tokio::test]
async fn a_crash_between_any_two_steps_changes_nothing() {
    on_each_engine(async |world| {
        // Each piece is claimed in vain before it is worked, and the process ends after either.
        let [fan, both] = tell(world, [End::Claimed, End::Done].into_iter().cycle()).await;
        assert_eq!(kinds(&fan), ["Create", "Update", "Delete"]);
        assert_eq!(kinds(&both), ["Create", "Announce", "Update", "Delete"]);
        assert_eq!(taken(&both, "Accept").len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_crash_within_any_step_repeats_at_most_what_was_unsettled() {
    on_each_engine(async |world| {
        let ends = (1..).flat_map(|waits| [End::Cut(1 + waits % 12), End::Cut(1 + waits % 5), End::Done]);
        let peers = tell(world, ends).await;
        let expected: [&[&str]; 2] = [&["Create", "Update", "Delete"], &["Create", "Announce", "Update", "Delete"]];
        for (peer, expected) in peers.iter().zip(expected) {
            // A repetition follows what it repeats; any other would stay in the list.
            let mut seen = ids(peer).into_iter().zip(kinds(peer)).collect::<Vec<_>>();
            seen.dedup();
            let kinds: Vec<_> = seen.into_iter().map(|(_, kind)| kind).collect();
            assert_eq!(kinds, expected, "{}", peer.host());
        }
    })
    .await;
}

#[tokio::test]
async fn only_what_arrived_and_was_not_settled_comes_twice() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        for slug in ["one", "two", "three"] {
            world.write_post(slug, &format!("About {slug}"), &format!("The {slug} sails at ten."), &["maren"]);
        }
        world.sync().await;
        worker::drain(&outbox::worker::worker(), &world.app).await.expect("it is said");
        let delivery = delivery::worker::worker();
        let claim = delivery.claim(&world.app, 1).await.expect("a claim").pop().expect("a host is due");
        // The process ends when the second has arrived, before its answer is read.
        cut(delivery.work(&world.app, claim), || ids(&peer).len() == 2).await;
        assert_eq!(ids(&peer).len(), 2);
        world.restart().await;
        world.drain().await;
        let arrived = ids(&peer);
        assert_eq!(arrived.len(), 4);
        assert_eq!(arrived[1], arrived[2], "the one that was unsettled, with the same id, in its place");
        assert_eq!(arrived.iter().collect::<BTreeSet<_>>().len(), 3);
        assert_eq!(peer.timeline("ann").len(), 3);
    })
    .await;
}

/// An author's answer through its whole life, with a restart after each step.
async fn tell_an_answer(world: &mut World, mut ends: impl Iterator<Item = End>) -> [Peer; 2] {
    world.publish().await;
    let (fan, home) = (world.peer("fan.test", &["cy"]), world.peer("home.test", &["ann"]));
    world.follow(&fan, "cy", MAREN).await;
    world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
    world.publish().await;
    let article = taken(&fan, "Create").pop().expect("a Create").object_id;
    let asked = home.reply("ann", &article, "Does it sail?").await.expect("the reply is taken");
    let mut crashes = work_and_crash(world, &mut ends).await;
    let author = Handle::parse("maren").expect("a handle");
    let draft = Draft { author, to: asked, text: "It does.".to_owned(), language: None };
    let note = author_replies::send(&world.app, draft).await.expect("an answer");
    let id = world.app.urls.note(note.uuid);
    crashes += work_and_crash(world, &mut ends).await;
    author_replies::edit(&world.app, &id, "It does not.").await.expect("an edit");
    crashes += work_and_crash(world, &mut ends).await;
    author_replies::delete(&world.app, &id).await.expect("deleted");
    crashes += work_and_crash(world, &mut ends).await;
    // A reply; three activities, each said, fanned out and sent to two.
    assert!(crashes > 12, "only {crashes} crashes");
    [fan, home]
}

#[tokio::test]
async fn a_crash_between_any_two_steps_of_an_answer_changes_nothing() {
    on_each_engine(async |world| {
        let [fan, home] = tell_an_answer(world, [End::Claimed, End::Done].into_iter().cycle()).await;
        assert_eq!(kinds(&fan), ["Create", "Create", "Update", "Delete"]);
        assert_eq!(kinds(&home), ["Create", "Update", "Delete"]);
    })
    .await;
}

#[tokio::test]
async fn a_crash_within_any_step_of_an_answer_repeats_at_most_what_was_unsettled() {
    on_each_engine(async |world| {
        let ends = (1..).flat_map(|waits| [End::Cut(1 + waits % 7), End::Cut(1 + waits % 3), End::Done]);
        let peers = tell_an_answer(world, ends).await;
        let expected: [&[&str]; 2] = [&["Create", "Create", "Update", "Delete"], &["Create", "Update", "Delete"]];
        for (peer, expected) in peers.iter().zip(expected) {
            let mut seen = ids(peer).into_iter().zip(kinds(peer)).collect::<Vec<_>>();
            seen.dedup();
            let kinds: Vec<_> = seen.into_iter().map(|(_, kind)| kind).collect();
            assert_eq!(kinds, expected, "{}", peer.host());
        }
    })
    .await;
}
