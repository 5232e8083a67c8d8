//! What stands beside the project in `../shared`: a real site's tree, and inputs that once failed.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::say;

/// The folder of the corpus, or `None` where it may be absent.
pub(crate) fn corpus() -> Option<PathBuf> {
    folder("corpus/alkemio-foundation")
}

/// A folder of `../shared`; where it is not, that is said aloud.
///
/// # Panics
/// When it is not there and must be (`CI=true`).
fn folder(place: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("VEERPONT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join(place);
    if folder.is_dir() {
        return Some(folder.canonicalize().expect("a path"));
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI=true asks for {}", folder.display());
    say(&format!("SKIPPED: {} is not there; set VEERPONT_SHARED to the shared folder", folder.display()));
    None
}

/// One of `cases/`: inputs made after public bug reports of other programs.
pub(crate) struct Case(PathBuf);

/// What of ours stands in a case's inputs in place of its own bridge and keys.
#[derive(Clone, Copy, Default)]
pub(crate) struct LocalAddresses<'a> {
    /// In place of `http://bridge.test/ap/actors/…`.
    pub(crate) actor: &'a str,
    /// In place of `http://bridge.test/ap/articles/…`.
    pub(crate) article: &'a str,
    /// In place of `http://site.test/…`.
    pub(crate) page: &'a str,
    /// In place of each public key.
    pub(crate) pem: &'a str,
}

impl Case {
    /// The case whose folder begins with this number, or `None` where the cases may be absent.
    pub(crate) fn open(number: u32) -> Option<Self> {
        let cases = folder("cases")?;
        let start = format!("{number:02}-");
        let mut all = std::fs::read_dir(&cases).expect("a folder").map(|entry| entry.expect("an entry").path());
        let is_it = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&start));
        Some(Self(all.find(is_it).unwrap_or_else(|| panic!("no case {start} in {}", cases.display()))))
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// One of its documents, with what is ours in it, and other servers reached by https.
    pub(crate) fn document(&self, file: &str, ours: LocalAddresses<'_>) -> Value {
        let text = std::fs::read_to_string(self.0.join(file)).expect("a file of the case");
        let mut document = serde_json::from_str(&text).expect("JSON");
        put(&mut document, ours);
        document
    }
}

fn put(value: &mut Value, ours: LocalAddresses<'_>) {
    match value {
        Value::String(text) => {
            for (start, instead) in [
                ("http://bridge.test/ap/actors/", ours.actor),
                ("http://bridge.test/ap/articles/", ours.article),
                ("http://site.test/", ours.page),
                ("-----BEGIN PUBLIC KEY-----", ours.pem),
            ] {
                if text.starts_with(start) {
                    instead.clone_into(text);
                    return;
                }
            }
            if let Some(rest) = text.strip_prefix("http://") {
                *text = format!("https://{rest}");
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|member| put(member, ours)),
        Value::Object(properties) => properties.values_mut().for_each(|member| put(member, ours)),
        _ => {}
    }
}
