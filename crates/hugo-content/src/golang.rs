//! Go's way to write a date by an example date, as permalinks may use it (`:2006`, `:Jan`).

use chrono::{DateTime, Datelike, FixedOffset, TimeZone, Timelike};

use super::dates::Moment;

/// Parts of the example date, longer ones before those they begin with.
const PARTS: &[&str] = &[
    "January", "Monday", "2006", "Jan", "Mon", "MST", "002", "__2", "_2", "01", "02", "03", "04", "05", "06", "15",
    "PM", "pm", "1", "2", "3", "4", "5",
];

/// Writes a date by a layout; `None` when the layout holds no part of the example date.
pub(super) fn format(at: Moment, layout: &str) -> Option<String> {
    let (mut rest, mut out, mut found) = (layout, String::new(), false);
    while let Some(first) = rest.chars().next() {
        let part = PARTS.iter().find(|part| rest.strip_prefix(**part).is_some_and(|after| ends_well(part, after)));
        if let Some(part) = part {
            out.push_str(&value(at, part));
            found = true;
            rest = rest.get(part.len()..).unwrap_or_default();
        } else {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    found.then_some(out)
}

/// `Jan` within `Janet` is no month; `_2` within `_2006` is no day.
fn ends_well(part: &str, after: &str) -> bool {
    match part {
        "Jan" | "Mon" => !after.starts_with(|c: char| c.is_ascii_lowercase()),
        "_2" => !after.starts_with("006"),
        _ => true,
    }
}

fn value(at: Moment, part: &str) -> String {
    let chronos = match part {
        "January" => "%B",
        "Monday" => "%A",
        "Jan" => "%b",
        "Mon" => "%a",
        "MST" => return "UTC".to_owned(),
        "002" => "%j",
        "_2" => "%e",
        "01" => "%m",
        "02" => "%d",
        "03" => "%I",
        "04" => "%M",
        "05" => "%S",
        "06" => "%y",
        "15" => "%H",
        "PM" => "%p",
        "pm" => "%P",
        "2006" => return format!("{:04}", at.year()),
        "__2" => return format!("{:>3}", at.ordinal()),
        "1" => return at.month().to_string(),
        "2" => return at.day().to_string(),
        "3" => return at.hour12().1.to_string(),
        "4" => return at.minute().to_string(),
        _ => return at.second().to_string(),
    };
    at.format(chronos).to_string()
}

/// Go's zero time, which a page without a date has.
pub(super) fn zero() -> Moment {
    let zero = chrono::Utc.with_ymd_and_hms(1, 1, 1, 0, 0, 0).single().unwrap_or(DateTime::UNIX_EPOCH);
    zero.with_timezone(&FixedOffset::east_opt(0).unwrap_or_else(|| chrono::Offset::fix(&chrono::Utc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_by_example() {
        let at = DateTime::parse_from_rfc3339("2024-03-05T14:07:09+01:00").expect("a date");
        for (layout, expected) in [
            ("2006", Some("2024")),
            ("20060102", Some("20240305")),
            ("Jan", Some("Mar")),
            ("Janet", None),
            ("January", Some("March")),
            ("Monday", Some("Tuesday")),
            ("_2", Some(" 5")),
            ("_2006", Some("_2024")),
            ("__2", Some(" 65")),
            ("002", Some("065")),
            ("3_04_05PM", Some("2_07_09PM")),
            ("15h4", Some("14h7")),
            ("x", None),
        ] {
            assert_eq!(format(at, layout).as_deref(), expected, "{layout}");
        }
        assert_eq!(zero().to_rfc3339(), "0001-01-01T00:00:00+00:00");
    }
}
