//! What one page may cost: steps of the Markdown parser, cells of tables, HTML, and, last, time. A page that costs more is
//! held and told of.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// Steps of the parser for each byte of a page, which is rendered up to four times; a step is a line, an inline or a
/// node.
const STEPS_PER_BYTE: u64 = 64;
const SPARE_STEPS: u64 = 500_000;

/// What the parser takes between two questions.
const STEPS_AT_ONCE: u64 = 256;

/// Cells of a page's tables, those counted that a short row leaves out: each is a node, whoever wrote it.
const MAX_CELLS: usize = 50_000;

/// Bytes of HTML made of one page.
const MAX_HTML: usize = 8 * 1024 * 1024;

/// For all of one page; the counts above end what takes too long before that.
const LONGEST: Duration = Duration::from_secs(10);

/// What went over which bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    Steps,
    Cells,
    Html,
    Time,
}

impl std::fmt::Display for Over {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Steps => write!(to, "it takes more than {STEPS_PER_BYTE} steps for each byte to read its Markdown"),
            Self::Cells => {
                write!(to, "its tables have more than {MAX_CELLS} cells, counting those that short rows leave out")
            }
            Self::Html => write!(to, "it makes more than {} MiB of HTML", MAX_HTML / 1024 / 1024),
            Self::Time => write!(to, "it takes more than {} seconds to read", LONGEST.as_secs()),
        }
    }
}

/// Counts what a page costs, over all that is rendered of it.
pub(super) struct Meter<'a> {
    steps_left: Cell<u64>,
    cells_left: Cell<usize>,
    html_left: Cell<usize>,
    is_late: Box<dyn Fn() -> bool + 'a>,
    over: RefCell<Option<Over>>,
}

impl<'a> Meter<'a> {
    /// For a page of so many bytes, from now on.
    #[expect(clippy::disallowed_methods, reason = "what hangs is stopped by the machine's own clock")]
    pub(super) fn of(bytes: usize) -> Self {
        let begun = Instant::now();
        let steps = SPARE_STEPS.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(STEPS_PER_BYTE));
        Self::with(steps, move || begun.elapsed() > LONGEST)
    }

    /// With so many steps, and a clock.
    pub(super) fn with(steps: u64, is_late: impl Fn() -> bool + 'a) -> Self {
        Self {
            steps_left: Cell::new(steps),
            cells_left: Cell::new(MAX_CELLS),
            html_left: Cell::new(MAX_HTML),
            is_late: Box::new(is_late),
            over: RefCell::new(None),
        }
    }

    /// What went over its bound first; nothing more is rendered then.
    pub(super) fn over(&self) -> Option<Over> {
        *self.over.borrow()
    }

    /// Whether the parser must stop; it asks each 256 steps.
    pub(super) fn must_stop(&self) -> bool {
        let left = self.steps_left.get().checked_sub(STEPS_AT_ONCE);
        self.steps_left.set(left.unwrap_or_default());
        if left.is_none() {
            self.exceed(Over::Steps);
        } else if (self.is_late)() {
            self.exceed(Over::Time);
        }
        self.over().is_some()
    }

    /// Counts the cells of Markdown's tables before it is read.
    pub(super) fn may_hold_tables(&self, markdown: &str) -> bool {
        let left = self.cells_left.get().checked_sub(cells(markdown));
        self.cells_left.set(left.unwrap_or_default());
        if left.is_none() {
            self.exceed(Over::Cells);
        }
        left.is_some()
    }

    /// Counts what was made.
    pub(super) fn may_make(&self, html: &str) -> bool {
        let left = self.html_left.get().checked_sub(html.len());
        self.html_left.set(left.unwrap_or_default());
        if left.is_none() {
            self.exceed(Over::Html);
        }
        left.is_some()
    }

    fn exceed(&self, what: Over) {
        self.over.borrow_mut().get_or_insert(what);
    }
}

/// The cells of the tables that a text may hold: for each line below one that parts a table's head from its rows, up to
/// an empty one, its columns. Never fewer than there are.
fn cells(markdown: &str) -> usize {
    let (mut columns, mut all) = (0_usize, 0_usize);
    for line in markdown.lines() {
        if line.trim_matches([' ', '\t', '>']).is_empty() {
            columns = 0;
            continue;
        }
        let parts = line.contains('-')
            && line
                .chars()
                .all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t' | '>' | '*' | '+' | '.' | ')') || c.is_ascii_digit());
        if parts {
            // The head stands above.
            let own = line.matches('|').count() + 1;
            columns = columns.max(own);
            all = all.saturating_add(own);
        }
        all = all.saturating_add(columns);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted_with_those_that_rows_leave_out() {
        for (markdown, expected) in
            [("a\n\nb", 0), ("|a|b|\n|-|-|\n|c|", 12), ("a|b\n-|-\nc\n\nd\ne", 6), ("> a|b\n> -|-\n> c\n>\n> d", 6)]
        {
            assert_eq!(cells(markdown), expected, "{markdown}");
        }
        // As many lines that part a table cost no more than their rows.
        assert_eq!(cells(&"-|-\n".repeat(1000)), 4000);
    }

    #[test]
    fn the_first_bound_that_is_passed_is_told() {
        let meter = Meter::with(1000, || false);
        assert_eq!((0..5).filter(|_| meter.must_stop()).count(), 2);
        assert!(meter.may_hold_tables("a") && !meter.may_make(&"x".repeat(MAX_HTML + 1)));
        assert_eq!(meter.over(), Some(Over::Steps));
        let late = Meter::with(1000, || true);
        assert!(late.must_stop());
        assert_eq!(late.over(), Some(Over::Time));
    }
}
