//! A content file taken apart: front matter in YAML, TOML or JSON, and the body below it.

use serde_json::{Map, Value};

use super::opening;
use super::opening::SyntaxError;
use super::yaml::{self, Duplicate};

/// A content file.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Keys in lower case.
    pub(super) fields: Map<String, Value>,
    /// With `\n` line ends.
    pub(super) body: String,
    /// The line of the file on which the body begins, counted from 1.
    pub(super) body_line: u64,
    /// Keys that stand twice, with their lines in the file.
    pub(super) duplicates: Vec<Duplicate>,
    /// Whether there is no front matter.
    pub(super) is_bare: bool,
}

/// Takes a file apart. A file without front matter is a page all the same (docs/hugo.md#front-matter). Errors carry the line of
/// the file: what Hugo, or one of its versions, may read otherwise is one.
pub(super) fn read(text: &str) -> Result<Document, SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let has_returns = text.contains('\r');
    let text = if has_returns { text.replace('\r', "\n") } else { text };
    let start = text.trim_start_matches([' ', '\t', '\n']);
    let skipped = lines_in(text.strip_suffix(start).unwrap_or_default());
    opening::check(start, skipped + 1)?;
    let document = match start.get(..3) {
        Some(mark @ ("---" | "+++")) => {
            let Parts { head, first, body, body_line } = split(start, mark, skipped)?;
            opening::check_signs(head, first)?;
            if mark == "+++" && has_returns {
                let message =
                    "Hugo reads no TOML whose lines end with CR alone; save the file with line ends of LF".to_owned();
                return Err(SyntaxError { line: Some(first), message });
            }
            let moved = |line: u64| line + first - 1;
            let (fields, duplicates) = if mark == "---" { yaml::parse(head) } else { toml_fields(head) }
                .map_err(|error| SyntaxError { line: error.line.map(moved), ..error })?;
            let duplicates = duplicates.into_iter().map(|found| Duplicate { line: moved(found.line), ..found });
            Document { fields, body: body.to_owned(), body_line, duplicates: duplicates.collect(), is_bare: false }
        }
        _ if start.starts_with('{') => json(start, skipped)?,
        _ => Document { body: start.to_owned(), body_line: skipped + 1, is_bare: true, ..Document::default() },
    };
    if let Some(found) = document.duplicates.iter().find(|found| found.differs && opening::is_deciding(&found.key)) {
        return Err(opening::twice(&found.key, Some(found.line)));
    }
    if let Some(before) = opening::telling_line(&document.body, !document.is_bare) {
        let message = "this line of the text looks like front matter and would hide the page there, so it may be one that \
                       Hugo does not read; begin the file with `---`, or write the line otherwise";
        let line = Some(document.body_line + u64::try_from(before).unwrap_or_default());
        return Err(SyntaxError { line, message: message.to_owned() });
    }
    Ok(document)
}

/// Reads a file for what must hold of every one: the line its body begins on, its body, and the lines of doubled keys;
/// or the line that cannot be read.
///
/// # Errors
/// As the scan of a site has them, with the line where it is known.
pub fn lines(text: &str) -> Result<(u64, String, Vec<u64>), Option<u64>> {
    let document = read(text).map_err(|error| error.line)?;
    Ok((document.body_line, document.body, document.duplicates.iter().map(|found| found.line).collect()))
}

/// Front matter and body.
struct Parts<'a> {
    head: &'a str,
    /// The line of the file on which the head begins.
    first: u64,
    body: &'a str,
    body_line: u64,
}

/// As Hugo does it: what follows the opening mark on its line is front matter too, and any line that begins with the
/// mark closes it.
fn split<'a>(start: &'a str, delimiter: &str, skipped: u64) -> Result<Parts<'a>, SyntaxError> {
    let unclosed = || SyntaxError {
        line: Some(skipped + 1),
        message: format!("the front matter is not closed; put a line `{delimiter}` below it"),
    };
    let after_opening = start.get(delimiter.len()..).unwrap_or_default();
    let (opening, below) = after_opening.split_once('\n').ok_or_else(unclosed)?;
    let (whole, first) = if opening.trim().is_empty() { (below, skipped + 2) } else { (after_opening, skipped + 1) };
    let mut offset = whole.len() - below.len();
    for line in below.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix(delimiter) {
            let (head, from) = whole.split_at(offset);
            let is_blank = rest.trim().is_empty();
            let body_at = if is_blank { line.len() } else { delimiter.len() };
            let body_line = first + lines_in(head) + u64::from(rest.ends_with('\n') && is_blank);
            return Ok(Parts { head, first, body: from.get(body_at..).unwrap_or_default(), body_line });
        }
        offset += line.len();
    }
    Err(unclosed())
}

fn json(start: &str, skipped: u64) -> Result<Document, SyntaxError> {
    let mut values = serde_json::Deserializer::from_str(start).into_iter::<Map<String, Value>>();
    let fields = match values.next() {
        Some(Ok(fields)) => {
            opening::check_keys(&fields)?;
            yaml::lower_keys(fields)
        }
        Some(Err(error)) => {
            let line = Some(skipped + u64::try_from(error.line()).unwrap_or(1).max(1));
            return Err(SyntaxError { line, message: yaml::first_line(&error.to_string()) });
        }
        None => Map::new(),
    };
    let (head, body) = start.split_at(values.byte_offset());
    let body_line = skipped + 1 + lines_in(head);
    Ok(Document { fields, body: body.to_owned(), body_line, ..Document::default() })
}

