//! What is counted in this process, for Prometheus.

use std::sync::LazyLock;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// A name and its value.
pub(crate) type Label = [(&'static str, &'static str); 1];

/// Bounds of times in seconds, and of how much is written at once.
const SECONDS: [f64; 10] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];
const SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

static FIGURES: LazyLock<Figures> = LazyLock::new(|| Figures {
    statements: Counter::default(),
    transactions: Counter::default(),
    batches: Histogram::new(SIZES),
    deliveries: Family::default(),
    delivery_times: Histogram::new(SECONDS),
    verdicts: Family::default(),
    rejections: Family::default(),
    prepared: Family::default(),
});

struct Figures {
    statements: Counter,
    transactions: Counter,
    batches: Histogram,
    deliveries: Family<Label, Counter>,
    delivery_times: Histogram,
    verdicts: Family<Label, Counter>,
    rejections: Family<Label, Counter>,
    prepared: Family<Label, Counter>,
}

/// The database was asked.
pub(crate) fn asked() {
    FIGURES.statements.inc();
}

/// A transaction was committed.
pub(crate) fn committed() {
    FIGURES.transactions.inc();
}

/// So many writes shared a commit.
pub(crate) fn written_together(many: usize) {
    FIGURES.batches.observe(f64::from(u32::try_from(many).unwrap_or(u32::MAX)));
}

/// An inbox answered in this class, or not at all, after so long.
pub(crate) fn delivered(class: &'static str, after: Duration) {
    FIGURES.deliveries.get_or_create(&[("class", class)]).inc();
    FIGURES.delivery_times.observe(after.as_secs_f64());
}

/// An activity of others has its verdict.
pub(crate) fn judged(verdict: &'static str) {
    FIGURES.verdicts.get_or_create(&[("verdict", verdict)]).inc();
}

/// A request was rejected.
pub(crate) fn rejected(reason: &'static str) {
    FIGURES.rejections.get_or_create(&[("reason", reason)]).inc();
}

/// An answer was prepared already, or was made.
pub(crate) fn prepared(result: &'static str) {
    FIGURES.prepared.get_or_create(&[("result", result)]).inc();
}

/// All of them, under their names.
pub(crate) fn registry() -> Registry {
    let mut all = Registry::with_prefix("veerpont");
    let figures = &*FIGURES;
    all.register("statements", "Statements that the database was asked", figures.statements.clone());
    all.register("transactions", "Transactions that were committed", figures.transactions.clone());
    all.register("write_batch", "Writes that shared one commit", figures.batches.clone());
    all.register("deliveries", "Requests to inboxes by the class of their answer", figures.deliveries.clone());
    let times = figures.delivery_times.clone();
    all.register_with_unit("delivery", "How long an inbox took to answer", Unit::Seconds, times);
    all.register("verdicts", "Activities of others by their verdict", figures.verdicts.clone());
    all.register("rejections", "Requests that were rejected, by reason", figures.rejections.clone());
    all.register("prepared", "Answers that were prepared already, and that were made", figures.prepared.clone());
    all
}
