//! Which part of a list a command shows, and how it says where the next begins.

use std::str::FromStr;

use clap::Args;
use serde::Serialize;

use super::print::Output;
use crate::db::{InvalidCursor, Page};

#[derive(Clone, Debug, Args)]
pub(super) struct Wanted {
    /// Most lines.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Go on where a part ended: what it gave as `next`.
    #[arg(long, value_name = "NEXT", allow_hyphen_values = true)]
    after: Option<String>,
}

impl Wanted {
    pub(super) fn limit(&self) -> i64 {
        self.limit.into()
    }

    /// Where the part before ended.
    ///
    /// # Errors
    /// When it is no place in this list; the text says what to do.
    pub(super) fn after<P: FromStr<Err = InvalidCursor>>(&self) -> Result<Option<P>, InvalidCursor> {
        self.after.as_deref().map(str::parse).transpose()
    }
}

/// Prints a part: `{"items": …, "next": …}`, or lines for people and how to see more.
pub(super) fn print<T: Serialize>(
    output: Output,
    part: &Page<T>,
    lines: impl FnOnce(&[T]) -> String,
) -> anyhow::Result<()> {
    output.print(part, || {
        let mut text = lines(&part.items);
        if let Some(next) = &part.next {
            text = format!("{}\n\nthere is more: add --after {next}", text.trim_end());
        }
        text
    })
}
