//! Trees in which things are broken: each is named, the rest is read, and nothing counts as removed.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use super::*;

/// What a broken thing leads to.
struct Told {
    /// A part of the file's name as it is told.
    file: &'static str,
    line: Option<u64>,
    /// A part of what is said.
    says: &'static str,
    /// Whether everything could be seen.
    complete: bool,
    /// Whether the post counts as present though it cannot be read.
    present: bool,
}

fn told(file: &'static str, line: Option<u64>, says: &'static str) -> Told {
    Told { file, line, says, complete: true, present: true }
}

/// A way to break a tree, given its `content/post`.
type Break = Box<dyn Fn(&Path)>;

fn page(name: &'static str, text: impl Into<Vec<u8>>) -> Break {
    let text = text.into();
    Box::new(move |folder| fs::write(folder.join(name), &text).expect("a file"))
}

fn shell(script: &'static str) -> Break {
    Box::new(move |folder| {
        let done = Command::new("sh").arg("-c").arg(script).current_dir(folder).status().expect("a shell");
        assert!(done.success(), "{script}");
    })
}

fn link(to: &'static str, name: &'static str) -> Break {
    Box::new(move |folder| std::os::unix::fs::symlink(to, folder.join(name)).expect("a link"))
}

/// `&a` nine times nine times nine…: ten to the ninth, if it were written out.
fn bomb() -> String {
    let mut text = "---\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..10 {
        let inner = vec![format!("*a{}", at - 1); 10].join(", ");
        text = format!("{text}a{at}: &a{at} [{inner}]\n");
    }
    text + "---\nx"
}

fn cases() -> Vec<(Break, Told)> {
    let large = |folder: &Path| {
        let file = fs::File::create(folder.join("large.md")).expect("a file");
        file.set_len(50 * 1024 * 1024).expect("50 MB");
    };
    let not_utf8 = |folder: &Path| {
        let name = std::ffi::OsStr::from_bytes(b"latin-\xe9.md");
        fs::write(folder.join(name), "x").expect("a file");
    };
    let partly = |told: Told| Told { complete: false, ..told };
    let absent = |told: Told| Told { present: false, ..told };
    let depth = "i=0; while [ $i -lt 70 ]; do mkdir d && cd d || exit 1; i=$((i+1)); done; echo x > deep.md";
    // Made in two halves, for the whole is longer than the system takes.
    let too_long = |folder: &Path| {
        let half = |top: &str| [top; 12].iter().fold(folder.to_owned(), |path, _| path.join(top.repeat(250)));
        fs::create_dir_all(half("0")).expect("folders");
        fs::create_dir_all(half("1")).expect("folders");
        fs::rename(folder.join("1".repeat(250)), half("0").join("1")).expect("one below the other");
    };
    vec![
        (page("unclosed.md", "---\ntitle: a\n\nb"), told("unclosed.md", Some(1), "is not closed")),
        (page("yaml.md", "---\ntitle: a\nb: [\n---\n"), told("yaml.md", Some(3), "front matter cannot be read")),
        (page("toml.md", "+++\na = 1\nb = \n+++\n"), told("toml.md", Some(3), "front matter cannot be read")),
        (page("json.md", "{\n\"a\": \n}\n"), told("json.md", Some(3), "front matter cannot be read")),
        (page("when.md", "---\npublishDate: soon\n---\n"), told("when.md", None, "is no date")),
        (page("binary.md", b"\x89PNG\r\n\x1a\n\0\0\xff".to_vec()), told("binary.md", Some(1), "not UTF-8")),
        (page("bomb.md", bomb()), told("bomb.md", None, "front matter cannot be read")),
        (
            page("deep.md", format!("---\na: {}{}\n---\n", "[".repeat(50_000), "]".repeat(50_000))),
            told("deep.md", Some(2), "front matter cannot be read"),
        ),
        (
            page("head.md", format!("---\n{}---\n", "# much of a comment\n".repeat(120_000))),
            told("head.md", None, "larger than 2 MiB"),
        ),
        (Box::new(large), told("large.md", None, "larger than 2 MiB")),
        (Box::new(not_utf8), told("latin-", None, "is not UTF-8, so it was not read")),
        (shell("mkfifo pipe.md"), told("pipe.md", None, "a pipe, a socket or a device")),
        (
            Box::new(|folder| {
                drop(std::os::unix::net::UnixListener::bind(folder.join("socket.md")).expect("a socket"));
            }),
            told("socket.md", None, "a pipe, a socket or a device"),
        ),
        (link("../post", "loop"), absent(told("loop", None, "leads nowhere or into itself"))),
        (link("nowhere.md", "dead.md"), absent(told("dead.md", None, "leads nowhere or into itself"))),
        (link("/etc/hostname", "out.md"), absent(told("out.md", None, "leads out of the site's folder"))),
        (link("/usr", "out"), absent(told("out", None, "leads out of the site's folder"))),
        (link("/dev/zero", "zero.md"), absent(told("zero.md", None, "leads out of the site's folder"))),
        (shell(depth), absent(partly(told("d/d/d/d", None, "folders deep and deeper is not read")))),
        // No power on earth reads a name that is longer than the system allows, not even root's.
        (Box::new(too_long), absent(partly(told("00000", None, "it could not be read")))),
    ]
}

