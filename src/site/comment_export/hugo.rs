//! The folder of data files in a Hugo site: each written whole or not at all, only where something differs, and never
//! over another program's file. Our files say so in their first line, so that nothing need be remembered across a
//! crash.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clock::Timestamp;
use serde_json::{Map, Value};
use tempfile::NamedTempFile;

use super::Report;

/// Where the files are, in the root folder of a site.
pub const FOLDER: &str = "data/fediverse";

/// The file that maps pages to their files.
pub(crate) const INDEX: &str = "index";

/// How each of our files begins.
const MARK: &str = "{\n  \"veerpont\": \"";

const WORD: &str = "written by Veerpont, which writes over it";

/// Names of unfinished files begin and end so; builds ignore them.
const UNDER_WAY: (&str, &str) = (".veerpont-", ".tmp");

/// An unfinished file of this age was left behind by a crash.
const LEFT_BEHIND: Duration = Duration::from_hours(1);

#[derive(Clone, Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Opens the folder in a site's root, and makes it where it is not there yet.
    ///
    /// # Errors
    /// When the site is not there, or the folder cannot be made or leads out of it.
    pub(crate) fn open(site: &Path) -> anyhow::Result<Self> {
        anyhow::ensure!(
            site.is_dir(),
            "{} is no folder; name the root folder of the Hugo site, where its configuration is",
            site.display()
        );
        Ok(Self(made_inside(site, FOLDER)?))
    }

    /// Writes a file, if it differs from what is there.
    ///
    /// # Errors
    /// When another program's file has this name, or it cannot be written.
    pub(crate) fn put(&self, name: &str, document: Map<String, Value>, report: &mut Report) -> anyhow::Result<()> {
        let path = self.path(name);
        let bytes = bytes(document)?;
        match path.symlink_metadata() {
            Ok(_) => {
                let is_ours = is_ours(&path);
                anyhow::ensure!(is_ours, "{} was not written by Veerpont, so it stays; move it away", path.display());
                if fs::read(&path).with_context(|| format!("cannot read {}", path.display()))? == bytes {
                    report.unchanged += 1;
                    return Ok(());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
        self.replace(&path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
        report.written += 1;
        Ok(())
    }

    /// Removes our files that are not among these, and what a crash left behind.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file of ours cannot be removed.
    pub(crate) fn keep_only(
        &self,
        names: &BTreeSet<String>,
        now: Timestamp,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let cannot_read = || format!("cannot read {}", self.0.display());
        for entry in fs::read_dir(&self.0).with_context(cannot_read)? {
            let path = entry.with_context(cannot_read)?.path();
            let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let name = file.strip_suffix(".json");
            let is_stale = name.is_some_and(|name| !names.contains(name)) && is_ours(&path);
            let (start, end) = UNDER_WAY;
            let is_left_behind = file.starts_with(start) && file.ends_with(end) && is_older(&path, now);
            if is_stale || is_left_behind {
                fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
                report.removed += u64::from(is_stale);
            }
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.json"))
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = under_way(&self.0)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // The new name must survive a power cut too; where a folder cannot be opened as a file, the system takes care
        // of it.
        File::open(&self.0).map_or(Ok(()), |folder| folder.sync_all())
    }
}

/// Creates a folder in a site's root, where it is not there yet. A symbolic link is refused: whoever may write into the
/// site could make us write elsewhere, and Hugo would not follow it either.
pub(super) fn made_inside(site: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let root = site.canonicalize().with_context(|| format!("cannot read {}", site.display()))?;
    let mut folder = site.to_path_buf();
    for part in Path::new(name) {
        folder.push(part);
        match folder.canonicalize() {
            Ok(real) => anyhow::ensure!(
                real.starts_with(&root),
                "{} leads out of the site, to {}; put a folder in its place",
                folder.display(),
                real.display()
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", folder.display())),
        }
    }
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make the folder {}; let this user write there", folder.display()))?;
    Ok(folder)
}

/// A new file, which gets its name when it is whole.
pub(super) fn under_way(folder: &Path) -> io::Result<NamedTempFile> {
    let (start, end) = UNDER_WAY;
    let mut builder = tempfile::Builder::new();
    builder.prefix(start).suffix(end);
    #[cfg(unix)]
    {
        // Whoever builds the site must be able to read it.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    builder.tempfile_in(folder)
}

/// A document as it is in its file, with our mark.
fn bytes(document: Map<String, Value>) -> serde_json::Result<Vec<u8>> {
    let mut marked = Map::new();
    marked.insert("veerpont".to_owned(), WORD.into());
    marked.extend(document);
    let mut bytes = serde_json::to_vec_pretty(&marked)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn is_ours(path: &Path) -> bool {
    let mut start = vec![0; MARK.len()];
    let is_file = path.symlink_metadata().is_ok_and(|meta| meta.is_file());
    is_file && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == MARK.as_bytes()
}

fn is_older(path: &Path, now: Timestamp) -> bool {
    let changed = path.symlink_metadata().and_then(|meta| meta.modified());
    changed.is_ok_and(|changed| now.since(changed.into()) > LEFT_BEHIND)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long after any file was written.
    const LATER: Timestamp = Timestamp::from_millis(i64::MAX / 2);

    fn document(text: &str) -> Map<String, Value> {
        Map::from_iter([("key".to_owned(), text.into())])
    }

    fn names(all: &[&str]) -> BTreeSet<String> {
        all.iter().map(ToString::to_string).collect()
    }

    fn there(site: &Path) -> Vec<String> {
        let entries = fs::read_dir(site.join(FOLDER)).expect("a folder");
        let mut all: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        all.sort();
        all
    }

    #[test]
    fn only_what_differs_is_written() {
        let site = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(site.path()).expect("a folder");
        let mut report = Report::default();
        let mut put = |text| folder.put("a", document(text), &mut report).expect("written");
        put("one");
        let file = site.path().join(FOLDER).join("a.json");
        let before = fs::metadata(&file).expect("a file");
        put("one");
        let after = fs::metadata(&file).expect("a file");
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, PermissionsExt};
            assert_eq!((before.ino(), after.permissions().mode() & 0o777), (after.ino(), 0o644), "the same file");
        }
        assert_eq!(before.modified().expect("a time"), after.modified().expect("a time"));
        put("two");
        let text = fs::read_to_string(&file).expect("a file");
        assert_eq!(text, format!("{{\n  \"veerpont\": \"{WORD}\",\n  \"key\": \"two\"\n}}\n"));
        assert_eq!(report, Report { written: 2, unchanged: 1, removed: 0 });
        assert_eq!(there(site.path()), ["a.json"], "nothing is left under way");
    }

    #[test]
    fn what_is_not_ours_stays() {
        let site = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(site.path()).expect("a folder");
        let mut report = Report::default();
        let own = site.path().join(FOLDER).join("own.json");
        fs::write(&own, "{\"a\": 1}").expect("a file");
        let refused = folder.put("own", document("x"), &mut report).expect_err("not ours").to_string();
        assert!(refused.contains("own.json") && refused.contains("move it away"), "{refused}");
        folder.put("stale", document("x"), &mut report).expect("written");
        folder.put("kept", document("x"), &mut report).expect("written");
        fs::write(site.path().join(FOLDER).join("notes.txt"), "mine").expect("a file");
        fs::create_dir(site.path().join(FOLDER).join("folder.json")).expect("a folder");
        folder.keep_only(&names(&["kept"]), LATER, &mut report).expect("tidied");
        assert_eq!(there(site.path()), ["folder.json", "kept.json", "notes.txt", "own.json"]);
        assert_eq!(fs::read_to_string(&own).expect("a file"), "{\"a\": 1}");
        assert_eq!(report, Report { written: 2, unchanged: 0, removed: 1 });
    }

    #[cfg(unix)]
    #[test]
    fn no_link_leads_to_what_is_not_ours() {
        use std::os::unix::fs::symlink;
        let (site, elsewhere) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let folder = Folder::open(site.path()).expect("a folder");
        let mut report = Report::default();
        folder.put("a", document("x"), &mut report).expect("written");
        // Even one that leads to a file with our mark is somebody else's.
        let theirs = elsewhere.path().join("theirs.json");
        fs::copy(site.path().join(FOLDER).join("a.json"), &theirs).expect("a file");
        let before = fs::read(&theirs).expect("a file");
        symlink(&theirs, site.path().join(FOLDER).join("b.json")).expect("a link");
        let refused = folder.put("b", document("y"), &mut report).expect_err("a link").to_string();
        assert!(refused.contains("b.json was not written by Veerpont"), "{refused}");
        folder.keep_only(&names(&[]), LATER, &mut report).expect("tidied");
        assert_eq!((there(site.path()), fs::read(&theirs).expect("a file")), (vec!["b.json".to_owned()], before));

        for (link, below) in [("data", ""), ("data/fediverse", "data")] {
            let site = tempfile::tempdir().expect("a folder");
            fs::create_dir_all(site.path().join(below)).expect("a folder");
            symlink(elsewhere.path(), site.path().join(link)).expect("a link");
            let refused = Folder::open(site.path()).expect_err("it leads away").to_string();
            assert!(refused.contains("leads out of the site"), "{refused}");
            assert_eq!(fs::read_dir(elsewhere.path()).expect("a folder").count(), 1, "nothing was made there");
        }
        // The site itself may be reached by one.
        let way = elsewhere.path().join("way");
        symlink(site.path(), &way).expect("a link");
        assert!(Folder::open(&way).is_ok());
    }

    #[test]
    fn what_a_crash_left_behind_goes_and_what_is_under_way_stays() {
        let site = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(site.path()).expect("a folder");
        let left = site.path().join(FOLDER).join(".veerpont-abc.tmp");
        fs::write(&left, "half").expect("a file");
        let now = Timestamp::from(fs::metadata(&left).expect("a file").modified().expect("a time"));
        folder.keep_only(&names(&[]), now + Duration::from_mins(5), &mut Report::default()).expect("tidied");
        assert!(left.exists());
        let mut report = Report::default();
        folder.keep_only(&names(&[]), now + Duration::from_hours(2), &mut report).expect("tidied");
        assert!(!left.exists());
        assert_eq!(report, Report::default(), "it was never one of the files");
    }

    #[test]
    fn a_site_that_is_not_there_is_told() {
        let told = Folder::open(Path::new("/nowhere/at/all")).expect_err("no site").to_string();
        assert!(told.contains("/nowhere/at/all is no folder"), "{told}");
    }
}
