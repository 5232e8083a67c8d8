//! What the demo plays on: a bridge and a simulated server on loopback ports, and a site in a temporary folder.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use harness::{self, Entry, Peer, PeerSettings, Received, SocketWire, Wire};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::site;
use crate::app::App;
use crate::config::Config;
use crate::server::{self, Running};

/// The name of the sample site, which is also the domain of its authors' handles.
pub(super) const TOWN: &str = "ferrytown.example";
/// The name of the simulated server.
pub(super) const ELSEWHERE: &str = "lighthouse.example";
/// Who reads there.
pub(super) const READER: &str = "wim";
/// Who reads there too, and follows nobody.
pub(super) const NEIGHBOUR: &str = "tess";
/// The handle of the author who is followed.
pub(super) const AUTHOR: &str = "maren-oldham";
/// The handle of the community.
pub(super) const COMMUNITY: &str = "sandhaven";

/// How long a step may take to show.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Everything that runs and lies about while the demo plays; dropping it leaves nothing behind.
pub(super) struct Stage {
    /// The bridge.
    pub(super) app: App,
    /// The simulated server.
    pub(super) peer: Peer,
    /// The folder of the site.
    pub(super) site: PathBuf,
    /// Where the simulated server listens.
    pub(super) peer_address: SocketAddr,
    running: Running,
    serving: JoinSet<()>,
    folder: TempDir,
}

impl Stage {
    /// Writes the site, and starts the bridge and the simulated server on free ports.
    pub(super) async fn open() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("veerpont-demo-").tempdir();
        let folder = folder.context("cannot make a temporary folder; set TMPDIR to a place we may write")?;
        let site = folder.path().join("site");
        site::write_site(&site).with_context(|| format!("cannot write the sample site to {}", site.display()))?;
        let (bridge_door, bridge_address) = free_port().await?;
        let (peer_door, peer_address) = free_port().await?;

        // The demo must be the same everywhere, so the environment has no say.
        let text = configuration(bridge_address, peer_address);
        let config = Config::parse(&text, folder.path(), "the demo's configuration", &|_| None)?;
        let app = server::open(config).await?;
        let running = server::start_on(app.clone(), bridge_door).await?;

        // The handle domain is the site's. What asks it for WebFinger reaches the bridge, as by the site's redirect.
        let names = HashMap::from([(TOWN.to_owned(), bridge_address)]);
        let wire: Arc<dyn Wire> = Arc::new(SocketWire::new(names));
        let settings = PeerSettings::new(&format!("http://{ELSEWHERE}"), &[READER, NEIGHBOUR], app.clock.clone(), wire);
        let peer = Peer::new(settings).map_err(|why| anyhow!("cannot set the simulated server up: {why}"))?;
        let mut serving = JoinSet::new();
        let router = peer.router();
        serving.spawn(async move {
            if let Err(error) = harness::serve(peer_door, router).await {
                tracing::error!(%error, "the simulated server stopped");
            }
        });
        Ok(Self { app, peer, site, peer_address, running, serving, folder })
    }

    /// Where the bridge listens.
    pub(super) fn bridge_address(&self) -> SocketAddr {
        self.running.address
    }

    /// Writes one of the site's files at a stroke, so that no scan reads half of it.
    pub(super) async fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let (draft, file) = (self.folder.path().join("draft"), self.site.join(path));
        let written = async {
            tokio::fs::write(&draft, text).await?;
            tokio::fs::rename(&draft, &file).await
        };
        written.await.with_context(|| format!("cannot write {}", file.display()))
    }

    /// Removes one of the site's files.
    pub(super) async fn remove(&self, path: &str) -> anyhow::Result<()> {
        let file: &Path = &self.site.join(path);
        tokio::fs::remove_file(file).await.with_context(|| format!("cannot remove {}", file.display()))
    }

    /// The first verified activity of a kind that fits.
    pub(super) fn heard(&self, kind: &str, fits: impl Fn(&Received) -> bool) -> Option<Received> {
        let fits = |post: &Received| post.kind == kind && post.taken && post.verified.is_ok() && fits(post);
        self.peer.received().into_iter().find(fits)
    }

    /// An article as the reader sees it.
    pub(super) fn seen(&self, id: &str) -> Option<Entry> {
        self.peer.timeline(READER).into_iter().find(|entry| entry.id == id)
    }

    /// Stops both servers and removes the folder.
    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        self.serving.shutdown().await;
        self.running.stop().await;
        let path = self.folder.path().to_owned();
        self.folder.close().with_context(|| format!("cannot remove {}; remove it yourself", path.display()))
    }
}

/// Looks again and again until there is something, and gives up when patience ends or the other server complains.
pub(super) async fn wait_for<T>(
    stage: &Stage,
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let looking = async {
        loop {
            if let Some(problem) = stage.peer.problems().first() {
                bail!("{ELSEWHERE} does not take what it is sent: {problem}");
            }
            if let Some(found) = look().await? {
                return Ok(found);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| Err(anyhow!("{what} did not happen within {} seconds", PATIENCE.as_secs())))
}

/// Who says an activity; the simulated server has checked that its signer is the same.
pub(super) fn speaker(post: &Received) -> &str {
    post.activity.get("actor").and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// A listener on a port of the system's choice, on this machine alone.
async fn free_port() -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port of 127.0.0.1 is free")?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// The bridge lives at its loopback address, so that any browser opens its pages; handles bear the site's name.
/// Scans and removals are quick, since somebody is watching.
fn configuration(bridge: SocketAddr, peer: SocketAddr) -> String {
    format!(
        r#"
[server]
listen = "{bridge}"
origin = "http://{bridge}"
handle_domain = "{TOWN}"

[database]
url = "sqlite://veerpont.db"

[secrets]
master_key_file = "master.key"

[network]
allow_http = true
connect_to = ["{ELSEWHERE}:80={peer}"]

[delivery]
first_retry = "1s"

[[community]]
name = "Sandhaven Notes"
handle = "{COMMUNITY}"
team_handle = "editors"
summary = "Notes from both sides of the ferry."

[[source]]
name = "site"
kind = "hugo"
community = "{COMMUNITY}"
path = "site"
public_url = "https://{TOWN}/"
sections = ["post"]
authors = "published"
rescan = "1s"
removal_grace = "0s"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_sound() {
        let text = configuration(([127, 0, 0, 1], 4001).into(), ([127, 0, 0, 1], 4002).into());
        let config = Config::parse(&text, Path::new("/demo"), "demo", &|_| None).expect("sound");
        assert_eq!(config.server.origin.as_str(), "http://127.0.0.1:4001/");
        assert_eq!(config.sources.first().map(|source| source.path.clone()), Some("/demo/site".into()));
    }
}
