//! Counts the SQL statements and the bytes of HTML read in a test, by what is logged of each: nothing of other tests.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, OnceLock};

use tracing::field::{Field, Visit};
use tracing::span::EnteredSpan;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::{Layer, filter::LevelFilter};

/// The target of [`Counting`]'s spans.
const COUNTING: &str = "counting_statements";

/// Under what sqlx logs every statement (`db/mod.rs` asks for it at TRACE).
const LOGGED: &str = "sqlx::query";

/// Under what each reading of HTML is logged.
const HTML: &str = "veerpont_html::cost";

/// HTML that was read: all readings together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HtmlRead {
    pub(crate) bytes: u64,
    pub(crate) steps: u64,
}

/// A statement that ran, its white space made plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IncomingPost {
    pub(crate) sql: String,
    /// Rows that it answered.
    pub(crate) rows: u64,
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<(Vec<IncomingPost>, HtmlRead)>>);

/// Counts the statements of this thread while it lives: of all tasks of a test's runtime, which has but this thread,
/// and of SQLite's own threads as far as they work for it.
///
/// sqlx hands the current span to SQLite's threads, so that a span that is entered here is around each statement there.
pub(crate) struct Counting {
    seen: Seen,
    // Held: entered as long as the value lives.
    _span: EnteredSpan,
}

/// Statements that ran, in their order.
pub(crate) struct Statements(Vec<IncomingPost>);

impl Counting {
    /// Begins to count.
    ///
    /// # Panics
    /// In a runtime with several threads, whose other threads it would not see.
    pub(crate) fn begin() -> Self {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let flavor = runtime.runtime_flavor();
            assert_eq!(flavor, tokio::runtime::RuntimeFlavor::CurrentThread, "only the statements of one thread count");
        }
        install();
        let seen = Seen::default();
        let span = tracing::info_span!(target: COUNTING, "counting");
        let known = span.with_subscriber(|(id, dispatch)| {
            let registry = dispatch.downcast_ref::<Registry>().expect("the registry of this file");
            registry.span(id).expect("it is open").extensions_mut().insert(seen.clone());
        });
        known.expect("the span is enabled");
        Self { seen, _span: span.entered() }
    }

    /// What ran since the beginning, or since this was asked last.
    pub(crate) fn take(&self) -> Statements {
        Statements(std::mem::take(&mut self.seen.0.lock().expect("no panic").0))
    }

    /// What HTML was read since the beginning, or since this was asked last.
    pub(crate) fn take_html(&self) -> HtmlRead {
        std::mem::take(&mut self.seen.0.lock().expect("no panic").1)
    }
}

impl Statements {
    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// But those by which is noticed what other processes changed: one a second at most, however much is asked.
    pub(crate) fn but_looks(mut self) -> Self {
        self.0.retain(|statement| !statement.sql.contains("name >= 'changes-'"));
        self
    }

    /// How many have these words in them.
    pub(crate) fn with(&self, words: &str) -> usize {
        self.0.iter().filter(|statement| statement.sql.contains(words)).count()
    }

    /// How many change anything, or lock it.
    pub(crate) fn writes(&self) -> usize {
        self.0
            .iter()
            .filter(|statement| !statement.sql.starts_with("SELECT") && !statement.sql.starts_with("WITH"))
            .count()
    }

    /// How many rows all of them answered.
    pub(crate) fn rows(&self) -> u64 {
        self.0.iter().map(|statement| statement.rows).sum()
    }

    /// One line for each statement, the most frequent first: times, rows, words.
    pub(crate) fn breakdown(&self) -> String {
        let mut counts: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
        for statement in &self.0 {
            let (times, rows) = counts.entry(&statement.sql).or_default();
            *times += 1;
            *rows += statement.rows;
        }
        let mut lines: Vec<_> = counts.into_iter().collect();
        lines.sort_by_key(|(_, counted)| std::cmp::Reverse(*counted));
        let mut text = format!("{} statements, {} rows\n", self.len(), self.rows());
        for (sql, (times, rows)) in lines {
            let _ = writeln!(text, "{times:>6} × {rows:>6} rows  {sql}");
        }
        text
    }
}

/// One subscriber for the test process, since SQLite's threads have none of their own.
fn install() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let wanted = Targets::new().with_targets([LOGGED, HTML, COUNTING].map(|target| (target, LevelFilter::TRACE)));
        let subscriber = Registry::default().with(Noting.with_filter(wanted));
        tracing::subscriber::set_global_default(subscriber).expect("no other subscriber for all");
    });
}

/// Hands each logged statement to the counting around it.
struct Noting;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Noting {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let target = event.metadata().target();
        if target != LOGGED && target != HTML {
            return;
        }
        let Some(mut spans) = context.event_scope(event) else { return };
        let Some(seen) = spans.find_map(|span| span.extensions().get::<Seen>().cloned()) else { return };
        let mut read = Read::default();
        event.record(&mut read);
        if target == HTML {
            let html = &mut seen.0.lock().expect("no panic").1;
            (html.bytes, html.steps) = (html.bytes + read.html.bytes, html.steps + read.html.steps);
            return;
        }
        // The whole text is there only where it is longer than the summary.
        let text = if read.statement.trim().is_empty() { read.summary } else { read.statement };
        let sql = text.split_whitespace().collect::<Vec<_>>().join(" ");
        // Of transactions and of opening a connection, on one engine only.
        if ["SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA", "BEGIN", "COMMIT"].iter().any(|word| sql.starts_with(word)) {
            return;
        }
        seen.0.lock().expect("no panic").0.push(IncomingPost { sql, rows: read.rows });
    }
}

#[derive(Default)]
struct Read {
    summary: String,
    statement: String,
    rows: u64,
    html: HtmlRead,
}

impl Visit for Read {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "rows_returned" => self.rows = value,
            "bytes" => self.html.bytes = value,
            "steps" => self.html.steps = value,
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }
}
