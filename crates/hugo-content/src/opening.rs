//! Where front matter begins, and what is held because Hugo's versions, or Hugo and we, read it differently.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

/// Lines of a file without front matter in which words of front matter are looked for.
const LOOKED_AT: usize = 50;

/// Keys by which a page may be hidden; where one stands twice, Hugo's versions differ.
const DECIDING: &[&str] = &[
    "draft",
    "published",
    "date",
    "publishdate",
    "pubdate",
    "expirydate",
    "unpublishdate",
    "headless",
    "build",
    "_build",
    "render",
    "list",
    "fediverse",
    "password",
    "encrypt",
    "encrypted",
    "protected",
    "private",
    "hidden",
];

/// Why a text cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    /// Counted from 1 within the text given.
    pub(super) line: Option<u64>,
    pub(super) message: String,
}

pub(super) fn is_deciding(key: &str) -> bool {
    DECIDING.contains(&key.to_lowercase().as_str())
}

/// What does not show: blanks, control characters, byte order marks and the like.
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffe}')
}

/// Whether a text begins as front matter does.
fn opens(text: &str) -> bool {
    ["---", "+++", "#+"].iter().any(|mark| text.starts_with(mark)) || (text.starts_with('{') && !text.starts_with("{{"))
}

/// Looks at a file's text below its first blanks, which begins on this line.
///
/// # Errors
/// Where it cannot be told whether all of Hugo's versions find front matter, or Hugo stops.
pub(super) fn check(start: &str, line: u64) -> Result<(), SyntaxError> {
    let error = |message: &str| Err(SyntaxError { line: Some(line), message: message.to_owned() });
    let mut behind = start;
    loop {
        let shown = behind.trim_start_matches(is_unseen);
        let next = shown.strip_prefix("<!--").unwrap_or(shown);
        if next.len() == behind.len() {
            break;
        }
        behind = next;
    }
    if behind.len() < start.len() && opens(behind) {
        return error(
            "signs that do not show, or a `<!--`, stand before it, and some versions of Hugo read it all the same; begin \
             the file with the front matter",
        );
    }
    if start.starts_with("#+") {
        return error(
            "lines that begin with `#+` are front matter of Org mode for Hugo, which is not read here; write it in YAML between two lines `---`",
        );
    }
    let is_cut = |mark: char, whole: &str| start.starts_with(mark) && !start.starts_with(whole);
    if is_cut('-', "---") || is_cut('+', "+++") || start.starts_with("{{") {
        return error(
            "Hugo takes a file that begins with `-`, `+` or `{` for one with front matter, and stops; put two lines `---` at its top",
        );
    }
    Ok(())
}

/// Signs in front matter by which it says other things to other readers.
///
/// # Errors
/// When there is one, with its line; the first line of `head` is this one.
pub(super) fn check_signs(head: &str, first: u64) -> Result<(), SyntaxError> {
    let is_odd = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}' | '\u{85}')
    };
    match head.split('\n').zip(first..).find(|(line, _)| line.contains(is_odd)) {
        None => Ok(()),
        Some((_, line)) => Err(SyntaxError {
            line: Some(line),
            message: "a sign that does not show stands in it; write the line anew".to_owned(),
        }),
    }
}

/// Keys that differ in capitals only: Hugo takes one of them by chance.
///
/// # Errors
/// When one decides who may see the page.
pub(super) fn check_keys(fields: &Map<String, Value>) -> Result<(), SyntaxError> {
    let mut seen: Vec<(String, &Value)> = Vec::new();
    for (key, value) in fields {
        if !is_deciding(key) && !key.eq_ignore_ascii_case("params") {
            continue;
        }
        let lower = key.to_lowercase();
        if seen.iter().any(|(before, other)| *before == lower && *other != value) {
            return Err(twice(&lower, None));
        }
        if let Value::Object(inner) = value {
            check_keys(inner)?;
        }
        seen.push((lower, value));
    }
    Ok(())
}

/// A deciding key stands twice.
pub(super) fn twice(key: &str, line: Option<u64>) -> SyntaxError {
    let message = format!(
        "`{key}` stands in it twice, and versions of Hugo differ on which counts, so it is not known who may see the page; remove one"
    );
    SyntaxError { line, message }
}

/// A line of a body that hides a page where Hugo finds it in front matter: the number of lines before it.
pub(super) fn telling_line(body: &str, has_front_matter: bool) -> Option<usize> {
    static TELLING: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?i)^[\W_]*(?:(?:draft|headless|encrypt(?:ed)?|protected|private)["']?\s*[:=]\s*["']?(?:true|yes|on|y|t|1)\b|(?:publishdate|pubdate|expirydate|unpublishdate)["']?\s*[:=]\s*["']?\d)"#,
        )
        .ok()
    });
    let telling = TELLING.as_ref()?;
    let blank = body.lines().take_while(|line| line.trim().is_empty()).count();
    let lines = body.lines().enumerate().skip(blank);
    // Below front matter only what follows at once, as where it was closed too early.
    let is_near = |(number, line): &(usize, &str)| {
        if has_front_matter { !line.trim().is_empty() } else { *number < blank + LOOKED_AT }
    };
    lines.take_while(is_near).find(|(_, line)| line.len() < 200 && telling.is_match(line)).map(|(number, _)| number)
}
