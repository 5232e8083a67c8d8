//! Each fault is told at its line; what is right reads as it was meant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::check::is_reserved;
use super::*;

const EXAMPLE: &str = include_str!("../../config/veerpont.example.toml");

/// One key a line, so that the tests can name lines.
pub(super) const SMALL: &str = r#"[server]
listen = "127.0.0.1:8080"
origin = "https://social.example.org"
[[community]]
name = "Example"
handle = "community"
team_handle = "editors"
[[source]]
name = "site"
kind = "hugo"
community = "community"
path = "../site"
public_url = "https://example.org"
authors = "published"
"#;

fn no_env(_: &str) -> Option<String> {
    None
}

pub(super) fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/srv/veerpont"), "veerpont.toml", &no_env)
}

fn example_answers() -> InitAnswers {
    InitAnswers {
        origin: "https://social.example.org".to_owned(),
        handle_domain: Some("example.org".to_owned()),
        listen: "127.0.0.1:8080".parse().expect("an address"),
        database_url: "sqlite://data/veerpont.db".to_owned(),
        community_name: "Example community".to_owned(),
        community_handle: "community".to_owned(),
        team_handle: "editors".to_owned(),
        site: Some(InitSite {
            path: "../site".into(),
            public_url: "https://example.org/".to_owned(),
            sections: vec!["post".to_owned()],
            authors: AuthorChoice::Published,
        }),
    }
}

#[test]
fn the_small_file_gets_its_defaults() {
    let config = parse(SMALL).expect("a configuration");
    assert_eq!(config.server.handle_domain, "social.example.org");
    assert!(!config.server.node.is_empty());
    assert_eq!(config.database.url, "sqlite:///srv/veerpont/data/veerpont.db");
    assert_eq!(config.secrets.master_key_file, PathBuf::from("/srv/veerpont/data/master.key"));
    assert_eq!(config.network, Network::default());
    assert_eq!((config.server.proxy_hosts.len(), config.federation.ed25519_hosts.len()), (0, 0));
    assert_eq!(config.limits, Limits::default());
    assert_eq!((config.server.tls, config.federation.require_signed_fetch), (None, false));
    assert_eq!(config.server.trusted_proxies, ["127.0.0.0/8", "::1/128"].map(|range| range.parse().expect("a range")));
    let days = |days: u64| Duration::from_hours(24 * days);
    assert_eq!((config.retention.settled, config.retention.deferred), (days(30), days(14)));
    assert_eq!(config.retention.rows, days(180));
    assert_eq!((config.pages.pictures, config.pages.pictures_mib.get()), (Pictures::Proxy, 256));
    assert_eq!(config.pages.pictures_folder, PathBuf::from("/srv/veerpont/data/pictures"));
    assert_eq!(config.moderation, Moderation::default());
    assert_eq!(config.moderation.policy, Policy::FirstHeld, "strangers' words are not shown unseen");
    assert_eq!(config.communities.first().and_then(|community| community.policy), None);
    assert_eq!(config.publishing.push_within, Duration::from_hours(7 * 24));
    assert_eq!(config.delivery.first_retry, Duration::from_mins(1));
    let [source] = config.sources.as_slice() else { panic!("one source") };
    assert_eq!(source.public_url.as_str(), "https://example.org/");
    assert_eq!(source.path, PathBuf::from("/srv/veerpont/../site"));
    assert!(source.sections.is_empty(), "the usual ones");
    assert_eq!((source.languages.len(), source.environment.as_str()), (0, "production"));
    assert_eq!((source.rescan, source.removal_grace), (Duration::from_mins(5), Duration::from_hours(24)));
    assert_eq!((source.profile_fields, source.detect_language), (false, true));
}

#[test]
fn the_example_is_what_init_writes_and_reads_back() {
    assert_eq!(template(&example_answers()), EXAMPLE, "config/veerpont.example.toml is the template, filled in");
    let config = parse(EXAMPLE).expect("the example");
    assert_eq!(config.server.handle_domain, "example.org");
    assert_eq!(config.sources.first().map(|source| &source.authors), Some(&AuthorChoice::Published));
}

