//! What a tree looks like without reading it: as long as that is the same, a scan would bring the same (ADR 8).

use std::fs::Metadata;
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use clock::Timestamp;
use walkdir::{DirEntry, WalkDir};

use super::hash::hex;

/// Folders of a site that no scan reads: what builds leave there, and what we hand back ourselves, would only make us look.
const PASSED_OVER: &[&str] = &["public", "resources/_gen", "node_modules", "data/fediverse"];

/// Counts up when a new program reads the same files otherwise, so that they are read anew after an upgrade.
pub const READING: u32 = 2;

/// Milliseconds. A file that changed so shortly before the scan may change again within the file system's own grain of
/// time, unseen.
const FRESH: i64 = 2000;

/// A tree as its metadata show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeState {
    /// SHA-256 in hex.
    pub sum: String,
    /// Whether some file is too fresh to trust it: it may be compared, but not kept.
    pub is_fresh: bool,
}

/// Looks at every file below `root`. `seed` is whatever else decides what a scan brings. `None` when not everything
/// can be looked at: then the scan tells.
#[must_use]
pub fn stamp(root: &Path, seed: &str, now: Timestamp) -> Option<TreeState> {
    let top = root.canonicalize().ok()?;
    let mut look = MetadataHash::new(seed);
    let read = |entry: &DirEntry| {
        let below = entry.path().strip_prefix(&top).unwrap_or(entry.path());
        entry.file_name() != ".git" && !PASSED_OVER.iter().any(|passed_over| below == Path::new(passed_over))
    };
    for entry in WalkDir::new(&top).sort_by_file_name().into_iter().filter_entry(read) {
        let entry = entry.ok()?;
        look.at(entry.path(), entry.path().strip_prefix(&top).ok()?)?;
    }
    Some(look.finish(now))
}

/// A look at files' metadata, under way.
pub(super) struct MetadataHash {
    sum: Context,
    /// Milliseconds.
    newest: i64,
}

impl MetadataHash {
    pub(super) fn new(seed: &str) -> Self {
        let mut sum = Context::new(&SHA256);
        sum.update(seed.as_bytes());
        Self { sum, newest: i64::MIN }
    }

    /// Looks at a file or folder, and where it leads if it is a link; it is called `name`. `None` when that cannot be.
    pub(super) fn at(&mut self, path: &Path, name: &Path) -> Option<()> {
        let meta = path.symlink_metadata().ok()?;
        self.add(name, &meta);
        if meta.is_symlink() {
            // Where it leads decides too. A folder in here is walked for itself, and one elsewhere is not read.
            match path.metadata() {
                Ok(target) => self.add(name, &target),
                Err(_) => self.nowhere(name),
            }
        }
        Some(())
    }

    /// Takes in that nothing is there.
    pub(super) fn nowhere(&mut self, name: &Path) {
        self.name(name);
        self.sum.update(b"nowhere");
    }

    /// Takes in what is there.
    pub(super) fn add(&mut self, name: &Path, meta: &Metadata) {
        let numbers = numbers(meta);
        if !meta.is_dir() {
            self.newest = self.newest.max(numbers.changed);
        }
        self.name(name);
        for number in numbers.all {
            self.sum.update(&number.to_le_bytes());
        }
    }

    fn name(&mut self, name: &Path) {
        let name = name.as_os_str().as_encoded_bytes();
        self.sum.update(&name.len().to_le_bytes());
        self.sum.update(name);
    }

    pub(super) fn finish(self, now: Timestamp) -> TreeState {
        TreeState { sum: hex(self.sum.finish().as_ref()), is_fresh: self.newest > now.millis() - FRESH }
    }
}

struct Numbers {
    all: [i64; 7],
    /// Milliseconds.
    changed: i64,
}

