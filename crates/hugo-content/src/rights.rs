//! Whose a file is that this program may not read, and what to do about it.

use std::io::ErrorKind;
use std::path::Path;

/// Bytes of a path that is named in full.
const LONGEST: usize = 200;

/// What stands in the way of reading a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hindrance {
    /// Nothing is there.
    Missing,
    /// It is a file.
    NoFolder,
    /// It is there, and this program may not look into it.
    NoRights,
    /// It is there, and nothing is in it.
    Empty,
}

/// Looks whether a folder can be read and holds anything.
pub(crate) fn look(folder: &Path) -> Option<Hindrance> {
    match folder.read_dir() {
        Ok(mut entries) => entries.next().is_none().then_some(Hindrance::Empty),
        Err(error) => Some(match error.kind() {
            ErrorKind::PermissionDenied => Hindrance::NoRights,
            ErrorKind::NotADirectory => Hindrance::NoFolder,
            _ => Hindrance::Missing,
        }),
    }
}

/// Whose the first file or folder on the way to `path` is that cannot be looked into, who we are, and what to do.
pub(crate) fn advice(path: &Path) -> String {
    let mut above: Vec<&Path> = path.ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
    above.reverse();
    // The last that can be seen is the one that lets nobody further.
    let seen = above.into_iter().take_while(|part| part.symlink_metadata().is_ok()).last().unwrap_or(path);
    match owner(seen) {
        Some((owner, mode)) => {
            let us = owner_of_this_program().map_or_else(|| "another user".to_owned(), |us| format!("user {us}"));
            let name = seen.display().to_string();
            let name = if name.len() > LONGEST { "it".to_owned() } else { name };
            format!(
                "{name} belongs to user {owner} with mode {mode:03o}, and this program runs as {us}; let that user read it, as \
                 with its group and `chmod -R g+rX`, or run this program as user {owner}"
            )
        }
        None => format!("let the user who runs this program read {}", seen.display()),
    }
}

#[cfg(unix)]
fn owner(path: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = path.metadata().ok()?;
    Some((meta.uid(), meta.mode() & 0o7777))
}

#[cfg(not(unix))]
fn owner(_: &Path) -> Option<(u32, u32)> {
    None
}

fn owner_of_this_program() -> Option<u32> {
    owner(Path::new("/proc/self")).map(|(owner, _)| owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_missing_a_file_or_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(look(folder.path()), Some(Hindrance::Empty));
        assert_eq!(look(&folder.path().join("none")), Some(Hindrance::Missing));
        std::fs::write(folder.path().join("file"), "").expect("a file");
        assert_eq!(look(&folder.path().join("file")), Some(Hindrance::NoFolder));
        assert_eq!(look(folder.path()), None);
    }

    #[cfg(unix)]
    #[test]
    fn whose_it_is_is_told() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o710)).expect("rights");
        let advice = advice(&folder.path().join("site"));
        let start = format!("{} belongs to user ", folder.path().display());
        assert!(
            advice.starts_with(&start) && advice.contains("mode 710") && advice.contains("runs as user"),
            "{advice}"
        );
    }
}
