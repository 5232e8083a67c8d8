//! A new master key (docs/architecture.md#identity): all private keys or none, and a bridge that runs with the old one stops and loses nothing.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clock::Clock;
use tracing_subscriber::fmt::MakeWriter;
use veerpont::base::ids::Handle;
use veerpont::base::sealing::MasterKey;
use veerpont::federation::outbox::rotation;
use veerpont::model::author::{self, keys};
use veerpont::server;

use crate::world::{MAREN, World, kinds, on_each_engine, on_each_engine_at};

/// What a program logs while it is the only one on its thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Every sealed private key, with its place.
async fn sealed(world: &World) -> Vec<(i64, String, String)> {
    let mut conn = world.app.db.read().await.expect("a connection");
    let rows = sqlx::query_as("SELECT actor_id, fragment, sealed FROM keys ORDER BY actor_id, fragment");
    rows.fetch_all(&mut *conn).await.expect("the keys")
}

async fn set_sealed(world: &World, (actor, fragment, sealed): &(i64, String, String)) {
    let mut conn = world.app.db.read().await.expect("a connection");
    let update = sqlx::query("UPDATE keys SET sealed = $1 WHERE actor_id = $2 AND fragment = $3");
    let done = update.bind(sealed).bind(*actor).bind(fragment).execute(&mut *conn).await.expect("an update");
    assert_eq!(done.rows_affected(), 1);
}

/// The configuration's line of the master key, before and after; the file after it holds a new one.
fn new_master(world: &World) -> (String, String, impl Fn() -> MasterKey + use<>) {
    let old = world.app.config.secrets.master_key_file.display().to_string();
    let new = format!("{old}.new");
    let text = MasterKey::generate().expect("a key");
    std::fs::write(&new, text.as_bytes()).expect("a file");
    (format!("\"{old}\""), format!("\"{new}\""), move || MasterKey::from_base64(&text).expect("a key"))
}

#[tokio::test]
async fn all_private_keys_are_sealed_anew_or_none() {
    on_each_engine(async |world| {
        world.publish().await;
        let fan = world.peer("fan.test", &["ann"]);
        let before = world.follow(&fan, "ann", MAREN).await.document;
        // A retired key is sealed anew too: what waits for it still has to be signed.
        world.net.set_down("fan.test", true);
        let mut conn = world.app.db.read().await.expect("a connection");
        let handle = Handle::parse("maren").expect("a handle");
        let maren = author::store::actor_by_handle(&mut conn, &handle).await.expect("a read").expect("an actor");
        drop(conn);
        rotation::rotate(&world.app, &maren).await.expect("a rotation");
        world.drain().await;
        let (old, new, master) = new_master(world);

        let intact = sealed(world).await;
        let last = intact.last().expect("keys").clone();
        set_sealed(world, &(last.0, last.1.clone(), intact[0].2.clone())).await;
        let damaged = sealed(world).await;
        assert!(keys::reseal(&world.app, master()).await.is_err(), "one key does not open");
        assert_eq!(sealed(world).await, damaged, "nothing has changed");
        set_sealed(world, &last).await;
        let count = keys::reseal(&world.app, master()).await.expect("the change");
        assert_eq!(count, intact.len());
        for (one, other) in intact.iter().zip(sealed(world).await) {
            assert_eq!((one.0, &one.1), (other.0, &other.1));
            assert_ne!(one.2, other.2, "{}", one.1);
        }

        let refused = world.beside("", "").await.map(|_| ()).expect_err("the old master key");
        assert!(refused.to_string().contains("does not open the private keys"), "{refused}");
        world.configure(&old, &new).await;
        world.net.set_down("fan.test", false);
        world.advance(Duration::from_hours(1));
        world.drain().await;
        assert_eq!(kinds(&fan), ["Update"], "signed with the key of its time");
        let after = fan.lookup(MAREN).await.expect("an actor").document;
        assert_eq!(after["id"], before["id"]);
    })
    .await;
}

/// A beat of a bridge whose clock is that of its database.
async fn beat(world: &World) {
    let behind = Clock::system().now().millis() - world.clock.now().millis();
    world.advance(Duration::from_millis(u64::try_from(behind).unwrap_or_default()));
    server::look_after(&world.app).await.expect("a beat");
}

#[tokio::test]
async fn a_bridge_with_the_old_master_key_stops_at_its_next_beat_and_loses_nothing() {
    on_each_engine_at(&Clock::system().now().rfc3339(), async |world| {
        world.publish().await;
        let fan = world.peer("fan.test", &["ann"]);
        world.follow(&fan, "ann", MAREN).await;
        let (old, new, master) = new_master(world);
        beat(world).await;
        assert!(world.app.may_claim.load(Ordering::Relaxed));

        let command = world.beside("", "").await.expect("a second program");
        keys::reseal(&command, master()).await.expect("the change");
        command.db.close().await;
        // Until its beat the running one may work on: it can sign nothing, and it makes no key that nobody could open.
        let count = sealed(world).await.len();
        world.site.author("late", "Late Comer");
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.sync().await;
        assert!(server::drain(&world.app).await.is_err(), "a key sealed with another master key");
        assert_eq!(kinds(&fan), Vec::<String>::new());
        world.write_post("late", "The late one", "It is late.", &["late"]);
        assert!(
            world.try_sync(veerpont::site::source::sync::SyncOptions::default()).await.is_err(),
            "no actor is made"
        );
        assert_eq!(sealed(world).await.len(), count);

        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
        let guard = tracing::subscriber::set_default(subscriber);
        beat(world).await;
        beat(world).await;
        drop(guard);
        assert!(!world.app.may_claim.load(Ordering::Relaxed), "it claims nothing any more");
        let said = log.text();
        assert_eq!(said.matches("ERROR").count(), 1, "said once: {said}");
        assert!(said.contains("the master key was changed") && said.contains("restarted with the new one"), "{said}");

        world.configure(&old, &new).await;
        beat(world).await;
        assert!(world.app.may_claim.load(Ordering::Relaxed));
        world.advance(Duration::from_hours(1));
        world.publish().await;
        world.follow(&fan, "ann", "late@example.org").await;
        assert_eq!(kinds(&fan), ["Create"], "what waited is sent, once");
    })
    .await;
}
