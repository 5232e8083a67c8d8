//! Against repositories made here by the `git` program.

use std::process::Command;

use super::*;
use crate::config::Remote;

/// A repository that others push to, and our settings for it.
struct Forge {
    folder: tempfile::TempDir,
    repository: Repository,
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]).args(arguments);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let done = command.output().expect("git is installed");
    assert!(done.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text").trim().to_owned()
}

impl Forge {
    /// Holds one commit: `site/a.md` and `top.md`.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = Repository {
            remote: Remote::Local(folder.path().join("remote")),
            branch: None,
            folder: PathBuf::new(),
            history: false,
            checkout: folder.path().join("checkout"),
            token_file: None,
            ssh_key_file: None,
            ssh_known_hosts_file: None,
        };
        let forge = Self { folder, repository };
        std::fs::create_dir_all(forge.remote()).expect("a folder");
        git(&forge.remote(), &["init", "--quiet", "--initial-branch=main"]);
        forge.write("site/a.md", "one");
        forge.write("top.md", "top");
        forge.commit();
        forge
    }

    fn remote(&self) -> PathBuf {
        self.folder.path().join("remote")
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.remote().join(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("a file");
    }

    fn commit(&self) -> String {
        git(&self.remote(), &["add", "--all", "--force"]);
        git(&self.remote(), &["commit", "--quiet", "--message=more"]);
        git(&self.remote(), &["rev-parse", "HEAD"])
    }

    fn file(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.repository.files().join(path)).ok()
    }

    async fn update(&self) -> Result<Standing, GitError> {
        update(&self.repository).await
    }

    async fn fresh(&self) -> Standing {
        let standing = self.update().await.expect("files");
        assert!(standing.stale.is_none(), "{:?}", standing.stale);
        standing
    }

    /// The commit that is checked out.
    fn checked_out(&self) -> String {
        git(&self.repository.git_dir(), &["rev-parse", "HEAD"])
    }

    fn commits(&self) -> usize {
        let kept = self.repository.git_dir();
        git(&kept, &["rev-list", "--count", FETCHED]).parse().expect("a number")
    }
}

#[tokio::test]
async fn files_follow_the_branch_and_only_the_last_commit_is_fetched() {
    let forge = Forge::new();
    forge.fresh().await;
    assert_eq!(forge.checked_out().len(), 40);
    assert_eq!(forge.file("site/a.md").as_deref(), Some("one"));
    let untouched = std::fs::metadata(forge.repository.files().join("top.md")).and_then(|meta| meta.modified());

    forge.write("site/b.md", "two");
    std::fs::remove_file(forge.remote().join("site/a.md")).expect("removed");
    let commit = forge.commit();
    forge.fresh().await;
    assert_eq!(forge.checked_out(), commit);
    assert_eq!((forge.file("site/a.md"), forge.file("site/b.md").as_deref()), (None, Some("two")));
    assert_eq!(forge.commits(), 1);
    let after = std::fs::metadata(forge.repository.files().join("top.md")).and_then(|meta| meta.modified());
    assert_eq!(after.expect("a time"), untouched.expect("a time"), "what did not change is not written");
}

#[tokio::test]
async fn a_branch_that_was_rewritten_is_taken_as_it_is_now() {
    let forge = Forge::new();
    forge.write("site/b.md", "two");
    forge.commit();
    forge.fresh().await;
    git(&forge.remote(), &["reset", "--quiet", "--hard", "HEAD~1"]);
    forge.write("site/c.md", "three");
    let commit = forge.commit();
    forge.fresh().await;
    assert_eq!(forge.checked_out(), commit);
    assert_eq!((forge.file("site/b.md"), forge.file("site/c.md").as_deref()), (None, Some("three")));
}

