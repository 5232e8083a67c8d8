//! The partials that show the data files in a Hugo site: the files of `config/hugo`, written into the site.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Report;

/// Where they are, in the root folder of a site.
pub(crate) const FOLDER: &str = "layouts/partials/veerpont";

pub(crate) const ALL: [(&str, &str); 6] = [
    ("comments.html", include_str!("../../../config/hugo/layouts/partials/veerpont/comments.html")),
    ("data.html", include_str!("../../../config/hugo/layouts/partials/veerpont/data.html")),
    ("follow.html", include_str!("../../../config/hugo/layouts/partials/veerpont/follow.html")),
    ("head.html", include_str!("../../../config/hugo/layouts/partials/veerpont/head.html")),
    ("style.html", include_str!("../../../config/hugo/layouts/partials/veerpont/style.html")),
    ("words.html", include_str!("../../../config/hugo/layouts/partials/veerpont/words.html")),
];

/// Writes the partials into a site's root folder: all of them or none, and over files that differ only if `force` is
/// true.
///
/// # Errors
/// When the site is not there, a file differs, or one cannot be written.
pub fn write(site: &Path, force: bool) -> anyhow::Result<Report> {
    anyhow::ensure!(
        site.is_dir(),
        "{} is no folder; name the root folder of the Hugo site, where its configuration is",
        site.display()
    );
    let folder = site.join(FOLDER);
    let mut report = Report::default();
    let (mut due, mut changed) = (Vec::new(), Vec::new());
    for (name, text) in ALL {
        let path = folder.join(name);
        match read(&path)? {
            Some(there) if there == text.as_bytes() => report.unchanged += 1,
            there => {
                changed.extend(there.map(|_| path.display().to_string()));
                due.push((path, text));
            }
        }
    }
    anyhow::ensure!(
        force || changed.is_empty(),
        "changed since they were written, or somebody else's: {}; say --force to write over them",
        changed.join(", ")
    );
    let folder = super::hugo::made_inside(site, FOLDER)?;
    for (path, text) in due {
        replace(&folder, &path, text).with_context(|| format!("cannot write {}", path.display()))?;
        report.written += 1;
    }
    Ok(report)
}

fn read(path: &PathBuf) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(there) => Ok(Some(there)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

fn replace(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    let mut file = super::hugo::under_way(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_written_and_what_was_changed_stays() {
        let site = tempfile::tempdir().expect("a folder");
        let all = u64::try_from(ALL.len()).expect("a few");
        assert_eq!(write(site.path(), false).expect("written"), Report { written: all, ..Report::default() });
        assert_eq!(write(site.path(), false).expect("written"), Report { unchanged: all, ..Report::default() });
        let head = site.path().join(FOLDER).join("head.html");
        fs::write(&head, "mine").expect("a file");
        fs::remove_file(site.path().join(FOLDER).join("data.html")).expect("removed");
        let refused = write(site.path(), false).expect_err("changed").to_string();
        assert!(
            refused.contains("head.html") && refused.contains("--force") && !refused.contains("data.html"),
            "{refused}"
        );
        assert_eq!(fs::read_to_string(&head).expect("a file"), "mine");
        assert!(!site.path().join(FOLDER).join("data.html").exists(), "all or none");
        assert_eq!(write(site.path(), true).expect("written").written, 2);
        assert_ne!(fs::read_to_string(&head).expect("a file"), "mine");
        assert!(write(&site.path().join("nowhere"), false).expect_err("no site").to_string().contains("is no folder"));
    }

    #[test]
    fn every_file_of_the_folder_is_one_of_them() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/hugo").join(FOLDER);
        let mut there: Vec<String> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        there.sort();
        assert_eq!(there, ALL.map(|(name, _)| name));
    }
}
