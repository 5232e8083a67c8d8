//! Reads a list of blocked domains: Mastodon's CSV, or a domain on each line. Pure; each line that is not valid is
//! told.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord};
use serde::Serialize;

use super::Severity;
use crate::base::ids::Domain;

/// Longest reason kept, in characters.
const REASON_MAX: usize = 500;

/// One domain of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) severity: Severity,
    /// The public comment of the list.
    pub(crate) reason: Option<String>,
}

/// A line of a list that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// From 1.
    pub(crate) line: u64,
    pub(crate) text: String,
    pub(crate) why: String,
}

/// A list as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// Its domains; where one stands twice, with the stronger severity.
    pub(crate) entries: BTreeMap<Domain, Entry>,
    /// The lines that are not valid.
    pub(crate) skipped: Vec<Skipped>,
}

/// Which column holds what.
#[derive(Clone, Copy)]
struct Columns {
    domain: usize,
    severity: Option<usize>,
    comment: Option<usize>,
}

impl Columns {
    /// A list without a heading: its first column is the domain, its second the severity, if anything is there.
    const BARE: Self = Self { domain: 0, severity: Some(1), comment: None };

    /// From a heading such as `#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate`.
    fn read(record: &StringRecord) -> Option<Self> {
        let at = |name: &str| {
            record.iter().position(|field| field.trim_start_matches('#').trim().eq_ignore_ascii_case(name))
        };
        Some(Self {
            domain: at("domain")?,
            severity: at("severity"),
            comment: at("public_comment").or_else(|| at("comment")),
        })
    }
}

/// Reads a list. Domains for which `is_ours` is true are never accepted.
///
/// # Errors
/// When it is no CSV at all; the message says where.
pub(crate) fn parse(text: &str, is_ours: impl Fn(&Domain) -> bool) -> Result<Parsed, csv::Error> {
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let (mut columns, mut parsed, mut is_first) = (Columns::BARE, Parsed::default(), true);
    for record in reader.records() {
        let record = record?;
        if std::mem::take(&mut is_first)
            && let Some(read) = Columns::read(&record)
        {
            columns = read;
            continue;
        }
        let written = record.get(columns.domain).map(str::trim).unwrap_or_default();
        let is_comment = record.get(0).is_some_and(|field| field.trim_start().starts_with('#'));
        if is_comment || record.iter().all(|field| field.trim().is_empty()) {
            continue;
        }
        match read_entry(&record, columns, written, &is_ours) {
            Ok((domain, entry)) => parsed.add(domain, entry),
            Err(why) => {
                let line = record.position().map_or(0, csv::Position::line);
                parsed.skipped.push(Skipped { line, text: written.chars().take(300).collect(), why });
            }
        }
    }
    Ok(parsed)
}

impl Parsed {
    fn add(&mut self, domain: Domain, entry: Entry) {
        let known = self.entries.get(&domain);
        if known.is_none_or(|known| known.severity == Severity::Silence && entry.severity == Severity::Block) {
            self.entries.insert(domain, entry);
        }
    }
}

fn read_entry(
    record: &StringRecord,
    columns: Columns,
    written: &str,
    is_ours: impl Fn(&Domain) -> bool,
) -> Result<(Domain, Entry), String> {
    if written.contains('*') {
        return Err("it is obfuscated: the list does not say which domain it is".to_owned());
    }
    let domain = Domain::parse(written).map_err(|_| "it is no domain".to_owned())?;
    if is_ours(&domain) {
        return Err("it is our own, or above it".to_owned());
    }
    if !domain.as_str().contains('.') {
        return Err("it is a whole top-level domain; block it by hand if that is meant".to_owned());
    }
    let field = |column: Option<usize>| column.and_then(|column| record.get(column)).map(str::trim).unwrap_or_default();
    let severity = match field(columns.severity).to_lowercase().as_str() {
        "suspend" | "block" | "" => Severity::Block,
        "silence" | "limit" => Severity::Silence,
        "noop" | "none" => return Err("the list does nothing about it (noop)".to_owned()),
        other => {
            return Err(format!(
                "`{}` is no severity: suspend, silence or noop",
                other.chars().take(50).collect::<String>()
            ));
        }
    };
    let comment: String = field(columns.comment).chars().filter(|c| !c.is_control()).take(REASON_MAX).collect();
    Ok((domain, Entry { severity, reason: (!comment.is_empty()).then_some(comment) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Parsed {
        let ours = Domain::parse("social.example.org").expect("a domain");
        parse(text, |domain| domain.covers(&ours)).expect("a list")
    }

    fn entry(domain: &str, severity: Severity, reason: Option<&str>) -> (Domain, Entry) {
        (Domain::parse(domain).expect("a domain"), Entry { severity, reason: reason.map(str::to_owned) })
    }

    #[test]
    fn mastodons_form_is_read_by_its_heading() {
        let parsed = read(
            "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\n\
             bad.test,suspend,TRUE,TRUE,\"Spam, \"\"lots\"\" of it\",FALSE\n\
             Loud.Test.,silence,FALSE,FALSE,,FALSE\n\
             b*d.test,suspend,TRUE,TRUE,Hidden,TRUE\n\
             fine.test,noop,FALSE,FALSE,,FALSE\n\
             odd.test,explode,FALSE,FALSE,,FALSE\n\
             example.org,suspend,FALSE,FALSE,,FALSE\n\
             com,suspend,FALSE,FALSE,,FALSE\n",
        );
        let block = entry("bad.test", Severity::Block, Some("Spam, \"lots\" of it"));
        assert_eq!(parsed.entries, [block, entry("loud.test", Severity::Silence, None)].into());
        let skipped: Vec<(u64, &str, &str)> =
            parsed.skipped.iter().map(|line| (line.line, line.text.as_str(), line.why.as_str())).collect();
        assert_eq!(
            skipped,
            [
                (4, "b*d.test", "it is obfuscated: the list does not say which domain it is"),
                (5, "fine.test", "the list does nothing about it (noop)"),
                (6, "odd.test", "`explode` is no severity: suspend, silence or noop"),
                (7, "example.org", "it is our own, or above it"),
                (8, "com", "it is a whole top-level domain; block it by hand if that is meant"),
            ]
        );
    }

    #[test]
    fn bare_domains_and_other_headings_are_read_too() {
        let bare = "\u{feff}# a list\n\nbad.test\nBÜCHER.example\nbad.test\n";
        let names: Vec<String> = read(bare).entries.into_keys().map(|domain| domain.to_string()).collect();
        assert_eq!(names, ["bad.test", "xn--bcher-kva.example"]);
        let parsed = read("severity,domain\r\nsilence,twice.test\r\nsuspend,twice.test\r\nsilence,twice.test\r\n");
        assert_eq!(parsed.entries, [entry("twice.test", Severity::Block, None)].into(), "the stronger counts");
        let skipped = read("not a domain\n").skipped;
        assert_eq!(skipped, [Skipped { line: 1, text: "not a domain".to_owned(), why: "it is no domain".to_owned() }]);
    }
}