fn good() -> Site {
    Site::new(&[("content/post/a.md", "---\ntitle: A\n---\nx"), ("content/post/z/index.md", "---\ntitle: Z\n---\nx")])
}

#[test]
fn what_is_broken_is_named_and_the_rest_is_read() {
    for (break_it, told) in cases() {
        let site = good();
        break_it(&site.0.path().join("content/post"));
        let scan = site.scan();
        assert_eq!(keys(&scan), ["post/a", "post/z"], "{}", told.file);
        assert_eq!(scan.complete, told.complete, "{}", told.file);
        assert_eq!(scan.unreadable.len(), usize::from(told.present), "{}: {:?}", told.file, scan.unreadable);
        let named = scan.warnings.iter().find(|warning| warning.file.contains(told.file));
        let named = named.unwrap_or_else(|| panic!("{} is not named: {:?}", told.file, scan.warnings));
        assert!(named.message.contains(told.says), "{named:?}");
        // Where the line of a bomb is depends on where it goes off.
        assert!(told.line.is_none_or(|line| named.line == Some(line)), "{named:?}");
        assert!(named.message.len() < 500, "{named:?}");
    }
}

#[test]
fn all_of_it_at_once_is_read_as_well() {
    let site = good();
    for (break_it, told) in cases() {
        // Two of them make folders of names that others would be in.
        if told.complete {
            break_it(&site.0.path().join("content/post"));
        }
    }
    let scan = site.scan();
    assert_eq!(keys(&scan), ["post/a", "post/z"]);
    assert!(scan.complete);
}

#[test]
fn what_may_not_be_read_stops_no_scan_and_removes_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let forbid = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("no permission");
    for name in ["content/post/b.md", "content/post/folder/b.md"] {
        let site = good();
        site.write(name, "x");
        let path = site.0.path().join(name);
        let forbidden = if name.contains("folder") { path.parent().expect("a parent").to_owned() } else { path };
        forbid(&forbidden);
        if fs::File::open(&forbidden).is_ok_and(|file| file.metadata().is_ok()) && fs::read_dir("/root").is_ok() {
            println!("SKIPPED: root may read everything; run the tests as somebody else to see this one work");
            return;
        }
        let scan = site.scan();
        assert_eq!((keys(&scan), scan.complete), (vec!["post/a", "post/z"], false));
        assert!(scan.warnings.iter().any(|warning| warning.message.contains("mend its permissions")), "{scan:?}");
        fs::set_permissions(&forbidden, fs::Permissions::from_mode(0o755)).expect("permission again");
    }
}

#[test]
fn a_file_that_goes_away_during_the_scan_is_not_gone() {
    let site = good();
    site.write("content/post/b.md", "x");
    let gone = site.0.path().join("content/post/b.md");
    let scan = scan(&site.settings(), Memory::new(), now(), &mut |_, _| drop(fs::remove_file(&gone))).expect("a scan");
    assert_eq!((keys(&scan), scan.complete), (vec!["post/a", "post/z"], false));
    assert!(scan.unreadable.contains("post/b"));
    assert!(scan.warnings.iter().any(|warning| warning.message.contains("the next scan looks again")), "{scan:?}");
}

#[test]
fn too_much_of_a_thing_is_cut_and_told() {
    let tags: Vec<String> = (0..100_000).map(|number| format!("t{number}")).collect();
    let names: Vec<String> = (0..1_000).map(|number| format!("n{number}")).collect();
    let title = "é".repeat(300_000);
    let head = format!("title: {title}\ntags: [{}]\nauthors: [{}]", tags.join(", "), names.join(", "));
    let site = Site::new(&[("content/post/a.md", &format!("---\n{head}\n---\nx"))]);
    let scan = site.scan();
    let entry = &scan.entries[0];
    assert_eq!((entry.tags.len(), entry.authors.len(), entry.title.chars().count()), (100, 50, 1001));
    assert_eq!(scan.authors.len(), 50);
    let said: Vec<_> = scan.warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "it has 1000 authors, of which the first 50 are kept",
            "it has 100000 tags, of which the first 100 are kept",
            "its title is longer than 1000 characters and is cut off there"
        ]
    );
}

#[test]
fn odd_names_are_names() {
    let scan = Site::new(&[("content/post/new\nline.md", "x"), ("content/post/bell\u{7}\u{1b}[31m.md", "x")]).scan();
    let urls: Vec<_> = scan.entries.iter().map(|entry| entry.url.as_str()).collect();
    assert_eq!(urls, ["https://site.example/post/bell31m/", "https://site.example/post/new-line/"]);
    assert!(scan.complete && scan.warnings.is_empty());
}

#[test]
fn below_a_section_that_cannot_be_read_nothing_becomes_public() {
    let site = good();
    site.write("content/post/secret/_index.md", "---\ncascade: {build: {render: never}}\n---\n");
    site.write("content/post/secret/b.md", "x");
    assert_eq!(site.scan().entries[1].visibility, Visibility::Withheld);
    site.write("content/post/secret/_index.md", "---\ncascade: {build: {render: never}\n---\n");
    let scan = site.scan();
    assert_eq!(keys(&scan), ["post/a", "post/z"]);
    assert!(scan.unreadable.contains("post/secret/b"));
    let said: Vec<_> = scan.warnings.iter().map(|warning| warning.file.as_str()).collect();
    assert_eq!(said, ["content/post/secret/_index.md", "content/post/secret/b.md"]);
}
