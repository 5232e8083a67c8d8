//! What must be turned away is turned away: 401 or 400, no row, and a count.

use std::time::Duration;

use bytes::Bytes;
use harness::{Answer, Found, Peer, PeerKey, SignOptions};
use serde_json::{Value, json};
use veerpont::app::worker;
use veerpont::inbox;

use crate::world::{MAREN, World, on_each_engine};

fn like(peer: &Peer, number: u32, found: &Found) -> Value {
    json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": format!("https://{}/likes/{number}", peer.host()),
        "type": "Like", "actor": peer.actor_id("ann"), "object": found.actor_id })
}

/// What was turned away today: host, reason, times.
async fn refusals(world: &World) -> Vec<(String, String, i64)> {
    inbox::housekeeping::tidy(&world.app).await.expect("written");
    written(world).await
}

/// As [`refusals`], as far as they are written.
async fn written(world: &World) -> Vec<(String, String, i64)> {
    let mut conn = world.app.db.read().await.expect("a connection");
    let day = world.clock.now().date_time().format("%Y-%m-%d").to_string();
    let counted = inbox::store::rejections(&mut conn, &day, 100).await.expect("counts");
    counted.into_iter().map(|(_, host, reason, times)| (host, reason, times)).collect()
}

/// The answer was a refusal, it was counted under this reason, and nothing was kept.
async fn is_refused(world: &World, answer: Result<Answer, String>, status: u16, reason: &str) {
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, status, "{reason}: {}", answer.body);
    assert_eq!(world.verdicts().await, [], "{reason}: nothing is kept");
    let counts = refusals(world).await;
    assert!(counts.iter().any(|(_, counted, times)| counted == reason && *times == 1), "{reason}: {counts:?}");
}

/// Whoever signs nothing must not cost us a write with each request (interop G9).
#[tokio::test]
async fn refusals_within_a_second_are_written_together_g9() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        for _ in 0..10 {
            let unsigned = http::Request::post(&maren.inbox).header("content-type", "application/activity+json");
            let answer = peer.exchange(unsigned.body(Bytes::from_static(b"{}")).expect("a request")).await;
            assert_eq!(answer.expect("an answer").status, 401);
        }
        let times = |counts: Vec<(String, String, i64)>| counts.iter().map(|(_, _, times)| times).sum::<i64>();
        assert_eq!(times(written(world).await), 1, "the first at once, the others later");
        assert_eq!(times(refusals(world).await), 10);
    })
    .await;
}

#[tokio::test]
async fn what_was_changed_on_its_way_is_refused() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        let (inbox, honest) = (maren.inbox.clone(), like(&peer, 1, &maren));
        let forged = like(&peer, 2, &maren);

        let body = Bytes::from(forged.to_string());
        let tampered = peer.post_raw("ann", &inbox, &honest, |request| *request.body_mut() = body).await;
        is_refused(world, tampered, 401, "digest-mismatch").await;

        // A second Digest that fits the forged body, beside the one that was signed (interop H13).
        let mut second = peer.signed_post("ann", &inbox, &honest, &SignOptions::default()).expect("a request");
        let mut fitting = peer.signed_post("ann", &inbox, &forged, &SignOptions::default()).expect("a request");
        let digest = fitting.headers_mut().remove("digest").expect("a digest");
        second.headers_mut().append("digest", digest);
        *second.body_mut() = fitting.into_body();
        is_refused(world, peer.exchange(second).await, 400, "repeated-header").await;

        let unsigned = peer.post_raw("ann", &inbox, &honest, |request| {
            request.headers_mut().remove("signature");
        });
        is_refused(world, unsigned.await, 401, "signature-missing").await;

        let newer = peer.post_raw("ann", &inbox, &honest, |request| {
            let headers = request.headers_mut();
            headers.insert("signature", "sig1=:AAAA:".parse().expect("a value"));
            let input =
                r#"sig1=("@method" "@target-uri");created=1793613600;keyid="https://peer.test/users/ann#main-key""#;
            headers.insert("signature-input", input.parse().expect("a value"));
        });
        is_refused(world, newer.await, 401, "digest-unsigned").await;
    })
    .await;
}

#[tokio::test]
async fn what_is_signed_wrongly_is_refused() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        let document = like(&peer, 1, &maren);
        let signed = |names: &str| Some(names.split(' ').map(str::to_owned).collect());
        let plain = SignOptions::default;
        let cases = [
            (SignOptions { host: Some("other.example".into()), ..plain() }, 401, "host-foreign"),
            (SignOptions { age: Duration::from_mins(66), ..plain() }, 401, "date-old"),
            (SignOptions { ahead: Duration::from_hours(2), ..plain() }, 401, "date-future"),
            (SignOptions { headers: signed("host date digest content-type"), ..plain() }, 401, "target-unsigned"),
            (SignOptions { headers: signed("(request-target) host date"), ..plain() }, 401, "digest-unsigned"),
            (SignOptions { headers: signed("digest"), ..plain() }, 401, "date-unsigned"),
            (SignOptions { key: Some(PeerKey::generate().expect("a key")), ..plain() }, 401, "wrong-signature"),
        ];
        for (options, status, reason) in cases {
            let answer = peer.post_signed("ann", &maren.inbox, &document, &options).await;
            is_refused(world, answer, status, reason).await;
        }
        let of_peer: Vec<_> = refusals(world).await.into_iter().filter(|(host, _, _)| host == "peer.test").collect();
        assert!(of_peer.iter().any(|(_, reason, _)| reason == "wrong-signature"), "the host is counted: {of_peer:?}");

        // T3: half an hour is not old; and none of the above spoiled the honest request.
        let late = SignOptions { age: Duration::from_mins(30), ..plain() };
        let answer = peer.post_signed("ann", &maren.inbox, &document, &late).await.expect("an answer");
        assert_eq!(answer.status, 202, "{}", answer.body);
        world.drain().await;
        assert_eq!(world.verdicts().await, [("declined".to_owned(), 1)]);
    })
    .await;
}

