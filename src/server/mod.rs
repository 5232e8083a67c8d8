//! Web and loops together, and a graceful end.

pub mod backup;
mod connections;
pub mod explain;
mod listener;
pub mod metrics;
mod parts;
pub mod retention;
mod startup;
pub(crate) mod telemetry;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::connections::OpenConnections;
use self::listener::Acceptor;
use self::tls::Certificates;

pub use self::parts::{Part, Parts};
pub(crate) use self::startup::{Begun, NoInstance, begin, enter, rehearse};
pub use self::startup::{open, open_with};

use crate::app::App;
use crate::app::worker;
use crate::db::{Engine, InstanceLock};
use crate::federation::{delivery, outbox, remote};
use crate::model::author;
use crate::model::interaction;
use crate::site::{comment_export, source};
use crate::{inbox, web};

/// How far a node's clock may be off the database's: beyond it, leases mean nothing (docs/architecture.md#leases).
const CLOCK_TOLERANCE_MS: i64 = 5000;

/// How long open requests may take after the order to stop.
const GRACE: Duration = Duration::from_secs(10);

/// A bridge that runs.
pub struct Running {
    /// Where it listens, or would if it did.
    pub address: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    app: App,
    /// Held until nothing is under way any more.
    instance_lock: Arc<Mutex<InstanceLock>>,
}

/// Starts the parts of a node.
///
/// # Errors
/// When the address is taken, the clock is wrong, or the database fails; also for some parts alone on an SQLite file, which one
/// process serves.
pub async fn start(app: App, parts: &Parts) -> anyhow::Result<Running> {
    anyhow::ensure!(
        !parts.are_some() || app.db.engine() != Engine::Sqlite,
        "an SQLite file is served by one process, so that nobody would run the other parts: leave out --only, or use PostgreSQL"
    );
    if !parts.has(Part::Web) {
        return start_parts(app, parts, None).await;
    }
    let listen = app.config.server.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}: is another program there? set [server] listen or VEERPONT_LISTEN to a free address")
    })?;
    start_parts(app, parts, Some(listener)).await
}

/// As `start`, with all parts, on a listener that is open already.
///
/// # Errors
/// As `start`.
pub async fn start_on(app: App, listener: TcpListener) -> anyhow::Result<Running> {
    start_parts(app, &Parts::default(), Some(listener)).await
}

async fn start_parts(app: App, parts: &Parts, listener: Option<TcpListener>) -> anyhow::Result<Running> {
    let address = listener.as_ref().map_or(Ok(app.config.server.listen), TcpListener::local_addr)?;
    let certificates = app.config.server.tls.as_ref().map(Certificates::open).transpose()?;
    let skew = app.db.clock_skew(app.clock.now()).await?;
    anyhow::ensure!(
        skew.abs() <= CLOCK_TOLERANCE_MS,
        "this machine's clock is {skew} ms off the database's; set it right (NTP), since leases depend on it"
    );
    // Before anything of an earlier run is freed: it may still run.
    let instance_lock = Arc::new(Mutex::new(app.db.take_seat(&app.config.server.node).await?));
    free_leases(&app).await?;
    reread(&app).await?;
    let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
    if let Some(listener) = listener {
        listen(&app, listener, certificates, &stop, &mut tasks).await?;
    }
    metrics::start(&app, &stop, &mut tasks).await?;
    if parts.has(Part::Outbox) {
        tasks.spawn(worker::run(outbox::worker::worker(), app.clone(), stop.clone()));
    }
    if parts.has(Part::Delivery) {
        tasks.spawn(worker::run(delivery::worker::worker(), app.clone(), stop.clone()));
    }
    if parts.has(Part::Inbox) {
        tasks.spawn(worker::run(inbox::worker::worker(), app.clone(), stop.clone()));
        tasks.spawn(worker::run(inbox::fetcher::worker(), app.clone(), stop.clone()));
        tasks.spawn(worker::run(remote::refresh::worker(), app.clone(), stop.clone()));
        tasks.spawn(inbox::housekeeping::run(app.clone(), stop.clone()));
        tasks.spawn(retention::run(app.clone(), stop.clone()));
    }
    if parts.has(Part::Export) && !app.config.comment_exports.is_empty() {
        tasks.spawn(worker::run(comment_export::worker::worker(), app.clone(), stop.clone()));
    }
    if parts.has(Part::Source) {
        tasks.spawn(worker::run(source::worker::worker(), app.clone(), stop.clone()));
        for source in app.config.sources.clone() {
            let (ours, until) = (app.clone(), stop.clone());
            let watch = move || source::watch::watch(ours.clone(), source.clone(), until.clone());
            tasks.spawn(worker::supervise("watch", app.clone(), stop.clone(), watch));
        }
    }
    tasks.spawn(worker::every(
        "node",
        BEAT,
        app.clone(),
        stop.clone(),
        |app| async move { Ok(look_after(&app).await?) },
    ));
    let held = instance_lock.clone();
    tasks.spawn(worker::every("instance-lock", LOCK_BEAT, app.clone(), stop.clone(), move |app| {
        keep_instance_lock(held.clone(), app)
    }));
    let tls = app.config.server.tls.is_some();
    tracing::info!(%address, tls, origin = app.urls.origin(), database = ?app.db.engine(), "serving");
    Ok(Running { address, stop, tasks, app, instance_lock })
}

