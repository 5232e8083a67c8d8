//! The real program as a process of its own, which is killed and started again.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use clock::{Clock, Timestamp};

use crate::chance::Dice;

/// Where it lives, for its followers.
pub(crate) const ORIGIN: &str = "http://bridge.test";
/// The handle of its community.
pub(crate) const COMMUNITY: &str = "community";

/// How long the server may take for its first start, and for all that is left after the last kill.
const PATIENCE: Duration = Duration::from_mins(5);

/// How many lines of the log a failure shows.
const LOG_SHOWN: usize = 30;

pub(crate) struct Bridge {
    pub(crate) address: SocketAddr,
    config: PathBuf,
    log: PathBuf,
    child: Option<Child>,
    lives: u32,
}

impl Bridge {
    /// Writes the configuration into `folder`; `connect_to` is where the hosts of its followers really are.
    pub(crate) fn new(
        folder: &Path,
        site: &Path,
        database: &str,
        (hosts, peers): (&[String], SocketAddr),
        dice: &mut Dice,
    ) -> Self {
        let address = free_address(dice);
        let connect_to: Vec<String> = hosts.iter().map(|host| format!("\"{host}:80={peers}\"")).collect();
        let text = format!(
            r#"[server]
listen = "{address}"
origin = "{ORIGIN}"
[database]
url = "{database}"
[secrets]
master_key_file = "master.key"
[network]
allow_http = true
connect_to = [{connect_to}]
[delivery]
first_retry = "50ms"
[[community]]
name = "Community"
handle = "{COMMUNITY}"
team_handle = "editors"
[[source]]
name = "site"
kind = "hugo"
community = "{COMMUNITY}"
path = "{site}"
public_url = "https://site.test/"
sections = ["post"]
authors = "published"
rescan = "200ms"
"#,
            connect_to = connect_to.join(", "),
            site = site.display(),
        );
        let config = folder.join("veerpont.toml");
        fs::write(&config, text).expect("the configuration can be written");
        Self { address, config, log: folder.join("server.log"), child: None, lives: 0 }
    }

    /// Starts it, unless it runs.
    pub(crate) fn start(&mut self) {
        if self.child.is_some() {
            return;
        }
        let mut log = OpenOptions::new().create(true).append(true).open(&self.log).expect("a log");
        writeln!(log, "== life {}", self.lives).expect("the log can be written");
        self.lives += 1;
        let mut command = Command::new(env!("CARGO_BIN_EXE_veerpont"));
        command.args(["serve", "--config"]).arg(&self.config);
        for variable in ["VEERPONT_DATABASE_URL", "VEERPONT_LISTEN", "VEERPONT_MASTER_KEY"] {
            command.env_remove(variable);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().expect("the program starts"));
    }

    /// SIGKILL; answers when it was sent, once the process is no more.
    ///
    /// # Panics
    /// When it had ended by itself.
    pub(crate) fn kill(&mut self) -> Timestamp {
        self.must_run();
        let at = Clock::system().now();
        self.end();
        at
    }

    /// Waits for what the running server does.
    ///
    /// # Panics
    /// When the server ends, or it takes too long.
    pub(crate) async fn within<T>(&mut self, work: impl Future<Output = T>, what: &str) -> T {
        tokio::pin!(work);
        let watched = async {
            loop {
                match tokio::time::timeout(Duration::from_millis(200), &mut work).await {
                    Ok(done) => return done,
                    Err(_) => self.must_run(),
                }
            }
        };
        let done = tokio::time::timeout(PATIENCE, watched).await;
        done.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}\n{}", self.log_end()))
    }

    /// # Panics
    /// When it has ended by itself.
    fn must_run(&mut self) {
        let child = self.child.as_mut().expect("it was started");
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            panic!("the server ended, but not by our hand ({status}):\n{}", self.log_end());
        }
    }

    fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("a child can be killed");
            child.wait().expect("a child can be waited for");
        }
    }

    /// The end of its log.
    pub(crate) fn log_end(&self) -> String {
        let text = fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_SHOWN)..].join("\n")
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.end();
    }
}

/// A free port below those which the system gives to outgoing connections: one of these could take ours while the
/// server is down. No two servers of this process get the same one, though the dice of both fall the same way and
/// nobody listens yet.
fn free_address(dice: &mut Dice) -> SocketAddr {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().expect("nobody fails while choosing a port");
    let ports = std::iter::repeat_with(|| 20_000 + u16::try_from(dice.below(12_000)).expect("below 12,000"));
    let mut free = ports.take(1000).filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    let port = free.find(|port| given.insert(*port)).expect("a free port");
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

#[test]
fn servers_with_the_same_dice_get_ports_of_their_own() {
    let (sqlite, postgres) = (free_address(&mut Dice::new(7)), free_address(&mut Dice::new(7)));
    assert_ne!(sqlite, postgres);
}
