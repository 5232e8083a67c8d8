//! A throw-away PostgreSQL cluster, one for the test process, which ends with it however it ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, Executor, PgConnection};

/// Names a server to use instead of a cluster of our own; its user must be allowed to create databases.
const SERVER_VARIABLE: &str = "VEERPONT_TEST_POSTGRES_URL";

/// Two processes may pick one port: then the start fails and another is picked.
const START_ATTEMPTS: u32 = 5;

/// The life of a cluster. Standard input is a pipe whose other end only the test process holds, so `read` ends when
/// that process does, even by SIGKILL. (A signal at the parent's death would come when the starting *thread* ends.) PIPE is ignored, since
/// the process may be gone when `ready` is said, and then the cleaning up is still to do.
const LIFE: &str = r#"
trap '' HUP INT TERM PIPE
folder=$1 programs=$2 port=$3
log="$folder/log"
"$programs/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --encoding=UTF8 --no-locale --no-sync >"$log" 2>&1 &&
"$programs/pg_ctl" --pgdata="$folder/data" --log="$log" --wait --timeout=120 \
  --options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='$folder' -c max_connections=400" \
  start >"$log.start" 2>&1 </dev/null
if [ $? -eq 0 ]; then echo ready; else tail -n 20 "$log"; fi
exec >/dev/null
read -r _
"$programs/pg_ctl" --pgdata="$folder/data" --mode=immediate --wait stop >/dev/null 2>&1
cd / && rm -rf "$folder"
"#;

/// A running cluster. Never dropped: it ends when the process does.
struct Cluster {
    port: u16,
    // Held: closing its standard input ends the cluster.
    _life: Child,
}

/// Whether there is a server to use or one can be started.
pub(crate) fn available() -> bool {
    server_in_environment().is_some() || programs().is_some()
}

/// Makes an empty database and gives its address. The first call starts the cluster.
///
/// # Panics
/// When the server cannot be started or refuses; the message holds its log.
pub(crate) async fn create_database() -> String {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    static MADE: AtomicU32 = AtomicU32::new(0);
    let server = server_in_environment().unwrap_or_else(|| {
        let port = CLUSTER.get_or_init(start).port;
        format!("postgres://postgres@127.0.0.1:{port}/postgres")
    });
    let name = format!("veerpont_test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let mut url = url::Url::parse(&server).expect("the address of a server");
    let mut connection = PgConnection::connect(&server).await.expect("PostgreSQL answers");
    // A server that is not ours may still hold the database of an earlier process with our number.
    for statement in [format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"), format!("CREATE DATABASE {name}")] {
        connection.execute(sqlx::AssertSqlSafe(statement)).await.expect("PostgreSQL makes a database");
    }
    connection.close().await.expect("PostgreSQL says goodbye");
    url.set_path(&name);
    url.into()
}

fn server_in_environment() -> Option<String> {
    std::env::var(SERVER_VARIABLE).ok().filter(|url| !url.is_empty())
}

/// The folder of PostgreSQL's programs: found through PATH, where Debian keeps them (newest first), or by asking
/// `pg_config`.
fn programs() -> Option<PathBuf> {
    let in_path =
        std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    // A link in PATH leads to the folder where all of them are.
    let through_path =
        in_path.filter_map(|folder| Some(fs::canonicalize(folder.join("initdb")).ok()?.parent()?.to_owned()));
    let mut debian: Vec<PathBuf> =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path()).collect();
    debian.sort_by_key(|folder| {
        folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok())
    });
    let debian = debian.into_iter().rev().map(|version| version.join("bin"));
    let asked = Command::new("pg_config").arg("--bindir").output().ok().filter(|output| output.status.success());
    let asked = asked.and_then(|output| String::from_utf8(output.stdout).ok()).map(|path| PathBuf::from(path.trim()));
    through_path
        .chain(debian)
        .chain(asked)
        .find(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file()))
}

fn start() -> Cluster {
    let programs = programs().expect("PostgreSQL's programs");
    let mut said = String::new();
    for _ in 0..START_ATTEMPTS {
        match try_start(&programs) {
            Ok(cluster) => return cluster,
            Err(log) => said = log,
        }
    }
    panic!("PostgreSQL from {} did not start:\n{said}", programs.display());
}

fn try_start(programs: &Path) -> Result<Cluster, String> {
    let folder = tempfile::Builder::new().prefix("veerpont-pg-").tempdir().expect("a temporary folder").keep();
    let port = free_port();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", LIFE, "veerpont-test-postgres"]).arg(&folder).arg(programs).arg(port.to_string());
    // A group of its own, so that Ctrl-C in the terminal does not end it before it has cleaned up.
    command.env("LC_ALL", "C").current_dir(&folder).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    if fs::metadata(&folder).expect("the folder just made").uid() == 0 {
        // PostgreSQL refuses to run as root.
        let (user, group) = unprivileged_user();
        chown(&folder, Some(user), Some(group)).expect("root may give a folder away");
        command.uid(user).gid(group);
    }
    let mut life = command.spawn().expect("/bin/sh");
    let mut output = BufReader::new(life.stdout.take().expect("a pipe"));
    let mut said = String::new();
    while output.read_line(&mut said).is_ok_and(|length| length > 0) {
        if said == "ready\n" {
            return Ok(Cluster { port, _life: life });
        }
    }
    drop(life.stdin.take());
    let _ = life.wait();
    Err(said)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its number").port()
}

/// The user and group to run as in place of root: `postgres`, else `nobody`.
fn unprivileged_user() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").expect("the list of users");
    let find = |name: &str| {
        let fields: Vec<&str> =
            users.lines().map(|line| line.split(':').collect()).find(|fields: &Vec<_>| fields[0] == name)?;
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    find("postgres").or_else(|| find("nobody")).expect("a user named postgres or nobody")
}
