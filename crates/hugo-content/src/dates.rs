//! Dates as Hugo reads them, and which of a page's dates counts for what (docs/hugo.md#whether-and-when).

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use clock::Timestamp;
use regex::Regex;
use serde_json::{Map, Value};

use super::frontmatter;

/// Without the day of the week and the name of a zone, which are read first.
const WITH_OFFSET: &[&str] = &[
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dt%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f %#z",
    "%d %b %Y %H:%M:%S %z",
    "%d %b %y %H:%M %z",
    "%b %d %H:%M:%S %z %Y",
];

/// The last two are not Hugo's, whose earlier versions took them for no date and later ones refuse; what the
/// author meant is plain.
const WITHOUT_OFFSET: &[&str] = &[
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dt%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%d %b %Y %H:%M:%S",
    "%d %b %y %H:%M",
    "%d-%b-%y %H:%M:%S",
    "%b %e %H:%M:%S %Y",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
];

const DAYS: &[&str] = &["%Y-%m-%d", "%d %b %Y"];

/// A moment with the offset in which the site shows it.
pub(super) type Moment = DateTime<chrono::FixedOffset>;

/// Reads a date as `spf13/cast` does for Hugo; one without an offset is in the site's time zone, and so is one with
/// only the name of a zone. `None` when it is no date.
pub(super) fn parse(text: &str, zone: Tz) -> Option<Moment> {
    let text = bare(text)?;
    if let Ok(at) = DateTime::parse_from_rfc3339(&text) {
        return Some(at);
    }
    if let Some(at) = WITH_OFFSET.iter().find_map(|format| DateTime::parse_from_str(&text, format).ok()) {
        return Some(at);
    }
    let local =
        WITHOUT_OFFSET.iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok()).or_else(|| {
            DAYS.iter()
                .find_map(|format| NaiveDate::parse_from_str(&text, format).ok())
                .and_then(|day| day.and_hms_opt(0, 0, 0))
        })?;
    in_zone(local, zone)
}

/// Without the day of the week before it and the name of a zone in it.
fn bare(text: &str) -> Option<String> {
    static EXTRAS: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? +)|\b *[A-Z]{3,4}\b").ok());
    let bare = EXTRAS.as_ref()?.replace_all(text.trim(), "");
    Some(bare.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Where a change of the clocks makes a time stand twice or not at all, the one that Go finds.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<Moment> {
    let offset = |at: NaiveDateTime| zone.offset_from_utc_datetime(&at).fix();
    let first = local.checked_sub_offset(offset(local))?;
    let offset = offset(first);
    Some(Moment::from_naive_utc_and_offset(local.checked_sub_offset(offset)?, offset))
}

/// Reads a field: a date, or a number of seconds since 1970. Go's zero time is no date.
fn read(value: Option<&Value>, zone: Tz) -> Option<Moment> {
    let at = match value? {
        Value::Number(seconds) => DateTime::from_timestamp(seconds.as_i64()?, 0)?.fixed_offset(),
        value => parse(&frontmatter::text(Some(value))?, zone)?,
    };
    (at.year() > 1).then_some(at)
}

/// The dates of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dates {
    /// What the page shows.
    pub(super) date: Option<Moment>,
    pub(super) publish: Option<Timestamp>,
    pub(super) expiry: Option<Timestamp>,
    pub(super) modified: Option<Timestamp>,
    /// From the file's name, where its date is asked for; the front matter's own goes before it.
    pub(super) slug: Option<String>,
    /// Keys whose value is no date.
    pub(super) unreadable: Vec<String>,
}

/// Which front matter keys are asked for each date, in turn; Hugo's own order unless the configuration has another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    date: Vec<String>,
    publish: Vec<String>,
    expiry: Vec<String>,
    modified: Vec<String>,
}

