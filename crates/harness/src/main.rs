//! A simulated server on a loopback address, for a bridge or any other server to speak with; prints what it hears.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand, ValueEnum};
use clock::Clock;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use veerpont_harness::{Peer, PeerSettings, PeerShape, Received, SocketWire, serve};

/// What `serve --help` says.
const SERVE: &str = "Serve one simulated server, and print each POST to its inboxes as one line of JSON, until Ctrl-C.\n\n\
    It speaks plain HTTP, and its name need not exist. Tell a Veerpont on the same machine where to find it, in its \
    configuration:\n\n  \
    [network]\n  \
    allow_http = true\n  \
    connect_to = [\"peer.example:80=127.0.0.1:8490\"]\n\n\
    and tell this server where to find the bridge (--resolve), and whom to follow there (--follow): what is published from \
    then on is printed here. `verified` is true, or says which rule of the fediverse is broken.";

/// Simulated fediverse servers, to try a bridge with.
#[derive(Debug, Parser)]
#[command(name = "veerpont-harness", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve one simulated server, and print each POST to its inboxes as one line of JSON, until Ctrl-C.
    #[command(long_about = SERVE)]
    Serve(Serve),
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// Where it listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8490")]
    listen: SocketAddr,
    /// Where it lives, as others know it.
    #[arg(long, value_name = "URL", default_value = "http://peer.example")]
    origin: String,
    /// Its users.
    #[arg(long = "user", value_name = "NAME", default_value = "reader")]
    users: Vec<String>,
    /// Whose habits it has.
    #[arg(long, default_value = "mastodon")]
    shape: Shape,
    /// Where a host is found; others are looked up as usual.
    #[arg(long, value_name = "HOST[:PORT]=ADDRESS", value_parser = place)]
    resolve: Vec<(String, SocketAddr)>,
    /// Whom its first user follows.
    #[arg(long, value_name = "USER@DOMAIN")]
    follow: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Shape {
    Mastodon,
    Gotosocial,
}

fn place(text: &str) -> Result<(String, SocketAddr), String> {
    let (host, address) = text.split_once('=').ok_or("write HOST=ADDRESS")?;
    Ok((host.to_owned(), address.parse::<SocketAddr>().map_err(|error| format!("`{address}`: {error}"))?))
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Serve(options) = Arguments::parse().command;
    let done = tokio::select! {
        done = run(options) => done,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // Where stderr is gone too, nobody can be told.
            let _ = writeln!(io::stderr(), "error: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Serve) -> Result<(), String> {
    let users: Vec<&str> = options.users.iter().map(String::as_str).collect();
    let wire = Arc::new(SocketWire::new(options.resolve.into_iter().collect()));
    let mut settings = PeerSettings::new(&options.origin, &users, Clock::system(), wire);
    settings.shape = match options.shape {
        Shape::Mastodon => PeerShape::Mastodon,
        Shape::Gotosocial => PeerShape::GoToSocial,
    };
    let peer = Peer::new(settings)?;
    let mut heard = peer.listen();
    let cannot_listen = |error: io::Error| format!("cannot listen on {}: {error}", options.listen);
    let listener = TcpListener::bind(options.listen).await.map_err(cannot_listen)?;
    let mut serving = tokio::spawn(serve(listener, peer.router()));
    let actors: Vec<String> = users.iter().map(|user| peer.actor_id(user)).collect();
    say(&json!({ "listening": options.listen, "actors": actors }))?;
    for handle in &options.follow {
        let found = peer.lookup(handle).await?;
        peer.follow(users.first().copied().unwrap_or_default(), &found).await?;
        say(&json!({ "followed": found.actor_id }))?;
    }
    loop {
        tokio::select! {
            ended = &mut serving => return ended.map_err(|error| error.to_string())?.map_err(|error| error.to_string()),
            Some(received) = heard.recv() => say(&line(&received))?,
        }
    }
}

fn line(received: &Received) -> Value {
    json!({
        "at": received.at.rfc3339(),
        "inbox": received.inbox,
        "type": received.kind,
        "verified": received.verified.as_ref().map_or_else(|why| Value::from(why.as_str()), |()| Value::Bool(true)),
        "status": received.status,
        "activity": received.activity,
    })
}

fn say(document: &Value) -> Result<(), String> {
    writeln!(io::stdout(), "{document}").map_err(|error| format!("nobody reads any more: {error}"))
}