#[test]
fn whatever_init_is_told_reads_back() {
    let mut answers = example_answers();
    answers.origin = "http://127.0.0.1:8080".to_owned();
    answers.handle_domain = None;
    answers.community_name = "Ann's \"quoted\" \\ name\n[server]".to_owned();
    let site = answers.site.as_mut().expect("a site");
    site.sections = Vec::new();
    site.authors = AuthorChoice::Listed(vec!["ann \"x\"".to_owned(), "ben".to_owned()]);
    let config = parse(&template(&answers)).expect("a configuration");
    assert_eq!(config.communities.first().map(|community| &community.name), Some(&answers.community_name));
    assert_eq!(
        config.sources.first().map(|source| source.authors.clone()),
        Some(AuthorChoice::Listed(vec!["ann \"x\"".to_owned(), "ben".to_owned()]))
    );
    assert_eq!(config.server.handle_domain, "127.0.0.1:8080");

    answers.site = None;
    let text = template(&answers);
    assert_eq!(parse(&text).expect("without a site").sources, []);
    let uncommented = text.replace("# [[source]]", "[[source]]");
    assert_eq!(
        parse(&uncommented).expect_err("its keys are still comments").message,
        "\"name\" is missing in [[source]]"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one entry for each fault")]
fn each_fault_is_told_at_its_line() {
    // What to replace in SMALL, by what, the line of the fault, and what the error says.
    let faults = [
        ("[[community]]", "tls_cert = \"cert.pem\"\n[[community]]", 4, "TLS needs tls_key too"),
        ("[[community]]", "tls_key = \"key.pem\"\n[[community]]", 4, "TLS needs tls_cert too"),
        ("[[community]]", "trusted_proxies = [\"proxy\"]\n[[community]]", 4, "is not a range of addresses"),
        ("[[community]]", "[limits]\nconnections = 0\n[[community]]", 5, "0 is no limit"),
        ("[[community]]", "[limits]\ninbox_per_host = -1\n[[community]]", 5, "-1 is no limit"),
        ("[[community]]", "[retention]\nsettled = \"long\"\n[[community]]", 5, "is not a length of time"),
        ("[[community]]", "[pages]\npictures = \"all\"\n[[community]]", 5, "pictures is \"all\""),
        ("[[community]]", "[pages]\npictures_mib = 0\n[[community]]", 5, "0 is no limit"),
        ("[[community]]", "[moderation]\npolicy = \"closed\"\n[[community]]", 5, "there is no policy \"closed\""),
        ("[[community]]", "[moderation]\nothers = \"drop\"\n[[community]]", 5, "others is \"drop\""),
        ("[[community]]", "[moderation]\nallow_only = [\"*.org\"]\n[[community]]", 5, "\"*.org\" is not a domain"),
        ("[[community]]", "[moderation]\nmax_links = 0\n[[community]]", 5, "0 is no limit"),
        ("[[community]]", "[moderation]\nnew_host_hold = \"long\"\n[[community]]", 5, "is not a length of time"),
        ("\"editors\"", "\"editors\"\npolicy = \"some\"", 8, "there is no policy \"some\""),
        (
            "listen =",
            "colour =",
            2,
            "unknown key \"colour\" in [server]; known keys: handle_domain, listen, node, origin, proxy_hosts",
        ),
        ("[server]", "[servre]", 1, "unknown key \"servre\" at the top level"),
        ("kind =", "kinds =", 10, "unknown key \"kinds\" in [[source]]"),
        ("name = \"Example\"", "name = \"Example\"\ntype = 1", 6, "unknown key \"type\" in [[community]]"),
        ("[[community]]", "[network]\nallow = 1\n[[community]]", 5, "unknown key \"allow\" in [network]"),
        ("[[community]]", "[database.more]\nx = 1\n[[community]]", 4, "unknown key \"more\" in [database]"),
        ("origin = \"https://social.example.org\"\n", "", 1, "\"origin\" is missing in [server]"),
        ("team_handle = \"editors\"\n", "", 4, "\"team_handle\" is missing in [[community]]"),
        ("path = \"../site\"\n", "", 8, "\"path\" is missing in [[source]] \"site\", and there is no \"repository\""),
        (
            "authors = \"published\"\n",
            "",
            8,
            "no default, since it makes people visible; write authors = \"published\"",
        ),
        ("\"published\"", "\"all\"", 14, "neither \"published\" nor a list"),
        ("\"published\"", "[1]", 14, "neither \"published\" nor a list"),
        ("127.0.0.1:8080", "localhost", 2, "\"localhost\" is not an address to listen on"),
        ("\"127.0.0.1:8080\"", "8080", 2, "of the wrong kind (integer); write text in double quotes"),
        ("https://social", "http://social", 3, "the origin is http; use https, or set `allow_http = true`"),
        ("https://social", "ftp://social", 3, "the origin's scheme is \"ftp\""),
        ("https://social", "social", 3, "the origin is not an address"),
        ("social.example.org", "social.example.org/x", 3, "the origin has a path"),
        ("social.example.org", "social.example.org/?x", 3, "the origin has a query"),
        ("social.example.org", "social.example.org/#x", 3, "the origin has a fragment"),
        ("social.example.org", "ann:x@social.example.org", 3, "the origin has a user name or password"),
        ("[[community]]", "handle_domain = \"https://x.org\"\n[[community]]", 4, "is not a domain"),
        ("[[community]]", "node = \" \"\n[[community]]", 4, "this text is empty"),
        ("[[community]]", "[database]\nurl = \"mysql://x\"\n[[community]]", 5, "neither sqlite nor postgres"),
        ("[[community]]", "[database]\nurl = \"sqlite::memory:\"\n[[community]]", 5, "names no file"),
        ("[[community]]", "[network]\nallow_addresses = [\"ten\"]\n[[community]]", 5, "\"ten\" is not a range"),
        ("[[community]]", "[network]\nallow_http = \"yes\"\n[[community]]", 5, "write true or false"),
        ("[[community]]", "[network]\nconnect_to = [\"a:1\"]\n[[community]]", 5, "there is no `=`"),
        ("[[community]]", "[network]\nconnect_to = [\n\"a=1.2.3.4:1\"]\n[[community]]", 6, "the name has no port"),
        ("[[community]]", "[network]\nconnect_to = [\"a:x=1.2.3.4:1\"]\n[[community]]", 5, "the port of the name"),
        (
            "[[community]]",
            "[network]\nconnect_to = [\"a/b:1=1.2.3.4:1\"]\n[[community]]",
            5,
            "the name is no host name",
        ),
        ("[[community]]", "[network]\nconnect_to = [\"a:1=b:1\"]\n[[community]]", 5, "not an IP address and a port"),
        ("[[community]]", "[publishing]\npush_within = \"week\"\n[[community]]", 5, "\"week\" is not a length of time"),
        ("[[community]]", "[delivery]\nfirst_retry = \"0s\"\n[[community]]", 5, "length of time is zero"),
        ("[[community]]", "[retention]\nrows = \"10d\"\n[[community]]", 5, "shorter than 30 days"),
        ("\"Example\"", "\"\"", 5, "this text is empty"),
        (
            "\"editors\"",
            "\"Community\"",
            7,
            "is given to the community \"Example\" and to the team account of \"Example\"",
        ),
        ("\"editors\"", "\"Instance\"", 7, "the handle \"instance\" is reserved"),
        ("\"editors\"", "\"the editors\"", 7, "\"the editors\" cannot be the handle of the team account"),
        ("handle = \"community\"", "handle = \"admin\"", 6, "the handle \"admin\" is reserved"),
        ("\"hugo\"", "\"jekyll\"", 10, "there is no source of kind \"jekyll\"; the kinds are"),
        (
            "community = \"community\"",
            "community = \"other\"",
            11,
            "no community with the handle \"other\"; known are: community",
        ),
        ("../site", "", 12, "this text is empty"),
        ("https://example.org", "/blog", 13, "public_url is not an address"),
        ("https://example.org", "file:///srv", 13, "public_url's scheme is \"file\""),
        ("https://example.org", "https://example.org/?x", 13, "public_url has a user name, query or fragment"),
        ("authors =", "sections = []\nauthors =", 14, "sections names no folder"),
        ("authors =", "languages = [\"\"]\nauthors =", 14, "languages names no language"),
        ("authors =", "environment = \"../x\"\nauthors =", 14, "is no name of an environment"),
        ("authors =", "rescan = \"0s\"\nauthors =", 14, "length of time is zero"),
        ("authors =", "detect_language = 1\nauthors =", 14, "of the wrong kind (integer)"),
        ("authors =", "removal_grace = 5\nauthors =", 14, "of the wrong kind (integer)"),
        ("authors =", "moved_away = \"stay\"\nauthors =", 14, "moved_away is \"stay\""),
        (
            "\"published\"",
            "\"published\"\n[source.handles]\nann = \"editors\"",
            16,
            "is given to the team account of \"Example\" and to the author \"ann\"",
        ),
        (
            "\"published\"",
            "\"published\"\n[source.handles]\nann = \"a b\"",
            16,
            "cannot be the handle of the author \"ann\"",
        ),
        ("\"published\"", "published", 14, "this is not TOML"),
        ("kind =", "name =", 10, "this is not TOML: duplicate key"),
    ];
    for (old, new, line, says) in faults {
        assert!(SMALL.contains(old), "{old} is in the file");
        let text = SMALL.replacen(old, new, 1);
        let error = parse(&text).expect_err(new);
        assert_eq!(error.position.map(|(line, _)| line), Some(line), "{new}: {error}");
        let shown = error.to_string();
        assert!(shown.contains(says), "{new}: {shown}");
        assert!(shown.starts_with(&format!("veerpont.toml:{line}:")), "{shown}");
        assert!(!error.hint.is_empty(), "{shown}");
    }
}

#[test]
fn what_is_wrong_between_sections_is_told_too() {
    let (_, source) = SMALL.split_once("[[source]]").expect("a source");
    let twice = format!("{SMALL}[[source]]{source}");
    let error = parse(&twice).expect_err("two of one name");
    assert_eq!(error.position, Some((16, 8)), "{error}");
    assert!(error.to_string().contains("two sources named \"site\""));

    let alone = format!("[server]\norigin = \"https://a.example\"\n[[source]]{source}");
    let error = parse(&alone).expect_err("no community");
    assert_eq!(error.position.map(|(line, _)| line), Some(6), "{error}");
    assert!(error.to_string().contains("there is no community; add a [[community]]"), "{error}");

    let error = parse("").expect_err("nothing");
    assert!(error.to_string().contains("there is no [server] section; add `[server]`"), "{error}");
}

#[test]
fn a_missing_file_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Config::load(&folder.path().join("veerpont.toml"), &no_env).expect_err("no file");
    let shown = error.to_string();
    assert!(shown.contains("veerpont init") && shown.contains("--config FILE"), "{shown}");
}

#[test]
fn a_file_is_read_from_its_folder_and_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new/folder/veerpont.toml");
    write_new(&path, SMALL).expect("a first file");
    let refused = write_new(&path, "").expect_err("a second");
    assert_eq!(refused.kind(), std::io::ErrorKind::AlreadyExists);
    let config = Config::load(&path, &no_env).expect("a configuration");
    assert_eq!(config.secrets.master_key_file, folder.path().join("new/folder/data/master.key"));
}