#[tokio::test]
async fn another_branch_is_named() {
    let mut forge = Forge::new();
    git(&forge.remote(), &["checkout", "--quiet", "-b", "team/live"]);
    forge.write("site/live.md", "live");
    forge.commit();
    git(&forge.remote(), &["checkout", "--quiet", "main"]);
    forge.fresh().await;
    assert_eq!(forge.file("site/live.md"), None);
    forge.repository.branch = Some("team/live".to_owned());
    forge.fresh().await;
    assert_eq!(forge.file("site/live.md").as_deref(), Some("live"));

    git(&forge.remote(), &["branch", "--quiet", "-D", "team/live"]);
    let standing = forge.update().await.expect("the files of the last fetch");
    let why = standing.stale.expect("the branch is gone").to_string();
    assert!(why.contains("name the right one with `branch`"), "{why}");
    assert_eq!(forge.file("site/live.md").as_deref(), Some("live"), "what was fetched stands");
}

#[tokio::test]
async fn a_repository_that_is_gone_leaves_what_was_fetched() {
    let forge = Forge::new();
    forge.fresh().await;
    let commit = forge.checked_out();
    std::fs::rename(forge.remote(), forge.folder.path().join("away")).expect("moved away");
    let standing = forge.update().await.expect("the files of the last fetch");
    assert_eq!(forge.checked_out(), commit);
    let why = standing.stale.expect("it is gone").to_string();
    assert!(why.contains("could not be fetched") && why.contains("still there"), "{why}");
    assert_eq!(forge.file("site/a.md").as_deref(), Some("one"));

    let never = Forge::new();
    std::fs::remove_dir_all(never.remote()).expect("removed");
    let why = never.update().await.expect_err("nothing was ever fetched").to_string();
    assert!(why.contains("could not be fetched"), "{why}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_said() {
    let mut forge = Forge::new();
    forge.repository.folder = "site".into();
    forge.fresh().await;
    forge.repository.folder = "elsewhere".into();
    let why = forge.update().await.expect_err("no such folder").to_string();
    assert!(why.contains("no folder `elsewhere`") && why.contains("set `folder`"), "{why}");
}

#[tokio::test]
async fn what_a_killed_run_left_is_put_right_even_without_the_remote() {
    let forge = Forge::new();
    forge.fresh().await;
    // As if it died while laying out files: a lock, a file changed, one gone, one too many.
    std::fs::write(forge.repository.git_dir().join("index.lock"), "").expect("a lock");
    std::fs::write(forge.repository.files().join("site/a.md"), "half").expect("a file");
    std::fs::write(forge.repository.files().join("site/new.md"), "new").expect("a file");
    std::fs::remove_file(forge.repository.files().join("top.md")).expect("removed");
    std::fs::rename(forge.remote(), forge.folder.path().join("away")).expect("moved away");
    let standing = forge.update().await.expect("the files of the last fetch");
    assert!(standing.stale.is_some());
    assert_eq!(forge.file("site/a.md").as_deref(), Some("one"));
    assert_eq!((forge.file("site/new.md"), forge.file("top.md").as_deref()), (None, Some("top")));
    std::fs::remove_dir_all(forge.repository.files()).expect("removed");
    forge.update().await.expect("the files of the last fetch");
    assert_eq!(forge.file("site/a.md").as_deref(), Some("one"));
}

#[cfg(unix)]
#[tokio::test]
async fn links_out_of_the_repository_are_dropped_and_hooks_never_run() {
    let forge = Forge::new();
    let link =
        |target: &str, name: &str| std::os::unix::fs::symlink(target, forge.remote().join(name)).expect("a link");
    let secret = forge.folder.path().join("secret");
    std::fs::write(&secret, "s3cret").expect("a file");
    link("/etc/passwd", "site/passwd.md");
    link("/etc", "site/etc");
    link("../../secret", "site/secret.md");
    link("../../checkout/git", "site/git");
    link("nowhere", "site/nowhere.md");
    link("a.md", "site/good.md");
    let ran = forge.folder.path().join("ran");
    let hook = format!("#!/bin/sh\ntouch '{}'\n", ran.display());
    forge.write("hooks/post-checkout", &hook);
    forge.write(".gitattributes", "*.md filter=evil\n");
    forge.write(".gitmodules", "[submodule \"x\"]\n\tpath = x\n\turl = ext::sh -c touch% /tmp/x\n");
    forge.commit();
    let standing = forge.fresh().await;
    let mut dropped: Vec<&str> = standing.warnings.iter().map(|warning| warning.file.as_str()).collect();
    dropped.sort_unstable();
    assert_eq!(dropped, ["site/etc", "site/git", "site/nowhere.md", "site/passwd.md", "site/secret.md"]);
    assert_eq!((forge.file("site/passwd.md"), forge.file("site/good.md").as_deref()), (None, Some("one")));

    // A hook in our own repository, however it came there.
    std::fs::create_dir_all(forge.repository.git_dir().join("hooks")).expect("a folder");
    let own = forge.repository.git_dir().join("hooks/post-checkout");
    std::fs::write(&own, &hook).expect("a hook");
    std::fs::set_permissions(&own, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("permissions");
    forge.write("site/a.md", "changed");
    forge.commit();
    assert_eq!(forge.fresh().await.warnings.len(), 5, "told again");
    assert_eq!(forge.file("site/a.md").as_deref(), Some("changed"));
    assert!(!ran.exists(), "no hook ran");
}

#[tokio::test]
async fn submodules_are_not_fetched() {
    let forge = Forge::new();
    let other = Forge::new();
    let from = other.remote().display().to_string();
    git(&forge.remote(), &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &from, "module"]);
    forge.commit();
    forge.fresh().await;
    assert!(forge.file(".gitmodules").is_some());
    assert_eq!(forge.file("module/top.md"), None);
}

/// Configuration refuses such values; git does not take them for options or programs even if it did not.
#[tokio::test]
async fn no_value_becomes_an_option_or_a_program() {
    let forge = Forge::new();
    let ran = forge.folder.path().join("ran");
    let touch = format!("touch {}", ran.display());
    for address in [
        format!("--upload-pack={touch}"),
        format!("ext::sh -c {}", touch.replace(' ', "% ")),
        format!("ssh://-oProxyCommand={touch}/x"),
        "http://127.0.0.1:1/x".to_owned(),
    ] {
        let mut repository = forge.repository.clone();
        repository.remote = Remote::Ssh(address.clone());
        let refused = update(&repository).await;
        assert!(refused.is_err(), "{address}");
        assert!(!ran.exists(), "{address} ran");
    }
    let mut repository = forge.repository.clone();
    repository.branch = Some(format!("x --upload-pack={touch}"));
    assert!(update(&repository).await.is_err());
    assert!(!ran.exists());
}

#[tokio::test]
async fn a_token_stands_in_no_argument_and_no_message() {
    let mut forge = Forge::new();
    let file = forge.folder.path().join("token");
    std::fs::write(&file, "s3cret\n").expect("a file");
    let url = url::Url::parse("https://127.0.0.1:1/site.git").expect("an address");
    forge.repository.remote = Remote::Https { url, user: Some("ann".to_owned()) };
    forge.repository.token_file = Some(file.clone());
    let why = forge.update().await.expect_err("nobody is there").to_string();
    assert!(why.contains("https://127.0.0.1:1/site.git") && !why.contains("s3cret") && !why.contains("ann"), "{why}");

    std::fs::write(&file, "two\nlines").expect("a file");
    let why = forge.update().await.expect_err("no token").to_string();
    assert!(why.contains("more than one line") && !why.contains("lines\n"), "{why}");
    std::fs::remove_file(&file).expect("removed");
    assert!(forge.update().await.expect_err("no token").to_string().contains("cannot be read"));
}

#[test]
fn what_git_says_leads_to_what_to_do() {
    for (said, told) in [
        ("fatal: couldn't find remote ref refs/heads/x", "`branch`"),
        ("Host key verification failed.", "known hosts"),
        ("fatal: Authentication failed for 'https://x/'", "token_file"),
        ("git@x: Permission denied (publickey).", "ssh_key_file"),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 301", "redirects are not followed"),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", "can be reached"),
        ("fatal: detected dubious ownership in repository at '/x'", "must belong to the user"),
        ("fatal: '/x' does not appear to be a git repository", "still there"),
    ] {
        assert!(advice(said).contains(told), "{said}: {}", advice(said));
    }
}
