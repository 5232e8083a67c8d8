//! The command line: a thin layer that parses, calls one module and prints.

mod author;
mod backup;
mod block;
mod check;
mod confirm;
mod delivery;
#[cfg(feature = "demo")]
pub mod demo;
mod explain;
mod export;
mod follower;
mod host;
mod inbox;
mod init;
mod key;
mod names;
mod paging;
mod post;
mod print;
mod reply;
mod report;
mod status;
mod sync;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::app::App;
use crate::config::{Config, FILE_NAME};
use crate::db::Access;
use crate::server;
use crate::server::backup::Interrupted;
use crate::server::telemetry;
use print::Output;

/// Stands beside your site and ferries its posts to the fediverse, and the answers back.
#[derive(Debug, Parser)]
#[command(name = "veerpont", version, max_term_width = 100)]
struct Arguments {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = FILE_NAME)]
    config: PathBuf,
    /// Print one JSON document on stdout.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a first configuration file, with comments; never over one that is there.
    Init(Box<init::Init>),
    /// Run the bridge until it is told to stop (SIGINT or SIGTERM).
    Serve(Serve),
    /// Show the whole conversation on this machine: a bridge, a sample site and a simulated server.
    #[command(hide = cfg!(not(feature = "demo")))]
    Demo(Demo),
    /// Read the sources now, and publish what changed.
    Sync(sync::Sync),
    /// Tell how things stand at each joint.
    Status,
    /// The people who write, and who of them has an actor.
    #[command(subcommand)]
    Author(author::Author),
    /// What the sites published, and what became of it.
    #[command(subcommand)]
    Post(post::Post),
    /// What was answered.
    #[command(subcommand)]
    Reply(reply::Reply),
    /// Who is kept out: people, servers and words, by hand or by lists.
    #[command(subcommand)]
    Block(block::Block),
    /// What others report to us.
    #[command(subcommand)]
    Report(report::Report),
    /// What others sent, and what became of it.
    #[command(subcommand)]
    Inbox(inbox::Inbox),
    /// Tell the whole story of one activity, post or reply: how it came, what became of it, what was sent because of it.
    Explain(explain::Explain),
    /// Files for a site that shows its conversations itself.
    #[command(subcommand)]
    Export(export::Export),
    /// Who follows us.
    #[command(subcommand)]
    Follower(follower::Follower),
    /// What was sent to whom, and what waits; try it again, or give it up.
    #[command(subcommand)]
    Delivery(delivery::Delivery),
    /// The servers that we send to, and how each fares.
    #[command(subcommand)]
    Host(host::Host),
    /// The keys of our actors, and the master key.
    #[command(subcommand)]
    Key(key::Key),
    /// Write everything into one file, while the bridge runs; the master key is not in it.
    Backup(backup::File),
    /// Bring a backup into an empty database, of either engine.
    Restore(backup::File),
    /// The configuration.
    #[command(subcommand)]
    Config(check::ConfigCommand),
}

impl Command {
    /// What the instance is entered for. A command that only looks can change nothing: the engine refuses it.
    fn access(&self) -> Access {
        let only_looks = match self {
            Self::Author(author) => author.only_looks(),
            Self::Post(post) => post.only_looks(),
            Self::Reply(reply) => reply.only_looks(),
            Self::Block(block) => block.only_looks(),
            Self::Report(report) => report.only_looks(),
            Self::Follower(follower) => follower.only_looks(),
            Self::Delivery(delivery) => delivery.only_looks(),
            Self::Key(_) => false,
            _ => true,
        };
        if only_looks { Access::Read } else { Access::Write }
    }
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// Run these parts alone, beside other nodes on the same PostgreSQL that run the others.
    #[arg(long, value_delimiter = ',', value_name = "PARTS")]
    only: Vec<server::Part>,
}

#[derive(Debug, clap::Args)]
struct Demo {
    /// End when the story is told: exit 0 only if every step really happened.
    #[arg(long)]
    once: bool,
}