fn toml_fields(text: &str) -> Result<(Map<String, Value>, Vec<Duplicate>), SyntaxError> {
    parse_toml(text).map(|fields| (fields, Vec::new()))
}

/// Reads TOML, keys in lower case; its own dates become text, which `dates` reads.
pub(super) fn parse_toml(text: &str) -> Result<Map<String, Value>, SyntaxError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| SyntaxError {
        line: error.span().map(|span| lines_in(text.get(..span.start).unwrap_or_default()) + 1),
        message: error.message().to_owned(),
    })?;
    let fields = table.into_iter().map(|(key, value)| (key, plain(value))).collect();
    opening::check_keys(&fields)?;
    Ok(yaml::lower_keys(fields))
}

fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        toml::Value::Table(table) => Value::Object(table.into_iter().map(|(key, value)| (key, plain(value))).collect()),
    }
}

fn lines_in(text: &str) -> u64 {
    u64::try_from(text.matches('\n').count()).unwrap_or(u64::MAX)
}

/// A field as text: trimmed, numbers and truth values written out, empty ones absent.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    words(value).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A field as text with the blanks around it; empty ones are absent.
pub(super) fn words(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::String(text) => text.replace('\0', ""),
        Value::Number(number) => written_out(number),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A number as Go writes it: without an exponent, and without `.0`.
fn written_out(number: &serde_json::Number) -> String {
    number.as_f64().filter(|_| number.is_f64()).map_or_else(|| number.to_string(), |number| format!("{number}"))
}

/// A field as a list of texts: a list or a single one; null and empty entries are left out.
pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(|item| text(Some(item))).collect(),
        other => text(other).into_iter().collect(),
    }
}

/// A field as yes or no; also the older words for it, which Hugo's earlier versions took.
pub(super) fn flag(value: Option<&Value>) -> Option<bool> {
    match text(value)?.to_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "t" | "1" => Some(true),
        "false" | "no" | "off" | "n" | "f" | "0" => Some(false),
        _ => None,
    }
}

/// What a field says of yes and no, as far as any of Hugo's versions reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    /// Neither: versions differ, or the author meant something by it that Hugo does not see.
    Unclear,
}

/// A field as yes, no, or neither; one that is absent or empty is no.
pub(super) fn truth(value: Option<&Value>) -> Truth {
    let from = |is_yes: bool| if is_yes { Truth::Yes } else { Truth::No };
    match value {
        None | Some(Value::Null) => Truth::No,
        Some(Value::Bool(yes)) => from(*yes),
        Some(Value::Number(number)) => from(number.as_f64() != Some(0.0)),
        Some(Value::String(word)) if word.trim().is_empty() => Truth::No,
        Some(Value::String(word)) => match (flag(value), word.trim().parse::<f64>()) {
            (Some(yes), _) => from(yes),
            (None, Ok(number)) if number.is_finite() => from(number != 0.0),
            _ => Truth::Unclear,
        },
        Some(Value::Array(_) | Value::Object(_)) => Truth::Unclear,
    }
}

/// A field from the front matter, or from its `params` (docs/hugo.md#front-matter).
pub(super) fn field<'a>(fields: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    let filled = |value: &&Value| !value.is_null();
    fields.get(key).filter(filled).or_else(|| fields.get("params").and_then(|params| params.get(key)).filter(filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_found_in_all_its_clothes() {
        for (file, title, body, line) in [
            ("---\ntitle: a\n---\nb\n", Some("a"), "b\n", 4),
            ("\u{feff}\r\n\r\n---\r\nTitle: a \r\n---\r\nb\r\n", Some("a"), "b\n", 6),
            ("---  \ntitle: a\n---", Some("a"), "", 3),
            ("+++\ntitle = 'a'\ndate = 2024-03-05\n+++\n\nb", Some("a"), "\nb", 5),
            ("{\n\"title\": \"a\", \"x\": \"}\"\n}\nb", Some("a"), "\nb", 3),
            ("no front matter", None, "no front matter", 1),
            ("---\n---\nb", None, "b", 3),
            ("", None, "", 1),
        ] {
            let document = read(file).expect(file);
            assert_eq!(text(document.fields.get("title")).as_deref(), title, "{file}");
            assert_eq!((document.body.as_str(), document.body_line), (body, line), "{file}");
        }
    }

    #[test]
    fn what_cannot_be_read_names_the_line_of_the_file() {
        assert_eq!(read("\n---\ntitle: a\n").expect_err("unclosed").line, Some(2));
        assert_eq!(read("---\ntitle: a\n\tb: c\n---\n").expect_err("a tab").line, Some(2));
        assert_eq!(read("+++\na = 1\nb = \n+++\n").expect_err("no value").line, Some(3));
        assert_eq!(read("{\n\"a\": }\n").expect_err("no value").line, Some(2));
        assert_eq!(read("---\na: 1\na: 2\n---\n").expect("YAML").duplicates[0].line, 3);
    }

    #[test]
    fn fields_are_read_in_the_shapes_people_use() {
        let fields =
            read("---\ntags: [a , null, 7, '']\none: x\ndraft: Yes\nparams:\n  lang: nl\n---").expect("YAML").fields;
        assert_eq!(texts(fields.get("tags")), ["a", "7"]);
        assert_eq!(texts(fields.get("one")), ["x"]);
        assert_eq!(flag(fields.get("draft")), Some(true));
        assert_eq!(text(field(&fields, "lang")).as_deref(), Some("nl"));
    }
}