#[test]
fn the_environment_wins_over_the_file() {
    let env = |name: &str| {
        Some(match name {
            "VEERPONT_LISTEN" => "[::1]:9000".to_owned(),
            "VEERPONT_DATABASE_URL" => "postgres://ann:s3cret@db.example/v?sslpassword=s3cret".to_owned(),
            "VEERPONT_MASTER_KEY" => "s3cret\n".to_owned(),
            _ => return None,
        })
    };
    let text = SMALL.replace("127.0.0.1:8080", "nonsense");
    let config = Config::parse(&text, Path::new("/srv"), "veerpont.toml", &env).expect("a configuration");
    assert_eq!(config.server.listen.to_string(), "[::1]:9000");
    assert_eq!(config.secrets.master_key.as_ref().map(|key| key.as_str()), Some("s3cret"));
    assert_eq!(config.database.redacted(), "postgres://ann:***@db.example/v?sslpassword=***");
    assert!(!format!("{config:?}").contains("s3cret"));

    let blank = |_: &str| Some(" ".to_owned());
    let config = Config::parse(SMALL, Path::new("/srv"), "veerpont.toml", &blank).expect("a configuration");
    assert_eq!(config.secrets.master_key, None);
}

#[test]
fn a_wrong_variable_is_named_and_no_password_shown() {
    let env = |name: &str| (name == "VEERPONT_LISTEN").then(|| "8080".to_owned());
    let error = Config::parse(SMALL, Path::new("/srv"), "veerpont.toml", &env).expect_err("no address");
    assert!(error.to_string().starts_with("VEERPONT_LISTEN: \"8080\" is not an address to listen on;"), "{error}");

    let env = |name: &str| (name == "VEERPONT_DATABASE_URL").then(|| "postgres//ann:s3cret@db".to_owned());
    let error = Config::parse(SMALL, Path::new("/srv"), "veerpont.toml", &env).expect_err("no url");
    assert!(error.to_string().starts_with("VEERPONT_DATABASE_URL: "), "{error}");
    assert!(!error.to_string().contains("s3cret"), "{error}");

    for text in [
        "database = \"postgres://ann:s3cret@db\"",
        "[database]\nurl = \"postgres//ann:s3cret@db\"",
        "[database]\nurl = postgres://ann:s3cret@db",
        "[database]\nurl = \"postgres://ann:s3cret@db",
        "[database]\nurl = [\"postgres://ann:s3cret@db\"]",
        "[network]\nallow_http = \"s3cret\"",
    ] {
        let error = parse(&format!("{text}\n{SMALL}")).expect_err(text);
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}

#[test]
fn the_network_section_reads_as_meant() {
    let text = format!(
        "[network]\nallow_http = true\nallow_addresses = [\"10.0.0.0/8\", \"::1\"]\nextra_ca_file = \"ca.pem\"\n\
         connect_to = [\"Peer.Test:443=127.0.0.1:9301\"]\n{}",
        SMALL.replace("https://social.example.org", "http://Social.Example:8080")
    );
    let config = parse(&text).expect("a configuration");
    assert_eq!(config.server.handle_domain, "social.example:8080");
    assert_eq!(config.network.extra_ca_file, Some(PathBuf::from("/srv/veerpont/ca.pem")));
    let ranges: Vec<String> = config.network.allow_addresses.iter().map(ToString::to_string).collect();
    assert_eq!(ranges, ["10.0.0.0/8", "::1/128"]);
    let target = "127.0.0.1:9301".parse().expect("an address");
    assert_eq!(config.network.connect_to, [ConnectTo { host: "peer.test".to_owned(), port: 443, target }]);
}

#[test]
fn a_database_path_keeps_its_query_and_survives_odd_folders() {
    let text = format!("[database]\nurl = \"sqlite:data/v.db?mode=rw\"\n{SMALL}");
    let config = Config::parse(&text, Path::new("/srv/50%?"), "veerpont.toml", &no_env).expect("a configuration");
    assert_eq!(config.database.url, "sqlite:///srv/50%25%3F/data/v.db?mode=rw");
    let text = format!("[database]\nurl = \"sqlite:///var/v.db\"\n{SMALL}");
    assert_eq!(parse(&text).expect("a configuration").database.url, "sqlite:///var/v.db");
}

#[test]
fn a_domain_is_brought_to_one_spelling() {
    let text = SMALL.replace("[[community]]", "handle_domain = \"Bücher.Example\"\n[[community]]");
    assert_eq!(parse(&text).expect("a configuration").server.handle_domain, "xn--bcher-kva.example");
}

#[test]
fn every_reserved_word_is_a_handle() {
    for word in RESERVED_HANDLES {
        let handle = Handle::parse(word).expect("else the word could never be asked for");
        assert!(is_reserved(&handle));
    }
    assert_eq!(RESERVED_HANDLES.iter().collect::<BTreeSet<_>>().len(), RESERVED_HANDLES.len());
}

#[test]
fn hosts_are_read_as_they_are_compared() {
    let text = SMALL.replace(
        "[[community]]",
        "proxy_hosts = [\"LOCALHOST:8080\"]\n[federation]\ned25519_hosts = [\"Bücher.example\"]\n[[community]]",
    );
    let config = parse(&text).expect("a configuration");
    assert_eq!(config.server.proxy_hosts, ["localhost:8080"]);
    assert_eq!(config.federation.ed25519_hosts, ["xn--bcher-kva.example"]);
}

#[test]
fn what_is_no_host_is_told_at_its_line() {
    for (key, line) in
        [("proxy_hosts = [\"http://127.0.0.1:8080\"]", 4), ("[federation]\ned25519_hosts = [\"a b\"]", 5)]
    {
        let fault = parse(&SMALL.replace("[[community]]", &format!("{key}\n[[community]]"))).expect_err("no host");
        assert_eq!(fault.position.map(|(line, _)| line), Some(line), "{fault}");
        assert!(fault.message.ends_with("is not a host"), "{fault}");
    }
}
