//! Reads one file of a site and takes it apart; what is wrong with it is told, and stops nothing else.

use std::io::{ErrorKind, Read};
use std::path::Path;

use super::frontmatter::{self, Document};
use super::{count, yaml};
use crate::rights;
use crate::scan::Warning;

/// Bytes; no page that people wrote is longer.
pub(super) const MAX_FILE: u64 = 2 * 1024 * 1024;

/// What is to be told of files that were read.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) warnings: Vec<Warning>,
    /// Whether something could not be looked at.
    pub(super) is_partial: bool,
}

impl Told {
    pub(super) fn warn(&mut self, file: &str, line: Option<u64>, message: String) {
        self.warnings.push(Warning { file: file.to_owned(), line, message });
    }
}

/// A file taken apart, and its name for people; what is wrong with it goes to the warnings.
pub(super) fn document(root: &Path, path: &Path, told: &mut Told) -> Option<(String, Document)> {
    let name = relative(root, path);
    let text = match read_text(path) {
        Ok(text) => text,
        Err(Unreadable::Io(error)) => {
            told.is_partial = true;
            let remedy = match error.kind() {
                ErrorKind::NotFound => "it went away while the site was read, and the next scan looks again".to_owned(),
                ErrorKind::PermissionDenied => rights::advice(path),
                _ => "see to its disk".to_owned(),
            };
            let message =
                format!("it could not be read ({error}), so nothing counts as removed in this scan; {remedy}");
            told.warn(&name, None, message);
            return None;
        }
        Err(Unreadable::NoFile) => {
            let message = "it is a pipe, a socket or a device, and was not read; put an ordinary file there";
            told.warn(&name, None, message.to_owned());
            return None;
        }
        Err(Unreadable::TooLarge) => {
            told.warn(&name, None, "it is larger than 2 MiB and was not read; make it shorter".to_owned());
            return None;
        }
        Err(Unreadable::NotUtf8 { line }) => {
            told.warn(&name, Some(line), "it is not UTF-8 text and was not read; save it as UTF-8".to_owned());
            return None;
        }
    };
    match frontmatter::read(&text) {
        Ok(document) => {
            told.warnings.extend(document.duplicates.iter().map(|found| duplicate_warning(&name, found)));
            Some((name, document))
        }
        Err(error) => {
            let message =
                format!("its front matter cannot be read: {}; what was known of it stays as it was", error.message);
            told.warn(&name, error.line, message);
            None
        }
    }
}

/// Why a file is not text.
pub(super) enum Unreadable {
    Io(std::io::Error),
    NoFile,
    TooLarge,
    NotUtf8 { line: u64 },
}

/// The text of a file.
pub(super) fn read_text(path: &Path) -> Result<String, Unreadable> {
    // Opening a pipe or a device could wait for ever.
    if !std::fs::metadata(path).map_err(Unreadable::Io)?.is_file() {
        return Err(Unreadable::NoFile);
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(Unreadable::Io)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(Unreadable::Io)?;
    if count(bytes.len()) > MAX_FILE {
        return Err(Unreadable::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        Unreadable::NotUtf8 { line: count(good.split(|byte| *byte == b'\n').count()) }
    })
}

pub(super) fn duplicate_warning(file: &str, found: &yaml::Duplicate) -> Warning {
    Warning {
        file: file.to_owned(),
        line: Some(found.line),
        message: format!(
            "the key `{}` stands here a second time; the last one counts, as in Hugo before 0.152, and later versions \
             refuse the file; remove one",
            found.key
        ),
    }
}

/// A path below the root as people read it, with forward slashes.
pub(super) fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
