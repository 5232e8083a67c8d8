//! Sites in several languages (docs/hugo.md#languages).

use super::*;

/// Key, path of the address, and language of each post.
fn posts(scan: &Scan) -> Vec<(&str, &str, &str)> {
    let path = |url: &'_ str| url.find("example/").map_or(0, |at| at + "example".len());
    scan.entries
        .iter()
        .map(|entry| (entry.key.as_str(), &entry.url[path(&entry.url)..], entry.language.as_str()))
        .collect()
}

#[test]
fn the_language_is_in_the_files_name_or_its_folder() {
    // As Hugo 0.168 lists them; 0.111 takes only suffixes in small letters.
    let scan = Site::new(&[
        (
            "config/_default/hugo.yaml",
            "languages: {en: {weight: 1}, nl: {contentDir: inhoud, languageCode: nl-NL}, pt-BR: {}, fr: {disabled: true}}\n",
        ),
        ("content/post/a.md", "x"),
        ("content/post/a.nl.md", "x"),
        ("content/post/b.fr.md", "x"),
        ("content/post/c.pt-br.md", "x"),
        ("content/post/d.EN.md", "x"),
        ("content/post/e/index.md", "x"),
        ("content/post/e/index.pt-BR.md", "x"),
        ("content/post/e/resource.nl.md", "x"),
        ("content/post/f/index.nl.md", "x"),
        ("content/post/f/other.md", "x"),
        ("inhoud/post/z.md", "x"),
        ("inhoud/post/y.en.md", "x"),
        ("inhoud/post/e/index.md", "x"),
    ])
    .scan();
    assert_eq!(
        posts(&scan),
        [
            ("nl:post/a", "/nl/post/a/", "nl"),
            ("nl:post/e", "/nl/post/e/", "nl"),
            ("nl:post/f", "/nl/post/f/", "nl"),
            ("nl:post/z", "/nl/post/z/", "nl"),
            ("post/a", "/post/a/", "en"),
            ("post/d", "/post/d/", "en"),
            ("post/e", "/post/e/", "en"),
            ("post/y", "/post/y/", "en"),
            ("pt-br:post/c", "/pt-br/post/c/", "pt-BR"),
            ("pt-br:post/e", "/pt-br/post/e/", "pt-BR"),
        ]
    );
    assert_eq!(scan.warnings, []);
}

#[test]
fn the_operator_may_choose_languages() {
    let site = Site::new(&[
        ("config/_default/languages.yaml", "en: {}\nnl: {}\n"),
        ("content/post/a.md", "x"),
        ("content/post/a.nl.md", "x"),
        ("content/news/_index.md", "x"),
    ]);
    let settings = Settings { languages: vec!["NL".to_owned(), "fr".to_owned()], ..site.settings() };
    let scan = scan(&settings, Memory::new(), now(), &mut |_, _| {}).expect("a scan");
    assert_eq!(keys(&scan), ["nl:post/a"]);
    assert_eq!(said(&scan), [("content".to_owned(), None)]);
    assert!(scan.warnings[0].message.contains("has no language `fr`, it has en, nl"), "{:?}", scan.warnings);
}

#[test]
fn languages_with_hosts_of_their_own_have_no_prefix() {
    let site = Site::new(&[
        (
            "config/_default/languages.yaml",
            "en: {baseURL: 'https://en.example/'}\nnl: {baseURL: 'https://nl.example/x/'}\n",
        ),
        ("content/post/a.md", "x"),
        ("content/post/a.nl.md", "x"),
    ]);
    let urls = |scan: &Scan| scan.entries.iter().map(|entry| entry.url.clone()).collect::<Vec<_>>();
    assert_eq!(urls(&site.scan()), ["https://nl.example/x/post/a/", "https://site.example/post/a/"]);

    site.write("config/_default/languages.yaml", "en: {baseURL: 'https://en.example/'}\nnl: {}\n");
    let scan = site.scan();
    assert_eq!(urls(&scan), ["https://site.example/nl/post/a/", "https://site.example/post/a/"]);
    assert_eq!(said(&scan), [("the site configuration".to_owned(), None)]);
}

#[test]
fn content_may_be_mounted_from_other_folders() {
    let scan = Site::new(&[
        (
            "config/_default/module.yaml",
            "mounts:\n- {source: content, target: content}\n- {source: docs/news, target: content/news}\n\
             - {source: nl, target: content, lang: nl}\n- {source: ../x, target: content}\n- {source: a, target: assets}\n",
        ),
        ("config/_default/languages.yaml", "en: {}\nnl: {}\n"),
        ("content/post/a.md", "x"),
        ("docs/news/b.md", "x"),
        ("docs/c.md", "x"),
        ("nl/post/a.md", "x"),
    ])
    .scan();
    assert_eq!(
        posts(&scan),
        [("news/b", "/news/b/", "en"), ("nl:post/a", "/nl/post/a/", "nl"), ("post/a", "/post/a/", "en")]
    );
    assert!(scan.warnings[0].message.contains("`../x` lies outside"), "{:?}", scan.warnings);
    assert_eq!(scan.warnings.len(), 1);
}
