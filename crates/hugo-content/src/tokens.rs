//! Which tokens there are in `permalinks` and of `url` (docs/hugo.md#addresses).

use std::sync::LazyLock;

use regex::Regex;

use super::golang;

/// The first token that Hugo does not know, or that we do not.
pub(super) fn unknown(pattern: &str) -> Option<String> {
    let escaped = pattern.replace("\\:", "\0");
    let known = |name: &str| NAMES.contains(&name) || golang::format(golang::zero(), name).is_some();
    token()?
        .captures_iter(&escaped)
        .find(|found| !found.get(1).is_some_and(|name| known(name.as_str())))
        .map(|found| found.get(0).map_or_else(String::new, |all| all.as_str().to_owned()))
}

/// Finds a token: its name, and what of `:sections` is wanted.
pub(super) fn token() -> Option<&'static Regex> {
    static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r":([0-9A-Za-z_]+)(\[.+?\])?").ok());
    TOKEN.as_ref()
}

const NAMES: &[&str] = &[
    "year",
    "month",
    "monthname",
    "day",
    "weekday",
    "weekdayname",
    "yearday",
    "section",
    "sections",
    "title",
    "slug",
    "slugorfilename",
    "slugorcontentbasename",
    "filename",
    "contentbasename",
];
