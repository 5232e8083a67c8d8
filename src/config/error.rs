//! What is wrong with the configuration, where, and what to do about it.

use std::fmt;
use std::io;
use std::ops::Range;

use regex::Regex;
use toml::Spanned;

use crate::base::rights::{self, Need};

/// One thing that is wrong with the configuration: a clear sentence, its place, and what to do. It never contains
/// a password or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file as the operator named it, or the environment variable.
    place: String,
    /// Line and column, the latter in characters, both counted from 1.
    pub(super) position: Option<(usize, usize)>,
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) hint: String,
}

impl ConfigError {
    pub(super) fn unreadable(path: &str, error: &io::Error) -> Self {
        let denied = rights::denied(std::path::Path::new(path), Need::Read);
        let (message, hint) = match error.kind() {
            _ if denied.is_some() => ("the configuration file cannot be read".to_owned(), denied.unwrap_or_default()),
            io::ErrorKind::NotFound => (
                "there is no configuration file here".to_owned(),
                "write one with `veerpont init --origin https://social.example.org …` (`veerpont init --help` lists \
                 what it asks), or say where yours is with `--config FILE`"
                    .to_owned(),
            ),
            io::ErrorKind::InvalidData => {
                ("the file is not UTF-8 text".to_owned(), "save it as UTF-8, or name the right file".to_owned())
            }
            _ => (
                format!("the configuration file cannot be read ({error})"),
                "let the user who runs veerpont read it, or name another with `--config FILE`".to_owned(),
            ),
        };
        Self { place: path.to_owned(), position: None, message, hint }
    }

    pub(super) fn in_variable(name: &str, fault: Fault) -> Self {
        Self { place: name.to_owned(), position: None, message: fault.message, hint: fault.hint }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}; {}", self.message, self.hint)
    }
}

impl std::error::Error for ConfigError {}

/// What is wrong with one value, before it is known where the value stood.
#[derive(Debug)]
pub(super) struct Fault {
    message: String,
    hint: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

/// The text being read, to say where in it something is wrong.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl Page<'_> {
    /// Reads a value, and gives a fault of it the value's place.
    pub(super) fn read<T, V>(
        self,
        value: &Spanned<T>,
        read: impl FnOnce(&T) -> Result<V, Fault>,
    ) -> Result<V, ConfigError> {
        read(value.get_ref()).map_err(|fault| self.at(Some(value.span()), fault))
    }

    pub(super) fn at(self, span: Option<Range<usize>>, fault: Fault) -> ConfigError {
        ConfigError {
            place: self.name.to_owned(),
            position: span.map(|span| self.position(span.start)),
            message: fault.message,
            hint: fault.hint,
        }
    }

    /// What the TOML reader refused, in our words. Its own display is not used: it quotes the line, and a line may
    /// hold a password.
    pub(super) fn syntax(self, error: &toml::de::Error) -> ConfigError {
        let message = error.message();
        let fault = self
            .unknown_key(message, error.span())
            .or_else(|| self.missing_key(message, error.span()))
            .or_else(|| wrong_type(message))
            .unwrap_or_else(|| {
                Fault::new(
                    format!("this is not TOML: {}", without_quoted(message)),
                    "see https://toml.io for the form; text stands in double quotes",
                )
            });
        self.at(error.span(), fault)
    }

    fn unknown_key(self, message: &str, span: Option<Range<usize>>) -> Option<Fault> {
        let (key, known) = message.strip_prefix("unknown field `")?.split_once('`')?;
        let mut known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        known.sort_unstable();
        let place = self.section(span).map_or(" at the top level".to_owned(), |section| format!(" in {section}"));
        Some(Fault::new(format!("unknown key \"{key}\"{place}"), format!("known keys: {}", known.join(", "))))
    }

    fn missing_key(self, message: &str, span: Option<Range<usize>>) -> Option<Fault> {
        let key = message.strip_prefix("missing field `")?.trim_end_matches('`');
        if key == "server" {
            return Some(Fault::new(
                "there is no [server] section",
                "add `[server]` with `origin = \"https://…\"`, the address where remote servers reach us",
            ));
        }
        let end = span.map(|span| span.start..span.end.max(span.start + 1));
        let section = self.section_of_header(end).unwrap_or_else(|| "this section".to_owned());
        Some(Fault::new(
            format!("\"{key}\" is missing in {section}"),
            format!("add `{key} = …`; config/veerpont.example.toml explains it"),
        ))
    }

    /// The section in which a key stands, as its header is written. A header that is itself unknown stands in the
    /// section before its last dot.
    fn section(self, span: Option<Range<usize>>) -> Option<String> {
        let start = span?.start;
        let (line, _) = self.position(start);
        let mut above = self.text.lines().take(line).map(str::trim).collect::<Vec<_>>();
        let own = above.pop()?;
        if own.starts_with('[') {
            let name = own.trim_start_matches('[').split(']').next()?;
            return name.rsplit_once('.').map(|(parent, _)| format!("[{parent}]"));
        }
        above.into_iter().rev().find_map(header)
    }

    fn section_of_header(self, span: Option<Range<usize>>) -> Option<String> {
        let (line, _) = self.position(span?.start);
        self.text.lines().take(line).collect::<Vec<_>>().into_iter().rev().map(str::trim).find_map(header)
    }

    fn position(self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
        (before.matches('\n').count() + 1, column + 1)
    }
}

fn header(line: &str) -> Option<String> {
    let end = line.rfind(']')?;
    line.starts_with('[').then(|| line.get(..=end).unwrap_or(line).to_owned())
}

fn wrong_type(message: &str) -> Option<Fault> {
    let (found, expected) = message.strip_prefix("invalid type: ")?.rsplit_once(", expected ")?;
    let found = found.split_whitespace().next()?;
    let expected = match expected {
        "a boolean" => "true or false",
        "a sequence" => "a list in square brackets",
        "a string" => "text in double quotes",
        expected if expected.starts_with("struct ") => "a section with keys of its own",
        expected => expected,
    };
    Some(Fault::new(format!("this is of the wrong kind ({found})"), format!("write {expected}")))
}

/// The message without what stands in quotes, which may be a value of the operator's.
fn without_quoted(message: &str) -> String {
    Regex::new("\"[^\"]*\"").map_or_else(|_| String::new(), |quoted| quoted.replace_all(message, "\"…\"").into_owned())
}
