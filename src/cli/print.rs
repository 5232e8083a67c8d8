//! Results on stdout: for people, or as one JSON document.

use std::io::Write;
use std::process::ExitCode;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde::Serialize;
use serde_json::json;

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether people read it, rather than programs.
    pub(super) fn is_for_people(self) -> bool {
        !self.json
    }

    /// Prints a result.
    pub(super) fn print<T: Serialize>(self, result: &T, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string_pretty(result)? } else { harmless(&text()) };
        let text = text.trim_end();
        if !text.is_empty() {
            // A reader that went away, as `| head` does, is no failure.
            let _ = writeln!(std::io::stdout().lock(), "{text}");
        }
        Ok(())
    }

    /// Tells people something before the result; programs find it in the document.
    pub(super) fn note(self, text: &str) {
        if self.is_for_people() && !text.is_empty() {
            let _ = writeln!(std::io::stdout().lock(), "{}", harmless(text));
        }
    }

    /// Prints why a command failed: for people on stderr, for programs on stdout too.
    pub(super) fn fail(self, error: &anyhow::Error) -> ExitCode {
        let why = format!("{error:#}");
        if self.json {
            let _ = writeln!(std::io::stdout().lock(), "{}", json!({ "error": why }));
        }
        let _ = writeln!(std::io::stderr().lock(), "error: {}", harmless(&why));
        ExitCode::FAILURE
    }
}

/// Text without what would command a terminal or turn its reading direction: parts of it come from strangers.
pub(super) fn harmless(text: &str) -> String {
    let commands = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if commands(c) || turns(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// Rows under their headings; each row is one line.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(headings);
    for row in rows {
        table.add_row(row.map(|cell| shown(&cell)));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// A stranger's text on one line: control characters, and those that turn the direction of what follows, are written out.
pub(super) fn shown(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control() || matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().flat_map(|c| if is_hidden(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// `1 post`, `2 posts`.
pub(super) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_command_the_terminal() {
        assert_eq!(
            harmless("a\u{1b}[2J\u{9b}31m\r\u{202e}b\n\tünï 漢"),
            "a\u{fffd}[2J\u{fffd}31m\u{fffd}\u{fffd}b\n\tünï 漢"
        );
    }

    #[test]
    fn what_strangers_write_stays_on_its_line_and_changes_no_terminal() {
        for (text, expected) in [
            ("Grüße, 世界 👋", "Grüße, 世界 👋"),
            ("a\nb\tc", "a\\nb\\tc"),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("gnp\u{202e}exe", "gnp\\u{202e}exe"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert_eq!(table(["KEY"], [["a\nb".to_owned()]]), " KEY\n a\\nb");
    }
}
