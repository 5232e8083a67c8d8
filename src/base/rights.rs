//! Errors of rights, told so that they can be mended: whose a file or folder is, which user we are, and the line to run.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What is to be done with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Read the file, or list the folder.
    Read,
    /// Read and write the file, or make it.
    Write,
}

/// Why `path` cannot be used as it is needed, if rights are the reason: whose the file or folder in the way is, which user we
/// are, and what to do. `None` when rights are not at fault.
pub(crate) fn denied(path: &Path, need: Need) -> Option<String> {
    let (culprit, child) = culprit(path, need)?;
    // A child that may not be looked at is closed off by its folder.
    Some(told(&culprit, child))
}

/// The path that is in the way, and whether it is only a folder on the way.
fn culprit(path: &Path, need: Need) -> Option<(PathBuf, bool)> {
    let absolute = std::path::absolute(path).ok()?;
    let shown = |at: &Path| if at == absolute { path.to_owned() } else { at.to_owned() };
    for at in absolute.ancestors() {
        match std::fs::metadata(at) {
            Ok(found) if at == absolute && !found.is_dir() => return is_closed(at, need).then(|| (shown(at), false)),
            Ok(found) if at == absolute && need == Need::Read => {
                return (found.is_dir() && is_denied(std::fs::read_dir(at).err())).then(|| (shown(at), false));
            }
            Ok(_) => return is_denied(tempfile::tempfile_in(at).err()).then(|| (shown(at), at != absolute)),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                // Its folder is closed, unless that cannot be looked at either.
                let folder = at.parent()?;
                if std::fs::metadata(folder).is_ok() {
                    return Some((folder.to_owned(), true));
                }
            }
            Err(_) if need == Need::Read => return None,
            Err(_) => {}
        }
    }
    None
}

fn is_closed(file: &Path, need: Need) -> bool {
    let mut options = std::fs::OpenOptions::new();
    is_denied(options.read(true).write(need == Need::Write).open(file).err())
}

fn is_denied(error: Option<std::io::Error>) -> bool {
    error.is_some_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

#[cfg(unix)]
fn told(culprit: &Path, is_folder_on_the_way: bool) -> String {
    use std::os::unix::fs::MetadataExt;
    let thing = if is_folder_on_the_way || culprit.is_dir() { "the folder" } else { "the file" };
    let shown = culprit.display();
    let Ok(owner) = std::fs::metadata(culprit).map(|found| found.uid()) else {
        return format!("{thing} {shown} is closed to this user; run veerpont as the user who owns it");
    };
    let Some(us) = our_uid() else {
        return format!("{thing} {shown} belongs to {}; run veerpont as that user", name(owner));
    };
    if owner == us {
        return format!(
            "{thing} {shown} belongs to this user, {}, but its mode forbids it: run `chmod u+rwX {shown}`",
            name(us)
        );
    }
    let (owner, us) = (name(owner), name(us));
    format!(
        "{thing} {shown} belongs to {owner}, and this user is {us}: run it as {owner} (`sudo -u {owner} veerpont …`), or give it away: `sudo chown -R {us} {shown}`"
    )
}

#[cfg(not(unix))]
fn told(culprit: &Path, _: bool) -> String {
    format!("{} is closed to this user; run veerpont as the user who owns it", culprit.display())
}

/// The user whose rights this process has, where the system says so.
#[cfg(unix)]
fn our_uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").ok().map(|found| found.uid())
}

/// A user's name, or their number where they have none here.
#[cfg(unix)]
fn name(uid: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    named(&users, uid).unwrap_or_else(|| uid.to_string())
}

/// The name of a user in the words of `/etc/passwd`.
#[cfg(unix)]
fn named(users: &str, uid: u32) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// The name of the user whose rights this process has: who decided something on the command line.
pub(crate) fn us() -> Option<String> {
    #[cfg(unix)]
    return our_uid().map(name);
    #[cfg(not(unix))]
    return std::env::var("USERNAME").ok();
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Need, denied, named, told, us};

    #[test]
    fn a_users_name_is_found() {
        let users = "root:x:0:0:root:/root:/bin/bash\nodd\nveerpont:x:998:997::/var/lib/veerpont:/bin/false\n";
        assert_eq!(named(users, 998).as_deref(), Some("veerpont"));
        assert_eq!(named(users, 0).as_deref(), Some("root"));
        assert_eq!(named(users, 997), None);
    }

    #[test]
    fn what_is_missing_is_no_matter_of_rights() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(denied(&folder.path().join("none"), Need::Read), None);
        assert_eq!(denied(&folder.path().join("none"), Need::Write), None);
        assert_eq!(denied(folder.path(), Need::Read), None);
    }

    #[test]
    fn the_text_says_whose_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = told(folder.path(), true);
        let us = us().expect("a user");
        assert!(text.contains(&format!("belongs to this user, {us}")) && text.contains("chmod u+rwX"), "{text}");
    }
}
