//! The configuration on small sites made here.

use super::*;

fn site(files: &[(&str, &str)]) -> Result<Site, ScanError> {
    let root = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let file = root.path().join(name);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        std::fs::write(file, text).expect("a file");
    }
    std::fs::create_dir_all(root.path().join("content")).expect("a folder");
    load(root.path(), "production", &mut Vec::new())
}

#[test]
fn configuration_is_gathered_from_all_its_files() {
    let site = site(&[
        ("hugo.toml", "enableEmoji = true\nsummaryLength = 5\n[permalinks]\npost = '/:slug/'"),
        ("config/_default/languages.yaml", "nl:\n  languageCode: nl-NL\nen: {}\n"),
        ("config/_default/config.yaml", "DefaultContentLanguage: nl\nSummaryLength: 9\n"),
        ("config/production/permalinks.json", r#"{"page": {"post": "/p/:slug/"}}"#),
    ])
    .expect("a configuration");
    let config = &site.languages[0];
    assert!(config.markup.emoji && config.markup.typographer.is_some() && !config.markup.raw_html);
    assert_eq!((config.summary_length, config.language.as_str()), (9, "nl"));
    assert_eq!(site.languages[1].language_key, "en");
    assert!(site.languages[1].has_others && !site.languages[1].is_default);
    assert_eq!(config.permalinks.of(config.subject("post/a", Kind::Page)), Some("/p/:slug/"));
}

#[test]
fn language_tags_keep_a_region_only_where_it_is_written_differently() {
    for (code, tag) in [("en-us", "en"), ("NL", "nl"), ("pt_br", "pt-BR"), ("zh-hans", "zh-Hans"), ("de-AT", "de")] {
        assert_eq!(language_tag(code), tag);
    }
    assert_eq!(site(&[("hugo.yaml", "languageCode: nl-nl")]).expect("a configuration").languages[0].language, "nl");
}

#[test]
fn what_is_wrong_with_a_configuration_is_said() {
    for (files, said) in [
        (vec![("x", "")], "no Hugo configuration"),
        (vec![("hugo.toml", "a = 1\nb = ")], "hugo.toml, line 2"),
        (vec![("hugo.yaml", "ignoreFiles: ['(']")], "no regular expression"),
        (vec![("hugo.yaml", "contentDir: elsewhere")], "elsewhere"),
    ] {
        let error = site(&files).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_languages_own_values_go_before_the_sites() {
    let site = site(&[
        (
            "hugo.yaml",
            "defaultContentLanguage: nl\nsummaryLength: 5\npermalinks: {post: /p/, news: /n/}\ndisableLanguages: [DE]\n",
        ),
        (
            "config/_default/languages.yaml",
            "FR: {weight: 2, summaryLength: 9, permalinks: {post: /f/}}\nes: {weight: 1}\nde: {}\npl: {disabled: true}\nnl: {}\nit: {}",
        ),
        ("config/_default/hugo.fr.yaml", "removePathAccents: true"),
        ("config/_default/params.nl.toml", "a = 1"),
        ("config/staging/hugo.yaml", "summaryLength: 1"),
    ])
    .expect("a configuration");
    let keys: Vec<_> = site.languages.iter().map(|language| language.language_key.as_str()).collect();
    assert_eq!(keys, ["nl", "es", "fr", "it"]);
    let fr = &site.languages[2];
    assert_eq!((fr.summary_length, fr.remove_path_accents, fr.language_prefix.as_deref()), (9, true, Some("fr")));
    let pattern = |path: &str| fr.permalinks.of(fr.subject(path, Kind::Page));
    assert_eq!((pattern("post/a"), pattern("news/a/b"), pattern("blog/a")), (Some("/f/"), Some("/n/"), None));
    let nl = &site.languages[0];
    assert_eq!((nl.summary_length, nl.remove_path_accents, nl.language_prefix.as_deref()), (5, false, None));
    assert_eq!((nl.post_key("post/a"), fr.post_key("post/a")), ("post/a".to_owned(), "fr:post/a".to_owned()));
}