/// Runs the command line: exit 0 done, 1 failed, 2 wrong use, 130 told to stop.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    telemetry::start(!matches!(arguments.command, Command::Serve(_)));
    // The demo prints its own document, also when it fails.
    let output = Output::new(arguments.json && !matches!(arguments.command, Command::Demo(_)));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&anyhow::Error::new(error).context("cannot start the runtime")),
    };
    match runtime.block_on(run(arguments, output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            // What it was reading on another thread is not waited for.
            runtime.shutdown_timeout(Duration::from_millis(500));
            let _ = output.fail(&error);
            ExitCode::from(130)
        }
        Err(error) => output.fail(&error),
    }
}

/// Runs a command until it is done, or the process is told to stop (SIGINT or SIGTERM): then it is dropped where it
/// stands, and with it its transactions and temporary files.
async fn until_told_to_stop<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let told_to_stop = server::stop_signal()?;
    tokio::select! {
        result = command => result,
        () = told_to_stop => Err(Interrupted.into()),
    }
}

async fn run(arguments: Arguments, output: Output) -> anyhow::Result<()> {
    let config = arguments.config.as_path();
    match arguments.command {
        Command::Init(init) => init.run(config, output),
        Command::Demo(Demo { once }) => play(once, arguments.json).await,
        Command::Config(command) => command.run(config, output),
        Command::Backup(file) => file.backup(load(config)?, output).await,
        Command::Restore(file) => file.restore(&load(config)?, output).await,
        Command::Export(export::Export::Partials { hugo, force }) => export::write_partials(&hugo, force, output),
        Command::Serve(serve) => {
            let (app, begun) = server::begin(load(config)?).await?;
            for line in begun.text().lines() {
                tracing::info!("{line}");
            }
            server::run(app, &server::Parts::only(serve.only)).await
        }
        Command::Sync(sync) => {
            let config = load(config)?;
            let (app, begun) = if sync.dry_run {
                (server::rehearse(config).await?, server::Begun::default())
            } else {
                server::begin(config).await?
            };
            let is_dry = sync.dry_run;
            let result = until_told_to_stop(sync.run(&app, begun, output)).await;
            if !is_dry && result.as_ref().is_err_and(anyhow::Error::is::<Interrupted>) {
                crate::site::source::sync::let_go(&app).await?;
            }
            app.db.close().await;
            result
        }
        command => {
            let app = server::enter(load(config)?, command.access()).await?;
            let result = until_told_to_stop(with_app(command, &app, output)).await;
            app.db.close().await;
            result
        }
    }
}

async fn with_app(command: Command, app: &App, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Status => status::run(app, output).await,
        Command::Author(author) => author.run(app, output).await,
        Command::Post(post) => post.run(app, output).await,
        Command::Reply(reply) => reply.run(app, output).await,
        Command::Block(block) => block.run(app, output).await,
        Command::Report(report) => report.run(app, output).await,
        Command::Inbox(inbox) => inbox.run(app, output).await,
        Command::Explain(explain) => explain.run(app, output).await,
        Command::Export(export) => export.run(app, output).await,
        Command::Follower(follower) => follower.run(app, output).await,
        Command::Delivery(delivery) => delivery.run(app, output).await,
        Command::Host(host) => host.run(app, output).await,
        Command::Key(key) => key.run(app, output).await,
        Command::Init(_)
        | Command::Demo(_)
        | Command::Config(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Sync(_)
        | Command::Serve(_) => Ok(()),
    }
}

#[cfg(feature = "demo")]
async fn play(once: bool, json: bool) -> anyhow::Result<()> {
    Box::pin(crate::cli::demo::run(crate::cli::demo::Options { once, json })).await
}

#[cfg(not(feature = "demo"))]
fn play(_once: bool, _json: bool) -> impl Future<Output = anyhow::Result<()>> {
    std::future::ready(Err(anyhow::anyhow!("this program was built without the demo (cargo's feature `demo`)")))
}

fn load(path: &Path) -> anyhow::Result<Config> {
    Ok(Config::load(path, &|name| std::env::var(name).ok())?)
}
