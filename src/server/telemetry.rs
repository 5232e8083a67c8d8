//! Logs: on stderr, so that stdout holds results alone.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging: `VEERPONT_LOG` chooses what is told (as `info,veerpont=debug`), `quiet` is for commands that
/// print their own result. May be called once a process; later calls change nothing.
pub(crate) fn start(quiet: bool) {
    let default = if quiet { "warn" } else { "info,sqlx=warn,hyper=warn" };
    let filter = EnvFilter::try_from_env("VEERPONT_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    // A second start in one process, as in tests, keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
}
