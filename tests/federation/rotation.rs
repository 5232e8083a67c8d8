//! A new key pair: told with the old one, in each inbox's order, to those who were away too (interop R6, C8; ADR 10).

use std::time::Duration;

use harness::{Peer, PeerShape};
use veerpont::base::ids::{ActivityId, Handle};
use veerpont::federation::outbox::rotation;
use veerpont::model::author;
use veerpont::model::author::keys::{self, Keyring};

use crate::support::engines;
use crate::world::{MAREN, MONDAY, World, kinds, on_each_engine, taken};

async fn maren(world: &World) -> author::Actor {
    let mut conn = world.app.db.read().await.expect("a connection");
    let handle = Handle::parse("maren").expect("a handle");
    author::store::actor_by_handle(&mut conn, &handle).await.expect("a read").expect("an actor")
}

async fn keyring(world: &World, actor: &author::Actor) -> Keyring {
    let mut conn = world.app.db.read().await.expect("a connection");
    Keyring::of(&mut conn, actor.clone()).await.expect("the keys")
}

#[tokio::test]
async fn who_was_away_takes_the_update_by_the_old_key_and_what_follows_by_the_new_r6() {
    on_each_engine(async |world| {
        world.publish().await;
        let fan = world.peer("fan.test", &["ann"]);
        let before = world.follow(&fan, "ann", MAREN).await.document["publicKey"]["publicKeyPem"].clone();
        world.net.set_down("fan.test", true);
        let actor = maren(world).await;
        let old = keyring(world, &actor).await.signer(&world.app, keys::RSA_FRAGMENT).await.expect("a key");
        let done = rotation::rotate(&world.app, &actor).await.expect("a rotation");
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        assert_eq!(rotation::forget_retired(&world.app).await.expect("a look"), 0, "the Update still waits");

        let then = keyring(world, &actor)
            .await
            .signer_then(&world.app, keys::RSA_FRAGMENT, done.update)
            .await
            .expect("a read")
            .expect("the old key");
        let new = keyring(world, &actor).await.signer(&world.app, keys::RSA_FRAGMENT).await.expect("a key");
        assert_eq!(then.key_id, new.key_id, "one key id (A9)");
        let signed = |key: &keys::Signer| key.key.sign(b"x").expect("a signature");
        assert_eq!(signed(&then), signed(&old));
        assert_ne!(signed(&then), signed(&new));
        let next = ActivityId(done.update.0 + 1);
        assert!(
            keyring(world, &actor)
                .await
                .signer_then(&world.app, keys::RSA_FRAGMENT, next)
                .await
                .expect("a read")
                .is_none()
        );

        world.net.set_down("fan.test", false);
        world.advance(Duration::from_hours(2));
        world.drain().await;
        assert_eq!(kinds(&fan), ["Update", "Create"]);
        // Someone who never saw the actor knows the new key alone.
        let fresh = world.peer("fresh.test", &["bob"]);
        let after = world.follow(&fresh, "bob", MAREN).await.document["publicKey"]["publicKeyPem"].clone();
        assert_ne!(before, after);
        assert_eq!(rotation::forget_retired(&world.app).await.expect("a look"), 2, "nothing waits for them now");
    })
    .await;
}

#[tokio::test]
async fn who_asked_again_before_the_update_came_gets_it_by_the_new_key() {
    for engine in engines() {
        let mut world = World::new(*engine, MONDAY).await;
        world.publish().await;
        let fan = world.peer("fan.test", &["ann"]);
        world.follow(&fan, "ann", MAREN).await;
        rotation::rotate(&world.app, &maren(&world).await).await.expect("a rotation");
        fan.forget_actors();
        world.drain().await;
        assert_eq!(kinds(&fan), ["Update"], "on {engine:?}");
    }
}

/// A GoToSocial whose user follows Maren.
async fn strict(world: &mut World) -> Peer {
    let strict = world.peer_with("gts.test", &["ann"], |settings| settings.shape = PeerShape::GoToSocial);
    world.follow(&strict, "ann", MAREN).await;
    strict
}

#[tokio::test]
async fn a_rotation_beside_a_running_bridge_is_followed_by_it_and_by_gotosocial_r6() {
    on_each_engine(async |world| {
        world.publish().await;
        let (strict, fan) = (strict(world).await, world.peer("fan.test", &["ann"]));
        world.follow(&fan, "ann", MAREN).await;
        let before = strict.lookup(MAREN).await.expect("an actor").document;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        // The running bridge has signed, and holds the key in memory.
        assert_eq!(kinds(&strict), ["Create"]);

        let command = world.beside("", "").await.expect("a second program");
        rotation::rotate(&command, &maren(world).await).await.expect("a rotation");
        command.db.close().await;
        // A refetched actor changes nothing for a GoToSocial: only the Update does.
        assert_eq!(strict.lookup(MAREN).await.expect("an actor").document["id"], before["id"]);
        world.write_post("pier", "The pier", "It is long.", &["maren"]);
        world.publish().await;
        for peer in [&strict, &fan] {
            assert_eq!(kinds(peer), ["Create", "Update", "Create"], "{}", peer.host());
        }
        let now = fan.lookup(MAREN).await.expect("an actor").document;
        assert_ne!(now["publicKey"], before["publicKey"], "the running bridge shows the new key");
        assert_eq!(taken(&strict, "Update")[0].activity["object"]["publicKey"], now["publicKey"]);
    })
    .await;
}

#[tokio::test]
async fn a_gotosocial_that_was_down_for_ten_days_learns_the_new_key_r6() {
    on_each_engine(async |world| {
        world.publish().await;
        let strict = strict(world).await;
        world.net.set_down("gts.test", true);
        rotation::rotate(&world.app, &maren(world).await).await.expect("a rotation");
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        for _ in 0..10 {
            world.advance(Duration::from_hours(24));
            world.drain().await;
            assert_eq!(rotation::forget_retired(&world.app).await.expect("a look"), 0, "the Update still waits");
        }
        world.net.set_down("gts.test", false);
        world.advance(Duration::from_hours(25));
        world.write_post("pier", "The pier", "It is long.", &["maren"]);
        world.publish().await;
        // The Create of ten days ago is stale; the Update is not.
        assert_eq!(kinds(&strict), ["Update", "Create"]);
        assert_eq!(rotation::forget_retired(&world.app).await.expect("a look"), 2, "nothing waits for them now");
    })
    .await;
}

#[tokio::test]
async fn a_key_that_changes_without_its_update_is_lost_to_a_gotosocial_r6() {
    for engine in engines() {
        let mut world = World::new(*engine, MONDAY).await;
        world.publish().await;
        let (strict, fan) = (strict(&mut world).await, world.peer("fan.test", &["ann"]));
        world.follow(&fan, "ann", MAREN).await;
        rotation::rotate(&world.app, &maren(&world).await).await.expect("a rotation");
        // As a bridge does that simply takes another key.
        let mut conn = world.app.db.read().await.expect("a connection");
        sqlx::query("DELETE FROM activities WHERE kind = 'Update'").execute(&mut *conn).await.expect("a deletion");
        drop(conn);
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        assert_eq!(kinds(&fan), ["Create"], "who asks again finds the new key, on {engine:?}");
        assert_eq!(kinds(&strict), Vec::<String>::new(), "on {engine:?}");
        assert!(strict.problems().iter().any(|why| why.contains("R6")), "{:?}", strict.problems());
    }
}
