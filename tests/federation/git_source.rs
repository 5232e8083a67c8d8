//! A source in a git repository: a push and a call of its forge bring a post; a repository that is away takes none.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};

use crate::world::{GROUP, World, on_each_engine, taken};

const SECRET: &str = "shared with the forge";

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]).args(arguments);
    let done = command.output().expect("git is installed");
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

impl World {
    /// Commits what the site's folder holds now.
    fn commit(&self) {
        git(self.site.path(), &["add", "--all"]);
        git(self.site.path(), &["commit", "--quiet", "--message=more"]);
    }

    /// Makes the site's folder a repository, from which the source is read. Gives the folder that holds our copy.
    async fn publish_from_git(&mut self) -> tempfile::TempDir {
        git(self.site.path(), &["init", "--quiet", "--initial-branch=main"]);
        self.commit();
        let kept = tempfile::tempdir().expect("a folder");
        std::fs::write(kept.path().join("secret"), SECRET).expect("a file");
        let settings = format!(
            "repository = \"{}\"\nbranch = \"main\"\ncheckout = \"{}\"\nwebhook_secret_file = \"{}\"",
            self.site.path().display(),
            kept.path().join("checkout").display(),
            kept.path().join("secret").display(),
        );
        self.configure(&self.source_path(), &settings).await;
        kept
    }

    async fn call(&self, secret: &str) -> StatusCode {
        let request = Request::post("https://social.example.org/hooks/sources/site").header("x-gitlab-token", secret);
        self.net.dispatch(request.body(Bytes::new()).expect("a request")).await.expect("an answer").status()
    }
}

#[tokio::test]
async fn a_push_and_a_call_bring_the_post_at_once_sources_1_9() {
    on_each_engine(async |world| {
        let _kept = world.publish_from_git().await;
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", GROUP).await;
        world.write_post("pushed", "A pushed post", "By git.", &["maren"]);
        world.drain().await;
        assert_eq!(taken(&peer, "Announce").len(), 0, "it is written, but not committed");
        world.commit();
        assert_eq!(world.call("a guess").await, StatusCode::FORBIDDEN);
        world.drain().await;
        assert_eq!(taken(&peer, "Announce").len(), 0);
        assert_eq!(world.call(SECRET).await, StatusCode::ACCEPTED);
        world.drain().await;
        assert_eq!(taken(&peer, "Announce").len(), 1);
        assert_eq!(world.call(SECRET).await, StatusCode::ACCEPTED, "again, which changes nothing");
        world.drain().await;
        assert_eq!(taken(&peer, "Announce").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn without_a_call_the_timer_fetches() {
    on_each_engine(async |world| {
        let _kept = world.publish_from_git().await;
        world.publish().await;
        let peer = world.peer("peer.test", &["ann"]);
        world.follow(&peer, "ann", GROUP).await;
        world.write_post("pushed", "A pushed post", "By git.", &["maren"]);
        world.commit();
        world.advance(Duration::from_mins(5));
        world.drain().await;
        assert_eq!(taken(&peer, "Announce").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_repository_that_is_away_removes_nothing_and_is_asked_less_and_less() {
    on_each_engine(async |world| {
        let kept = world.publish_from_git().await;
        world.publish().await;
        // Gone from the branch, but not yet believed when the repository goes away.
        world.site.remove("old-maren");
        world.commit();
        assert_eq!(world.publish().await.removed, 0);
        let (here, away) = (world.site.path().join(".git"), kept.path().join("away"));
        std::fs::rename(&here, &away).expect("moved away");
        let mut waits = Vec::new();
        for _ in 0..6 {
            world.advance(Duration::from_hours(24));
            let report = world.publish().await;
            assert_eq!((report.removed, report.complete), (0, false));
            assert!(report.warnings.iter().any(|warning| warning.message.contains("could not be fetched")));
            let mut conn = world.app.db.read().await.expect("a connection");
            let source = veerpont::site::source::store::known(&mut conn).await.expect("rows").remove(0);
            assert!(source.error.expect("an error").contains("still there"));
            let next: i64 =
                sqlx::query_scalar("SELECT next_attempt_at FROM sources").fetch_one(&mut *conn).await.expect("a time");
            waits.push((next - world.clock.now().millis()) / 60_000);
        }
        assert_eq!(waits, [5, 10, 20, 40, 60, 60], "minutes");
        std::fs::rename(&away, &here).expect("back again");
        let report = world.publish().await;
        assert_eq!((report.removed, report.complete), (1, true), "it is gone for the second time, and after its grace");
    })
    .await;
}
