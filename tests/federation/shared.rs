//! The shared corpus: a real site's tree, and what Hugo makes of it.

use std::path::PathBuf;

use crate::support::say;

/// The folder of the corpus, or `None` where it may be absent.
pub(crate) fn corpus() -> Option<PathBuf> {
    let shared = std::env::var_os("VEERPONT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join("corpus/alkemio-foundation");
    if folder.is_dir() {
        return Some(folder.canonicalize().expect("a path"));
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI=true asks for the corpus at {}", folder.display());
    say(&format!("SKIPPED: the shared corpus is not at {}; set VEERPONT_SHARED to its folder", folder.display()));
    None
}
