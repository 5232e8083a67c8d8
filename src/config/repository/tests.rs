//! What a source's repository may be, and what is refused.

use std::collections::BTreeSet;

use super::super::tests::{SMALL, parse};
use super::super::{Config, ConfigError, WebhookSecret};
use super::*;

fn repository(address: &str, more: &str) -> Result<Repository, ConfigError> {
    let text = SMALL.replace("path = \"../site\"", &format!("repository = \"{address}\"\n{more}"));
    let source = parse(&text)?.sources.into_iter().next().expect("a source");
    assert!(source.path.starts_with(source.repository.as_ref().expect("a repository").files()));
    Ok(source.repository.expect("a repository"))
}

#[test]
fn a_repository_is_https_ssh_or_a_path() {
    for (written, address) in [
        ("https://example.org/site.git", "https://example.org/site.git"),
        ("https://ann@example.org/site", "https://example.org/site"),
        ("ssh://git@example.org:2222/site.git", "ssh://git@example.org:2222/site.git"),
        ("git@example.org:ann/site.git", "git@example.org:ann/site.git"),
        ("file:///srv/site.git", "/srv/site.git"),
        ("/srv/site.git", "/srv/site.git"),
        ("../odd:name", "/srv/veerpont/../odd:name"),
        ("site", "/srv/veerpont/site"),
    ] {
        assert_eq!(repository(written, "").expect(written).remote.address(), address);
    }
    let kept = repository("/srv/site", "folder = \"./a/b/\"\nbranch = \"refs/heads/live\"").expect("a repository");
    assert_eq!((kept.branch.as_deref(), kept.folder.as_path()), (Some("live"), Path::new("a/b")));
    assert_eq!(kept.checkout, Path::new("/srv/veerpont/data/sources/site.checkout"));
}

#[test]
fn nothing_of_a_repository_becomes_an_option_or_a_program() {
    for address in [
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=touch /tmp/x",
        "ext::sh -c touch% /tmp/x",
        "ext://sh",
        "http://example.org/site",
        "git://example.org/site",
        "ssh://-oProxyCommand=x/site",
        "ssh://-oProxyCommand=x@example.org/site",
        "ssh://example.org/-site",
        "git@-oProxyCommand=x:site",
        "-o@example.org:site",
        "git@example.org:-site",
        "git@example.org:",
        "example.org:site",
        "fd::17",
        "https://example.org/?x",
        "https:///x y",
        "a\\u0000b",
        " ",
    ] {
        let error = repository(address, "").expect_err(address).to_string();
        assert!(error.starts_with("veerpont.toml:12:"), "{address}: {error}");
    }
    for branch in ["-x", "--upload-pack=x", "a..b", "a b", "a:b", "+a", "x.lock", "@{u}", "/a", "a//b", "a^", ".a", "@"]
    {
        let read = repository("/srv/site", &format!("branch = \"{branch}\""));
        // A plus is an odd name, but one: it stands behind `refs/heads/`.
        assert_eq!(read.is_ok(), branch == "+a", "{branch}");
    }
    for folder in ["..", "/etc", "a/../../b", ".git", "a/.GIT/hooks"] {
        repository("/srv/site", &format!("folder = \"{folder}\"")).expect_err(folder);
    }
    let error = repository("https://ann:s3cret@example.org/site", "").expect_err("a password").to_string();
    assert!(error.contains("token_file") && !error.contains("s3cret"), "{error}");
}

#[test]
fn each_source_has_its_own_checkout_beside_the_database() {
    let place = |name: &str| super::checkout(Path::new("/d"), name);
    let names = ["site", "..", ".", "a b", "a+b", "a/b", "../x", "é"];
    let places: BTreeSet<PathBuf> = names.into_iter().map(place).collect();
    assert_eq!(places.len(), names.len());
    assert!(places.iter().all(|place| place.parent() == Some(Path::new("/d/sources"))), "{places:?}");

    let text = format!("[database]\nurl = \"sqlite:///var/my%20data/v.db?mode=rwc\"\n{SMALL}");
    let config = parse(&text.replace("path =", "repository =")).expect("a configuration");
    let checkout = config.sources[0].repository.as_ref().map(|repository| repository.checkout.clone());
    assert_eq!(checkout, Some(PathBuf::from("/var/my data/sources/site.checkout")));
    let text =
        format!("[database]\nurl = \"postgres://db/v\"\n{SMALL}").replace("path =", "checkout = \"c\"\nrepository =");
    let checkout = parse(&text).expect("a configuration").sources.remove(0).repository.map(|r| r.checkout);
    assert_eq!(checkout, Some(PathBuf::from("/srv/veerpont/c")));
}

#[test]
fn a_webhook_secret_comes_from_a_file_or_the_environment() {
    let text = SMALL.replace("path =", "webhook_secret_file = \"hook\"\npath =");
    assert_eq!(
        parse(&text).expect("a configuration").sources[0].webhook,
        Some(WebhookSecret::File("/srv/veerpont/hook".into()))
    );
    let env = |name: &str| (name == "VEERPONT_WEBHOOK_SECRET_SITE").then(|| "s3cret\n".to_owned());
    let config = Config::parse(&text, Path::new("/srv"), "veerpont.toml", &env).expect("a configuration");
    assert_eq!(config.sources[0].webhook, Some(WebhookSecret::Value(zeroize::Zeroizing::new("s3cret".to_owned()))));
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn each_fault_is_told_at_its_line() {
    let faults = [
        ("path = \"../site\"", "repository = \"../site\"\npath = \"x\"", 12, "both \"path\" and \"repository\""),
        ("path =", "branch = \"x\"\npath =", 12, "\"branch\" belongs to a repository"),
        (
            "path = \"../site\"",
            "repository = \"https://x.org/r\"\nssh_key_file = \"k\"",
            13,
            "\"ssh_key_file\" is not used",
        ),
        ("path = \"../site\"", "repository = \"git@x.org:r\"\ntoken_file = \"k\"", 13, "\"token_file\" is not used"),
        ("path = \"../site\"", "repository = \"../r\"\nfolder = \"../x\"", 13, "no folder inside the repository"),
    ];
    for (old, new, line, says) in faults {
        let error = parse(&SMALL.replacen(old, new, 1)).expect_err(new);
        assert_eq!(error.position.map(|(line, _)| line), Some(line), "{new}: {error}");
        assert!(error.to_string().contains(says), "{new}: {error}");
    }
}