#[cfg(unix)]
fn numbers(meta: &Metadata) -> Numbers {
    use std::os::unix::fs::MetadataExt;
    let changed = meta.ctime().max(meta.mtime()).saturating_mul(1000).saturating_add(999);
    let mode = i64::from(meta.mode());
    // What a folder holds is told by its files; its own times change with each of them.
    if meta.is_dir() {
        return Numbers { all: [0, mode, 0, 0, 0, 0, 0], changed };
    }
    let [length, inode] = [meta.len(), meta.ino()].map(u64::cast_signed);
    let all = [length, mode, inode, meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
    Numbers { all, changed }
}

/// Elsewhere nothing tells a change for sure, so that every tree counts as changed just now.
#[cfg(not(unix))]
fn numbers(meta: &Metadata) -> Numbers {
    Numbers { all: [meta.len().cast_signed(), 0, 0, 0, 0, 0, 0], changed: i64::MAX }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// Long after any file was written.
    const LATER: Timestamp = Timestamp::from_millis(i64::MAX / 2);

    fn sum(root: &Path) -> String {
        let stamp = super::stamp(root, "seed", LATER).expect("a stamp");
        assert!(!stamp.is_fresh);
        stamp.sum
    }

    #[test]
    fn every_change_shows_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, elsewhere) = (folder.path().join("site"), folder.path().join("elsewhere"));
        let file = |name: &str| root.join(name);
        fs::create_dir_all(file("content/post")).expect("folders");
        fs::write(file("content/post/a.md"), "one").expect("a file");
        fs::write(&elsewhere, "x").expect("a file");
        let mut before = sum(&root);
        assert_eq!(sum(&root), before);
        assert_ne!(stamp(&root, "another", LATER).expect("a stamp").sum, before, "other settings");
        let touched = file("content/post/a.md");
        let steps: &[(&str, &dyn Fn())] = &[
            ("same length", &|| {
                // As an editor does: another file in the place of the first.
                fs::write(file("content/post/b.md"), "two").expect("a file");
                fs::rename(file("content/post/b.md"), &touched).expect("renamed");
            }),
            ("another length", &|| fs::write(&touched, "three").expect("a file")),
            ("one more", &|| fs::write(file("content/post/b.md"), "b").expect("a file")),
            ("renamed", &|| fs::rename(file("content/post/b.md"), file("content/post/c.md")).expect("renamed")),
            ("removed", &|| fs::remove_file(file("content/post/c.md")).expect("removed")),
            ("an empty folder", &|| fs::create_dir(file("static")).expect("a folder")),
            ("configuration", &|| fs::write(file("hugo.toml"), "").expect("a file")),
            ("a link", &|| std::os::unix::fs::symlink(&elsewhere, file("content/post/l.md")).expect("a link")),
            ("where a link leads", &|| fs::write(&elsewhere, "changed").expect("a file")),
            ("where it leads is gone", &|| fs::remove_file(&elsewhere).expect("removed")),
        ];
        for (what, step) in steps {
            step();
            let after = sum(&root);
            assert_ne!(after, before, "{what}");
            assert_eq!(sum(&root), after, "{what}");
            before = after;
        }
        fs::create_dir(file("resources")).expect("a folder");
        fs::create_dir(file("data")).expect("a folder");
        before = sum(&root);
        for passed_over in ["public", "resources/_gen", "node_modules", "data/fediverse", ".git", "content/post/.git"] {
            fs::create_dir_all(file(passed_over)).expect("a folder");
            fs::write(file(passed_over).join("x"), "x").expect("a file");
            assert_eq!(sum(&root), before, "{passed_over}");
        }
        fs::create_dir(file("content/public")).expect("a folder");
        assert_ne!(sum(&root), before, "only at the top");
    }

    #[test]
    fn a_file_of_this_moment_is_not_trusted() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("a"), "a").expect("a file");
        let changed = fs::metadata(folder.path().join("a")).expect("metadata").ctime() * 1000;
        let at = |later: i64| stamp(folder.path(), "", Timestamp::from_millis(changed + later)).expect("a stamp");
        assert!(at(500).is_fresh && at(2500).is_fresh && !at(3000).is_fresh);
        assert_eq!(at(500).sum, at(9000).sum);
        assert_eq!(stamp(&folder.path().join("nowhere"), "", LATER), None);
    }
}
