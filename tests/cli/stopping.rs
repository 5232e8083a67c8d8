//! One server for each database, and a command that is told to stop leaves nothing behind.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Home;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Starts a server, and waits until it serves.
fn serve(home: &Home) -> Child {
    let mut child = home.command(&["serve"]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let serving = lines.by_ref().map_while(Result::ok).any(|line| line.contains("serving"));
    assert!(serving, "it ended before it served");
    // Read on, so that it never waits for us.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

/// Sends a signal by name.
fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(sent.expect("the program `kill`").success());
}

fn ended(child: &mut Child) -> Option<i32> {
    for _ in 0..PATIENCE.as_millis() / 20 {
        if let Some(status) = child.try_wait().expect("a child") {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    panic!("it did not end");
}

#[test]
fn a_second_server_on_one_database_is_refused_and_commands_are_not() {
    let home = Home::new();
    let mut first = serve(&home);
    home.run(&["serve"]).failed_with(&["another `veerpont serve`", "veerpont.db", "stop it first"]);
    home.json(&["sync"]);
    home.json(&["status"]);
    signal(&first, "KILL");
    ended(&mut first);
    // Its death alone frees the place.
    let mut second = serve(&home);
    signal(&second, "TERM");
    assert_eq!(ended(&mut second), Some(0));
    let mut third = serve(&home);
    signal(&third, "INT");
    assert_eq!(ended(&mut third), Some(0));
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Waits until something is there.
fn wait_for(what: impl Fn() -> bool) -> bool {
    for _ in 0..PATIENCE.as_millis() / 2 {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

#[test]
fn a_backup_that_is_told_to_stop_leaves_no_file() {
    let home = Home::new();
    for number in 0..40 {
        home.post(
            &format!("post{number}"),
            &format!("Post {number}"),
            "2020-01-01",
            &"It sails at nine. ".repeat(8000),
        );
    }
    home.json(&["sync"]);
    let folder = home.path("kept");
    std::fs::create_dir(&folder).expect("a folder");
    for name in ["INT", "TERM"] {
        // Told to stop as soon as something is there; a backup that was quicker is tried again.
        let mut stopped = false;
        for _ in 0..20 {
            let mut child = home
                .command(&["backup", "kept/backup.db"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts");
            assert!(wait_for(|| !names(&folder).is_empty()), "it writes");
            signal(&child, name);
            let code = ended(&mut child);
            if code == Some(130) {
                stopped = true;
                break;
            }
            assert_eq!(code, Some(0));
            std::fs::remove_file(folder.join("backup.db")).expect("it was done before");
        }
        assert!(stopped, "it was never told in time");
        assert_eq!(names(&folder), Vec::<String>::new(), "SIG{name}");
    }
}

#[test]
fn a_sync_that_is_told_to_stop_lets_go_of_its_source() {
    let home = Home::new();
    for number in 0..800 {
        home.post(
            &format!("post{number}"),
            &format!("Post {number}"),
            "2020-01-01",
            &"It *sails* at nine. ".repeat(200),
        );
    }
    let database = home.path("data/veerpont.db").display().to_string();
    for name in ["INT", "TERM"] {
        let mut child = home.command(&["sync"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        assert!(wait_for(|| lease(&database).is_some()), "it takes the source");
        signal(&child, name);
        assert_eq!(ended(&mut child), Some(130), "SIG{name}");
        assert_eq!(lease(&database), None, "SIG{name}: nobody holds it");
    }
}

/// Who holds the source.
fn lease(database: &str) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        sqlx::any::install_default_drivers();
        let mut conn =
            <sqlx::AnyConnection as sqlx::Connection>::connect(&format!("sqlite://{database}?mode=ro")).await.ok()?;
        sqlx::query_scalar("SELECT lease_owner FROM sources WHERE lease_owner IS NOT NULL")
            .fetch_optional(&mut conn)
            .await
            .ok()?
    })
}
