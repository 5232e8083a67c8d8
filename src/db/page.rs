//! A part of a list, and where the next one begins: by the keys of its last row, so that no page costs more than the first.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A part of a list, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The lines.
    pub items: Vec<T>,
    /// What to ask for the next part with; `None` where this is the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Of rows of which one more than `limit` was asked for: `place` names the last that is given.
    pub(crate) fn of(mut items: Vec<T>, limit: i64, place: impl FnOnce(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_cut = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| is_cut).map(place);
        Self { items, next }
    }

    /// Of a part, the first `limit` lines that are wanted: `place` names the last that is given, where more may follow.
    pub(crate) fn filtered(self, limit: i64, wanted: impl Fn(&T) -> bool, place: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut items = Vec::new();
        for item in self.items.into_iter().filter(wanted) {
            if items.len() == limit {
                let next = items.last().map(place);
                return Self { items, next };
            }
            items.push(item);
        }
        Self { items, next: self.next }
    }

    /// The same part with other lines.
    pub(crate) fn map<U>(self, to: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(to).collect(), next: self.next }
    }
}

/// A place in a list: the keys of the row that stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<const N: usize>(pub(crate) [i64; N]);

impl<const N: usize> fmt::Display for Cursor<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, key) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("-")?;
            }
            key.fmt(f)?;
        }
        Ok(())
    }
}

/// A text that is no place of this list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place in this list: give `next` of the part before, or leave --after out for the first")]
pub struct InvalidCursor(String);

impl<const N: usize> FromStr for Cursor<N> {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let wrong = || InvalidCursor(text.chars().take(100).collect());
        let keys: Vec<i64> =
            text.split('-').map(|key| key.parse().map_err(|_| wrong())).collect::<Result<_, InvalidCursor>>()?;
        keys.try_into().map(Self).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_says_where_the_next_begins() {
        let part = |rows: &[i64]| Page::of(rows.to_vec(), 2, |row| Cursor([*row, 7]).to_string());
        assert_eq!(part(&[9, 8, 7]), Page { items: vec![9, 8], next: Some("8-7".to_owned()) });
        assert_eq!(part(&[9, 8]), Page { items: vec![9, 8], next: None });
        assert_eq!(part(&[]), Page { items: vec![], next: None });
    }

    #[test]
    fn of_a_part_the_wanted_lines_are_given_and_where_to_go_on() {
        let part = Page { items: vec![1, 2, 3, 4, 5], next: Some("5".to_owned()) };
        let odd = |limit| part.clone().filtered(limit, |row: &i64| row % 2 == 1, ToString::to_string);
        assert_eq!(odd(2), Page { items: vec![1, 3], next: Some("3".to_owned()) });
        assert_eq!(odd(3), Page { items: vec![1, 3, 5], next: Some("5".to_owned()) });
    }

    #[test]
    fn a_place_is_read_as_it_was_written() {
        assert_eq!("8-7".parse(), Ok(Cursor([8, 7])));
        for wrong in ["", "8", "8-7-6", "8-x", "-8-7"] {
            assert!(wrong.parse::<Cursor<2>>().is_err(), "{wrong}");
        }
    }
}