#[tokio::test]
async fn a_key_that_cannot_be_had_just_now_is_asked_for_later() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        let document = like(&peer, 1, &maren);
        world.net.set_down("peer.test", true);
        let answer = peer.post_signed("ann", &maren.inbox, &document, &SignOptions::default()).await;
        is_refused(world, answer, 503, "key-unreachable").await;
        let asked = world.requests("GET https://peer.test/");
        let again = peer.post_signed("ann", &maren.inbox, &document, &SignOptions::default()).await.expect("an answer");
        assert_eq!(
            (again.status, world.requests("GET https://peer.test/")),
            (503, asked),
            "G8: not asked again at once"
        );

        world.net.set_down("peer.test", false);
        world.advance(Duration::from_mins(6));
        let later = peer.post_signed("ann", &maren.inbox, &document, &SignOptions::default()).await.expect("an answer");
        assert_eq!(later.status, 202, "{}", later.body);
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn t5_a_rotated_key_is_fetched_once_again() {
    on_each_engine(async |world| {
        world.publish().await;
        let before = world.peer("peer.test", &["ann"]);
        let maren = world.follow(&before, "ann", MAREN).await;
        world.advance(Duration::from_mins(10));
        let after = world.peer_with("peer.test", &["ann"], |settings| settings.key = None);
        let fetched = world.requests("GET https://peer.test/users/ann");
        for number in 1..=3 {
            let document = like(&after, number, &maren);
            let answer = after.post_signed("ann", &maren.inbox, &document, &SignOptions::default()).await;
            assert_eq!(answer.expect("an answer").status, 202);
        }
        assert_eq!(world.requests("GET https://peer.test/users/ann"), fetched + 1);
        let old = before.post_signed("ann", &maren.inbox, &like(&before, 4, &maren), &SignOptions::default()).await;
        assert_eq!(old.expect("an answer").status, 401, "the old key counts no longer");
        world.drain().await;
    })
    .await;
}

#[tokio::test]
async fn e24_a_follow_that_another_signed_is_kept_without_effect() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        let other = world.peer_with("other.test", &["eve"], |settings| settings.key = None);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        let follow = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": "https://peer.test/follows/1",
            "type": "Follow", "actor": peer.actor_id("ann"), "object": maren.actor_id });
        let forwarded = other.post_signed("eve", &maren.inbox, &follow, &SignOptions::default()).await;
        assert_eq!(forwarded.expect("an answer").status, 202);
        world.drain().await;
        assert_eq!((world.followers().await, world.verdicts().await), (0, vec![("declined".to_owned(), 1)]));

        // The key of one under the name of the other is no forwarding but a forgery.
        let stolen = SignOptions { key: Some(other.key().clone()), ..SignOptions::default() };
        let forged = peer.post_signed("ann", &maren.inbox, &follow, &stolen).await.expect("an answer");
        assert_eq!(forged.status, 401);
        world.drain().await;
        assert_eq!(world.followers().await, 0);

        // Nor does the copy block the original.
        world.advance(Duration::from_mins(10));
        let original = peer.post_signed("ann", &maren.inbox, &follow, &SignOptions::default()).await;
        assert_eq!(original.expect("an answer").status, 202);
        worker::drain(&inbox::worker::worker(), &world.app).await.expect("a verdict");
        assert_eq!(world.followers().await, 1);
    })
    .await;
}

/// A key of somebody else who is gone proves nothing about anyone (interop E11).
#[tokio::test]
async fn a_gone_neighbour_cannot_delete_anybody() {
    on_each_engine(async |world| {
        world.publish().await;
        let peer = world.peer("peer.test", &["ann", "bo"]);
        let maren = world.follow(&peer, "ann", MAREN).await;
        peer.delete_account("bo").await.expect("nobody to tell");
        let ann = peer.actor_id("ann");
        let delete = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{ann}#delete"),
            "type": "Delete", "actor": ann, "object": ann });
        let options = SignOptions {
            key_id: Some(peer.key_id("bo")),
            key: Some(PeerKey::generate().expect("a key")),
            ..SignOptions::default()
        };
        let answer = peer.post_signed("ann", &maren.inbox, &delete, &options).await.expect("an answer");
        assert_eq!(answer.status, 401, "{}", answer.body);
        world.drain().await;
        assert_eq!(world.followers().await, 1);
    })
    .await;
}