/// What can be asked for a date beside the front matter.
pub(super) struct Beside<'a> {
    /// The file's or bundle's name, for `:filename`.
    pub(super) base_name: &'a str,
    /// When the file was changed, for `:fileModTime`.
    pub(super) changed: &'a dyn Fn() -> Option<Moment>,
    /// The author date of the last commit that changed the file, for `:git`; `None` where git is not asked.
    pub(super) committed: &'a dyn Fn() -> Option<Moment>,
    pub(super) zone: Tz,
}

const DATE: &[&str] = &["date", "publishdate", "lastmod"];
const PUBLISH: &[&str] = &["publishdate", "date"];
const EXPIRY: &[&str] = &["expirydate"];
const MODIFIED: &[&str] = &[":git", "lastmod", "date", "publishdate"];
const KEYS: &[&str] =
    &["date", "publishdate", "pubdate", "published", "lastmod", "modified", "expirydate", "unpublishdate"];

/// Other names of a key, which follow it.
fn other_names(key: &str) -> &'static [&'static str] {
    match key {
        "lastmod" => &["modified"],
        "publishdate" => &["pubdate", "published"],
        "expirydate" => &["unpublishdate"],
        _ => &[],
    }
}

impl Order {
    /// From the configuration's `frontmatter` table.
    pub(super) fn new(table: Option<&Value>) -> Self {
        let keys = |name: &str, standard: &[&str]| {
            let wanted = match table.and_then(|table| table.get(name)) {
                None => vec![":default".to_owned()],
                some => frontmatter::texts(some).into_iter().map(|key| key.to_lowercase()).collect(),
            };
            let mut keys: Vec<String> = Vec::new();
            for key in &wanted {
                let several = if key == ":default" { standard } else { &[key.as_str()] };
                for key in several.iter().flat_map(|key| std::iter::once(key).chain(other_names(key))) {
                    if !keys.iter().any(|known| known == key) {
                        keys.push((*key).to_owned());
                    }
                }
            }
            keys
        };
        Self {
            date: keys("date", DATE),
            publish: keys("publishdate", PUBLISH),
            expiry: keys("expirydate", EXPIRY),
            modified: keys("lastmod", MODIFIED),
        }
    }

    /// The dates of a page with these fields.
    pub(super) fn dates(&self, fields: &Map<String, Value>, beside: &Beside<'_>) -> Dates {
        let field = |key: &str| fields.get(key);
        let mut slug = None;
        let mut first = |keys: &[String]| {
            keys.iter().find_map(|key| match key.as_str() {
                ":filename" => {
                    let (at, rest) = from_name(beside)?;
                    slug = Some(rest);
                    Some(at)
                }
                ":filemodtime" => (beside.changed)(),
                ":git" => (beside.committed)(),
                key => read(field(key), beside.zone),
            })
        };
        let stamp = |at: Moment| Timestamp::from_millis(at.timestamp_millis());
        Dates {
            date: first(&self.date),
            publish: first(&self.publish).map(stamp),
            expiry: first(&self.expiry).map(stamp),
            modified: first(&self.modified).map(stamp),
            slug: slug.filter(|slug: &String| !slug.is_empty()),
            unreadable: self.unreadable(fields, beside.zone),
        }
    }
}

impl Order {
    /// Keys of dates, and those that the configuration asks for whether a page is public, whose value is no date.
    fn unreadable(&self, fields: &Map<String, Value>, zone: Tz) -> Vec<String> {
        let own = self.publish.iter().chain(&self.expiry).map(String::as_str).filter(|key| !KEYS.contains(key));
        let all = KEYS.iter().copied().chain(own);
        all.filter(|key| is_unreadable(key, fields.get(*key), zone)).map(str::to_owned).collect()
    }
}

/// A date before a file's name, as `2024-03-05-name`, and the rest of the name.
fn from_name(beside: &Beside<'_>) -> Option<(Moment, String)> {
    let (day, rest) = beside.base_name.split_at_checked(10)?;
    let at = parse(day, beside.zone).filter(|_| day.len() == day.trim().len())?;
    Some((at, rest.trim_matches([' ', '-', '_']).to_owned()))
}

