//! Dates as Hugo reads them, and which of a page's dates counts for what (sources 1.2, 1.3).

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::frontmatter;
use crate::clock::Timestamp;

const WITH_OFFSET: &[&str] = &[
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M:%S%.f%:z",
    "%Y-%m-%d %H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M:%S%.f %:z",
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%a, %d %b %Y %H:%M:%S %z",
    "%d %b %y %H:%M %z",
];

/// The last two are not Hugo's, whose earlier versions took them for no date and later ones refuse; what the
/// author meant is plain.
const WITHOUT_OFFSET: &[&str] =
    &["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%a %b %e %H:%M:%S %Y", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];

const DAYS: &[&str] = &["%Y-%m-%d", "%d %b %Y"];

/// A moment with the offset in which the site shows it.
pub(super) type Moment = DateTime<chrono::FixedOffset>;

/// Reads a date; one without an offset is in the site's time zone. `None` when it is no date.
pub(super) fn parse(text: &str, zone: Tz) -> Option<Moment> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at);
    }
    if let Some(at) = WITH_OFFSET.iter().find_map(|format| DateTime::parse_from_str(text, format).ok()) {
        return Some(at);
    }
    let utc = text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT"));
    let (text, zone) = utc.map_or((text, zone), |text| (text.trim_end_matches(" +0000"), Tz::UTC));
    let local =
        WITHOUT_OFFSET.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()).or_else(|| {
            DAYS.iter()
                .find_map(|format| NaiveDate::parse_from_str(text, format).ok())
                .and_then(|day| day.and_hms_opt(0, 0, 0))
        })?;
    // A time that the change to summer time skips is read as an hour later, as Go does.
    zone.from_local_datetime(&local)
        .earliest()
        .or_else(|| zone.from_local_datetime(&local.checked_add_signed(Duration::hours(1))?).earliest())
        .map(|at| at.fixed_offset())
}

/// The dates of a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dates {
    /// What the page shows.
    pub(super) date: Option<Moment>,
    pub(super) publish: Option<Timestamp>,
    pub(super) expiry: Option<Timestamp>,
    pub(super) modified: Option<Timestamp>,
    /// Keys whose value is no date.
    pub(super) unreadable: Vec<&'static str>,
}

/// Which front matter keys are asked for each date, in turn; Hugo's own order unless the configuration has another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    date: Vec<String>,
    publish: Vec<String>,
    expiry: Vec<String>,
    modified: Vec<String>,
}

const DATE: &[&str] = &["date", "publishdate", "pubdate", "published", "lastmod", "modified"];
const PUBLISH: &[&str] = &["publishdate", "pubdate", "published", "date"];
const EXPIRY: &[&str] = &["expirydate", "unpublishdate"];
const MODIFIED: &[&str] = &["lastmod", "modified", "date", "publishdate", "pubdate", "published"];
const KEYS: &[&str] =
    &["date", "publishdate", "pubdate", "published", "lastmod", "modified", "expirydate", "unpublishdate"];

impl Order {
    /// From the configuration's `frontmatter` table.
    pub(super) fn new(table: Option<&Value>) -> Self {
        let keys = |name: &str, standard: &[&str]| match table.and_then(|table| table.get(name)) {
            None => standard.iter().map(|key| (*key).to_owned()).collect(),
            some => frontmatter::texts(some)
                .into_iter()
                .map(|key| key.to_lowercase())
                .flat_map(|key| match key.as_str() {
                    ":default" => standard.iter().map(|key| (*key).to_owned()).collect(),
                    _ => vec![key],
                })
                .collect(),
        };
        Self {
            date: keys("date", DATE),
            publish: keys("publishdate", PUBLISH),
            expiry: keys("expirydate", EXPIRY),
            modified: keys("lastmod", MODIFIED),
        }
    }

    /// The dates of a page with these fields; `base_name` is its file's or bundle's name, for `:filename`.
    pub(super) fn dates(&self, fields: &Map<String, Value>, base_name: &str, zone: Tz) -> Dates {
        let read = |key: &String| match key.as_str() {
            ":filename" => parse(base_name.get(..10)?, zone),
            key => parse(&frontmatter::text(fields.get(key))?, zone),
        };
        let first = |keys: &[String]| keys.iter().find_map(read);
        let stamp = |at: Moment| Timestamp::from_millis(at.timestamp_millis());
        Dates {
            date: first(&self.date),
            publish: first(&self.publish).map(stamp),
            expiry: first(&self.expiry).map(stamp),
            modified: first(&self.modified).map(stamp),
            unreadable: KEYS
                .iter()
                .copied()
                .filter(|key| frontmatter::text(fields.get(*key)).is_some_and(|text| parse(&text, zone).is_none()))
                .collect(),
        }
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
        let order = Order::new(None);
        let dates = order.dates(&fields("lastmod: 2024-02-02\npubdate: 2024-01-01\nexpirydate: x"), "a", Tz::UTC);
        assert_eq!(dates.date.map(|at| at.timestamp()), Some(1_704_067_200));
        assert_eq!(dates.publish.map(Timestamp::seconds), Some(1_704_067_200));
        assert_eq!(dates.modified.map(Timestamp::seconds), Some(1_706_832_000));
        assert_eq!((dates.expiry, dates.unreadable), (None, vec!["expirydate"]));

        let order = Order::new(Some(&serde_json::json!({"date": [":filename", ":default"]})));
        let dates = order.dates(&fields("date: 2024-02-02"), "2024-01-01-name", Tz::UTC);
        assert_eq!(dates.date.map(|at| at.timestamp()), Some(1_704_067_200));
    }
}