/// Serves what others ask, over TLS where there are certificates.
async fn listen(
    app: &App,
    listener: TcpListener,
    certificates: Option<Arc<Certificates>>,
    stop: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let router = web::router(app.clone()).await?;
    let acceptor = match certificates {
        None => None,
        Some(certificates) => {
            let acceptor = certificates.acceptor()?;
            let look = move |_| Arc::clone(&certificates).watch();
            tasks.spawn(worker::every("certificates", tls::LOOK, app.clone(), stop.clone(), look));
            Some(acceptor)
        }
    };
    let open_connections = OpenConnections::new(&app.config.limits, &app.config.server.trusted_proxies);
    tasks.spawn(listener::keep(listener, Acceptor { router, open_connections, tls: acceptor }, stop.clone()));
    Ok(())
}

impl Running {
    /// Ends it: no new requests or claims, what is under way is finished within ten seconds, the database is closed.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let finished = tokio::time::timeout(GRACE, async {
            while self.tasks.join_next().await.is_some() {}
            self.app.afterwards.close();
            self.app.afterwards.wait().await;
        });
        if finished.await.is_err() {
            tracing::warn!("stopped with work under way; it will be done at the next start");
            self.tasks.shutdown().await;
        }
        drop(self.instance_lock);
        self.app.db.close().await;
    }
}

/// Frees what this node held when it last stopped, gracefully or not.
pub async fn free_leases(app: &App) -> anyhow::Result<()> {
    let (node, now) = (app.config.server.node.clone(), app.clock.now());
    app.db
        .write(move |conn| {
            Box::pin(async move {
                for queue in [
                    delivery::store::FREE_HOSTS,
                    inbox::store::FREE,
                    inbox::store::fetch_queue::FREE,
                    delivery::store::FREE_REFRESHES,
                    source::store::FREE,
                ] {
                    worker::store::leases::free(conn, queue, &node, now).await?;
                }
                source::store::retry_failed(conn, now).await
            })
        })
        .await
        .context("cannot free the leases of the last run")
}

/// Replies of an older version whose pages are filled in in one transaction.
const FILLED_AT_ONCE: i64 = 500;

/// What an older program did not understand is read again, in what this one understands more; and what it did not note of
/// replies is filled in.
pub async fn reread(app: &App) -> anyhow::Result<u64> {
    while app
        .db
        .write(|conn| Box::pin(async move { interaction::store::fill_pages(conn, FILLED_AT_ONCE).await }))
        .await
        .context("cannot fill in the pages of replies that an older version kept")?
    {}
    let now = app.clock.now();
    let again = app
        .db
        .write(move |conn| Box::pin(async move { inbox::store::reread_deferred(conn, now).await }))
        .await
        .context("cannot read again what an older version did not understand")?;
    if again > 0 {
        tracing::info!(again, "reading again what an older version did not understand");
    }
    Ok(again)
}

/// How often a node looks after itself.
const BEAT: Duration = Duration::from_secs(30);

/// How often a node looks whether it is still the only one of its name.
const LOCK_BEAT: Duration = Duration::from_secs(5);

/// Holds the place of this node. While it is lost, another may be this node: nothing is claimed until it is ours again.
async fn keep_instance_lock(instance_lock: Arc<Mutex<InstanceLock>>, app: App) -> anyhow::Result<()> {
    let kept = instance_lock.lock().await.keep().await;
    if app.replaced.swap(kept.is_err(), Ordering::Relaxed) && kept.is_ok() {
        tracing::info!("this node has its place again");
    }
    kept.context("this node has lost its place: nothing is sent or taken up until it has it again")
}

/// Stops claiming while this node's clock is off the database's, or its master key is no longer the one of the
/// private keys; and drops the keys that nothing waits for any more.
pub async fn look_after(app: &App) -> sqlx::Result<()> {
    let skew = app.db.clock_skew(app.clock.now()).await?;
    let fits = author::keys::master_fits(app).await?;
    let in_time = skew.abs() <= CLOCK_TOLERANCE_MS;
    if app.may_claim.swap(in_time && fits, Ordering::Relaxed) {
        if !in_time {
            tracing::error!(
                skew_ms = skew,
                "this machine's clock is off the database's: nothing is claimed until it is right"
            );
        }
        if !fits {
            tracing::error!(
                "the master key was changed: nothing is sent or taken up until this process is restarted with the new one"
            );
        }
    }
    outbox::rotation::forget_retired(app).await?;
    Ok(())
}

/// Runs until the process is told to stop (SIGINT or SIGTERM).
///
/// # Errors
/// As [`start`].
pub(crate) async fn run(app: App, parts: &Parts) -> anyhow::Result<()> {
    let told_to_stop = stop_signal()?;
    let running = start(app, parts).await?;
    told_to_stop.await;
    tracing::info!("stopping");
    running.stop().await;
    Ok(())
}

/// Listens from now on for SIGINT and SIGTERM; resolves when one has come, however early.
///
/// # Errors
/// When the system does not let us listen for them.
pub(crate) fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Works everything that is due now, in the order of the journey, until nothing is: for tests, whose clock stands
/// still meanwhile (ADR 5).
///
/// # Errors
/// The first that a piece of work met.
pub async fn drain(app: &App) -> anyhow::Result<()> {
    loop {
        app.afterwards.close();
        app.afterwards.wait().await;
        app.afterwards.reopen();
        let worked = worker::drain(&inbox::worker::worker(), app).await?
            + worker::drain(&inbox::fetcher::worker(), app).await?
            + worker::drain(&source::worker::worker(), app).await?
            + worker::drain(&outbox::worker::worker(), app).await?
            + worker::drain(&delivery::worker::worker(), app).await?
            + worker::drain(&remote::refresh::worker(), app).await?
            + worker::drain(&comment_export::worker::worker(), app).await?;
        if worked == 0 {
            return Ok(());
        }
    }
}
