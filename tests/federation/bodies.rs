//! An answer means what its status says, whatever becomes of its body, and its first words are told to the operator.

use axum::Router;
use axum::routing::post;
use harness::{Fault, Peer, Spoilt};
use http::StatusCode;
use veerpont::federation::delivery::store::{self, Line};

use crate::world::{MAREN, World, on_each_engine};

/// What became of the Creates at each of a host's inboxes: state, attempts and status.
async fn became(world: &World, host: &str) -> Vec<(String, i64, Option<i64>)> {
    let start = format!("https://{host}/");
    let lines = ledger(world).await.into_iter().filter(|line| line.kind == "Create" && line.inbox.starts_with(&start));
    let mut lines: Vec<_> = lines.map(|line| (line.inbox, line.state, line.attempts, line.answer)).collect();
    lines.sort();
    lines.into_iter().map(|(_, state, attempts, answer)| (state, attempts, answer)).collect()
}

async fn ledger(world: &World) -> Vec<Line> {
    let mut conn = world.app.db.read().await.expect("a connection");
    store::ledger(&mut conn, None, 10_000).await.expect("the ledger").items
}

#[tokio::test]
async fn an_answer_means_what_its_status_says() {
    on_each_engine(async |world| {
        world.publish().await;
        let spoilt = [Spoilt::Long, Spoilt::Pausing, Spoilt::NoGzip, Spoilt::CutOff];
        let mut peers: Vec<(u16, Option<Spoilt>, Peer)> = Vec::new();
        for status in [202, 400, 404, 410, 500, 503] {
            for body in [None].into_iter().chain(spoilt.map(Some)) {
                let peer = world.peer(&format!("s{status}-{}.test", peers.len()), &["ann"]);
                world.follow(&peer, "ann", MAREN).await;
                peer.set_fault(body.map_or(Fault::Status(status), |body| Fault::Spoilt { status, body }));
                peers.push((status, body, peer));
            }
        }
        world.write_post("one", "One", "It sails at ten.", &["maren"]);
        world.publish().await;
        for plain in peers.chunks(spoilt.len() + 1) {
            let expected = became(world, plain[0].2.host()).await;
            assert!(expected.iter().all(|(_, attempts, _)| *attempts > 0), "{expected:?}");
            for (status, body, peer) in plain {
                assert_eq!(became(world, peer.host()).await, expected, "{status} with {body:?}");
            }
        }
        let mut conn = world.app.db.read().await.expect("a connection");
        let [_, failing, gone] = store::count_hosts(&mut conn, 10_000).await.expect("counts");
        assert_eq!((failing, gone), (5, 0), "503 alone speaks of the host");
    })
    .await;
}

#[tokio::test]
async fn what_a_peer_says_with_its_refusal_is_told() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        let why = "{\"error\":\"unknown\",\r\n\"message\":\"missing field `actor`\u{1b}[2J\u{202e}\"}";
        let refuses = Router::new()
            .route("/inbox", post(async move || (StatusCode::BAD_REQUEST, why)))
            .fallback_service(peer.router());
        world.net.host("peer.test", refuses);
        world.write_post("one", "One", "It sails at ten.", &["maren"]);
        world.publish().await;
        let line = ledger(world).await.into_iter().find(|line| line.kind == "Create").expect("a line");
        assert_eq!((line.state.as_str(), line.answer), ("refused", Some(400)));
        let told = "400: {\"error\":\"unknown\", \"message\":\"missing field `actor`[2J\"}";
        assert_eq!(line.last().as_deref(), Some(told));
        let mut conn = world.app.db.read().await.expect("a connection");
        let page = ["https://example.org/post/one/".to_owned()];
        let articles = veerpont::model::post::store::articles_on_pages(&mut conn, &page).await.expect("a look");
        let untaken = store::untaken(&mut conn, articles[0].0, 10).await.expect("lines");
        assert_eq!(untaken.iter().map(Line::last).collect::<Vec<_>>(), [Some(told.to_owned())]);
    })
    .await;
}
