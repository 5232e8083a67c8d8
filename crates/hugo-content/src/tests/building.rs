//! What the site's configuration builds, and what is told of that only Hugo itself can read (docs/hugo.md).

use super::*;

#[test]
fn the_configuration_may_show_posts_before_and_after_their_time() {
    let visibilities = |config: &str| {
        let site = Site::new(&[
            ("config/_default/hugo.yaml", config),
            ("content/post/draft.md", "---\ndraft: true\n---\nx"),
            ("content/post/expired.md", "---\nexpiryDate: 2020-01-01\n---\nx"),
            ("content/post/future.md", "---\ndate: 2999-01-01\n---\nx"),
        ]);
        let scan = site.scan();
        let said = scan.warnings.len();
        (scan.entries.iter().map(|entry| entry.visibility).collect::<Vec<_>>(), said)
    };
    let public = Visibility::Public { until: None };
    let at = Timestamp::parse_rfc3339("2999-01-01T00:00:00Z").expect("a date");
    assert_eq!(visibilities(""), (vec![Visibility::Draft, Visibility::Expired, Visibility::Scheduled { at }], 0));
    assert_eq!(visibilities("buildFuture: true\nbuildExpired: true\n"), (vec![Visibility::Draft, public, public], 0));
    // A draft is kept back even where the site shows it, and the operator is told.
    assert_eq!(
        visibilities("buildDrafts: true\n"),
        (vec![Visibility::Draft, Visibility::Expired, Visibility::Scheduled { at }], 1)
    );
    assert_eq!(visibilities("disableKinds: [Page]\n"), (vec![Visibility::Withheld; 3], 0));
}

#[test]
fn the_environment_decides_which_values_count() {
    let site = Site::new(&[
        ("config/production/hugo.yaml", "permalinks: {post: '/live/:filename/'}"),
        ("config/staging/hugo.yaml", "permalinks: {post: '/stage/:filename/'}"),
        ("content/post/_index.md", "---\ncascade: [{target: {environment: staging}, draft: true}]\n---\n"),
        ("content/post/a.md", "x"),
    ]);
    let entry = |environment: &str| {
        let settings = Settings { environment: environment.to_owned(), ..site.settings() };
        site.write("content/news/_index.md", "");
        scan(&settings, Memory::new(), now(), &mut |_, _| {}).expect("a scan").entries.remove(0)
    };
    let (live, stage) = (entry("production"), entry("staging"));
    assert_eq!(
        (live.url.as_str(), live.visibility),
        ("https://site.example/live/a/", Visibility::Public { until: None })
    );
    assert_eq!((stage.url.as_str(), stage.visibility), ("https://site.example/stage/a/", Visibility::Draft));
}

#[test]
fn what_only_hugo_can_read_is_named() {
    let scan = Site::new(&[
        ("config/_default/permalinks.yaml", "news: '/:sectionslug/:title/'\n"),
        ("content/post/_content.gotmpl", "{{ .AddPage }}"),
        ("content/about/_content.gotmpl", "{{ .AddPage }}"),
        ("content/post/sub/_index.md", "---\nslug: other\n---\n"),
        ("content/post/sub/a.md", "x"),
        ("content/post/b.org", "x"),
        ("content/post/c.adoc", "x"),
        ("content/about/d.org", "x"),
        ("content/news/e.md", "x"),
    ])
    .scan();
    assert_eq!(
        said(&scan).into_iter().map(|(file, _)| file).collect::<Vec<_>>(),
        [
            "content/post/_content.gotmpl",
            "content/post/b.org",
            "content/post/c.adoc",
            "content/post/sub/_index.md",
            "the site configuration",
        ]
    );
    assert!(scan.warnings[4].message.contains("`:sectionslug`"), "{:?}", scan.warnings[4]);
    assert_eq!(scan.unreadable.iter().collect::<Vec<_>>(), ["post/b", "post/c"]);
    assert_eq!(keys(&scan), ["news/e", "post/sub/a"]);
}

/// `:git` counts where the site asks for it, and a post without a date has it as its date.
#[test]
fn dates_from_git_are_the_authors() {
    let site = Site::new(&[
        ("hugo.yaml", "enableGitInfo: true\nfrontmatter: {date: [':default', ':git']}"),
        ("content/post/a.md", "---\ntitle: A\n---\nA"),
        ("content/post/b.md", "---\ntitle: B\ndate: 2024-01-01\n---\nB"),
    ]);
    let warned = site.scan();
    assert!(warned.warnings.iter().any(|warning| warning.message.contains("no dates from git")), "{warned:?}");
    for arguments in [vec!["init", "--quiet"], vec!["add", "."], vec!["commit", "--quiet", "-m", "one"]] {
        let git = std::process::Command::new("git")
            .arg("-C")
            .arg(site.0.path())
            .args(["-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"])
            .args(&arguments)
            .env("GIT_AUTHOR_DATE", "2025-02-03T04:05:06Z")
            .output()
            .expect("git");
        assert!(git.status.success(), "{arguments:?}");
    }
    let scan = site.scan();
    let dates: Vec<_> = scan
        .entries
        .iter()
        .map(|entry| (entry.published.map(Timestamp::rfc3339), entry.modified.map(Timestamp::rfc3339)))
        .collect();
    let committed = || Some("2025-02-03T04:05:06Z".to_owned());
    assert_eq!(dates, [(committed(), committed()), (Some("2024-01-01T00:00:00Z".to_owned()), committed())]);
    assert!(scan.is_dated_by_git && scan.warnings.is_empty(), "{:?}", scan.warnings);
}