/// `published` may also say yes or no.
fn is_unreadable(key: &str, value: Option<&Value>, zone: Tz) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Number(seconds)) => !seconds.is_i64(),
        Some(Value::Array(_) | Value::Object(_)) => true,
        Some(value) if key == "published" && frontmatter::flag(Some(value)).is_some() => false,
        Some(value) => frontmatter::text(Some(value)).is_some_and(|text| parse(&text, zone).is_none()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_the_forms_hugo_takes() {
        for (text, zone, expected) in [
            ("2024-03-05T10:00:00+02:00", Tz::UTC, Some("2024-03-05T08:00:00+00:00")),
            ("2024-03-05T10:00:00Z", Tz::UTC, Some("2024-03-05T10:00:00+00:00")),
            ("2024-03-05T10:00:00", Tz::UTC, Some("2024-03-05T10:00:00+00:00")),
            ("2024-03-05", Tz::Europe__Amsterdam, Some("2024-03-04T23:00:00+00:00")),
            ("2024-07-05", Tz::Europe__Amsterdam, Some("2024-07-04T22:00:00+00:00")),
            ("2024-03-31T02:30:00", Tz::Europe__Amsterdam, Some("2024-03-31T01:30:00+00:00")),
            ("15 Oct 2023", Tz::UTC, Some("2023-10-15T00:00:00+00:00")),
            ("2023-10-15 13:18:00 +0200", Tz::UTC, Some("2023-10-15T11:18:00+00:00")),
            ("2023-10-15 13:18:00 +0000 UTC", Tz::Europe__Amsterdam, Some("2023-10-15T13:18:00+00:00")),
            ("Mon, 02 Jan 2006 15:04:05 -0700", Tz::UTC, Some("2006-01-02T22:04:05+00:00")),
            ("2023-10-15 13:18", Tz::UTC, Some("2023-10-15T13:18:00+00:00")),
            ("soon", Tz::UTC, None),
            ("", Tz::UTC, None),
        ] {
            let read = parse(text, zone).map(|at| at.to_utc().to_rfc3339());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn the_first_date_in_hugos_order_counts() {
        let fields = |text: &str| super::super::yaml::parse(text).expect("YAML").0;
        let beside = |base_name| Beside { base_name, changed: &|| None, committed: &|| None, zone: Tz::UTC };
        let order = Order::new(None);
        let dates = order.dates(&fields("lastmod: 2024-02-02\npubdate: 2024-01-01\nexpirydate: x"), &beside("a"));
        assert_eq!(dates.date.map(|at| at.timestamp()), Some(1_704_067_200));
        assert_eq!(dates.publish.map(Timestamp::seconds), Some(1_704_067_200));
        assert_eq!(dates.modified.map(Timestamp::seconds), Some(1_706_832_000));
        assert_eq!((dates.expiry, dates.unreadable), (None, vec!["expirydate".to_owned()]));

        let order = Order::new(Some(&serde_json::json!({"date": [":filename", ":default"]})));
        let dates = order.dates(&fields("date: 2024-02-02"), &beside("2024-01-01-name"));
        assert_eq!(dates.date.map(|at| at.timestamp()), Some(1_704_067_200));
        assert_eq!(dates.slug.as_deref(), Some("name"));

        let at = |text: &str| DateTime::parse_from_rfc3339(text).ok();
        let beside = Beside {
            changed: &|| at("2024-05-05T00:00:00Z"),
            committed: &|| at("2024-04-04T00:00:00Z"),
            ..beside("a")
        };
        let dates = Order::new(None).dates(&fields("lastmod: 2024-02-02"), &beside);
        assert_eq!(dates.modified.map(Timestamp::rfc3339).as_deref(), Some("2024-04-04T00:00:00Z"));
        let order = Order::new(Some(&serde_json::json!({"lastmod": ":fileModTime"})));
        let dates = order.dates(&fields("lastmod: 2024-02-02"), &beside);
        assert_eq!(dates.modified.map(Timestamp::rfc3339).as_deref(), Some("2024-05-05T00:00:00Z"));
    }
}
