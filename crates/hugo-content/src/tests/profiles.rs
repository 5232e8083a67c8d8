//! Who wrote a post, in every shape, and what their profiles show: never an e-mail address.

use super::*;

#[test]
fn authors_are_read_in_every_shape() {
    for (head, slugs) in [
        ("authors: [Ann Lee, ben]", vec!["ann-lee", "ben"]),
        ("authors: Ann Lee ", vec!["ann-lee"]),
        ("author: Ann Lee", vec!["ann-lee"]),
        ("author: {name: Ann, email: ann@example.org}", vec!["ann"]),
        ("authors: [{name: Ann, link: x}, null, '', {title: Ben}]", vec!["ann", "ben"]),
        ("author: Ann <ann@example.org>", vec!["ann"]),
        ("author: ann@example.org", vec![]),
        ("params: {authors: [ann]}", vec!["ann"]),
        ("params: {author: {name: ann}}", vec!["ann"]),
        ("{authors: [], author: ann}", vec!["ann"]),
        ("authors: null", vec![]),
        ("writers: [ann]", vec!["ann"]),
        ("authors: [ann, Ann, ANN ]", vec!["ann"]),
    ] {
        let site = Site::new(&[
            ("content/post/a.md", &format!("---\n{head}\n---\nx")),
            ("hugo.yaml", "taxonomies: {writer: writers}"),
        ]);
        let scan = site.scan();
        assert_eq!(scan.entries[0].authors, slugs, "{head}");
        assert!(!format!("{scan:?}").contains("@example.org"), "{head}");
    }
}

#[test]
fn profiles_are_found_by_the_four_lookups() {
    let scan = Site::new(&[
        ("content/authors/ann/_index.md", "---\ntitle: Ann of content\nsuperuser: true\n---\n"),
        ("content/authors/lee-cy/_index.md", "---\ntitle: Cy\nauthors: [cy-lee]\nsuperuser: true\n---\n"),
        ("data/authors/ann.yaml", "name: {display: Ann of data}\n"),
        ("data/authors/ben.yaml", "schema: hugoblox/author/v1\nname: {display: Ben B}\nbio: '*Hi*'\n"),
        ("data/authors/Dee Dee.toml", "title = 'Dee'\n"),
        ("data/authors/eve.json", "{\"name\": {\"given\": \"Eve\", \"family\": \"E\"}}"),
        ("data/authors/broken.yaml", "a: [\n"),
        ("content/post/a.md", "---\nauthors: [ann, Ben, cy-lee, dee-dee, eve, Fay F]\n---\nx"),
        ("content/post/b.md", "x"),
    ])
    .scan();
    assert_eq!(scan.entries[0].authors, ["ann", "ben", "lee-cy", "dee-dee", "eve", "fay-f"]);
    assert!(scan.entries[1].authors.is_empty());
    let names: Vec<_> = scan.authors.iter().map(|author| author.name.as_str()).collect();
    assert_eq!(names, ["Ann of content", "Ben B", "Dee", "Eve E", "Fay F", "Cy"]);
    assert_eq!(scan.authors[1].bio, "<p><em>Hi</em></p>");
    let files: Vec<String> = said(&scan).into_iter().map(|(file, _)| file).collect();
    assert_eq!(files, ["content/post/a.md", "data/authors/broken.yaml"]);
}

#[test]
fn a_name_is_shown_without_an_address_of_mail() {
    let scan = Site::new(&[
        ("content/authors/ann/_index.md", "---\ntitle: ann@example.org (Ann A.)\n---\n"),
        ("content/authors/bo/_index.md", "---\ntitle: bo@example.org\n---\n"),
        (
            "content/post/a.md",
            "---\nauthors: [ann, bo, Cy (cy@example.org), 'Dee <dee@example.org>', eve@example.org, '@fay@m.example', '']\n---\nx",
        ),
    ])
    .scan();
    let names: Vec<_> = scan.authors.iter().map(|author| author.name.as_str()).collect();
    assert_eq!(names, ["@fay@m.example", "Ann A.", "bo", "Cy", "Dee"]);
    let shown = format!("{scan:?}");
    assert!(!["ann", "bo", "cy", "dee", "eve"].iter().any(|name| shown.contains(&format!("{name}@example.org"))));
}

#[test]
fn a_profile_that_cannot_be_read_is_known_as_such() {
    let scan = Site::new(&[
        ("content/authors/Ann Lee/_index.md", "---\ntitle: [\n---\n"),
        ("content/authors/sub/deep/_index.md", "---\ntitle: [\n---\n"),
        ("content/post/_index.md", "---\ntitle: Posts\n---\n"),
        ("data/authors/bo.yaml", "a: [\n"),
        ("content/post/a.md", "---\nauthors: [Ann Lee, bo]\n---\nx"),
    ])
    .scan();
    assert_eq!(scan.unread_profiles.iter().collect::<Vec<_>>(), ["ann-lee", "bo"]);
    assert!(scan.complete && scan.authors.iter().all(|author| !author.has_profile));
}

const PROFILE: &str = "---
title: Ann
role: Ferry master
email: ann@example.org
bio: 'Write to [me](mailto:ann@example.org) or ann@example.org, or @ann@m.example.'
organizations: [{name: Ferries & Co, url: 'https://f.example/'}, {name: Guild}]
social:
  - {icon: envelope, link: 'mailto:ann@example.org'}
  - {icon: envelope, link: '/#contact'}
  - {icon: brands/mastodon, icon_pack: fab, link: 'https://m.example/@ann@m.example'}
  - {icon: phone, link: 'tel:123'}
  - {label: ann@example.org, link: 'https://x.example/'}
  - {icon: cv, link: uploads/cv.pdf}
  - null
---
";

#[test]
fn links_and_roles_are_fields_only_where_the_operator_wants_them() {
    let site = Site::new(&[("content/authors/ann/_index.md", PROFILE)]);
    let scanned = site.scan();
    let link = |to: &str, shown: &str| format!("<a href=\"{to}\" rel=\"me nofollow noopener\">{shown}</a>");
    let expected = [
        ("Role", "Ferry master".to_owned()),
        ("Organisation", link("https://f.example/", "Ferries &amp; Co")),
        ("Organisation", "Guild".to_owned()),
        ("Mastodon", link("https://m.example/@ann@m.example", "m.example/@ann@m.example")),
        ("Cv", link("https://site.example/uploads/cv.pdf", "site.example/uploads/cv.pdf")),
    ];
    let fields: Vec<_> = scanned.authors[0].fields.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    assert_eq!(fields, expected);
    assert_eq!(scanned.authors[0].bio, "<p>Write to me or , or @ann@m.example.</p>");
    assert!(!format!("{scanned:?}").contains("ann@example.org"));

    let settings = Settings { profile_fields: false, ..site.settings() };
    let without = scan(&settings, Memory::new(), now(), &mut |_, _| {}).expect("a scan");
    assert!(without.authors[0].fields.is_empty());
    assert_ne!(without.authors[0].fingerprint, scanned.authors[0].fingerprint, "turning it on is a change");
}

#[test]
fn only_a_change_of_the_profile_changes_its_fingerprint() {
    let print =
        |text: &str| Site::new(&[("content/authors/ann/_index.md", text)]).scan().authors[0].fingerprint.clone();
    let first = print(PROFILE);
    for same in
        [PROFILE.replace('\n', "\r\n"), PROFILE.replace("title: Ann", "title: Ann \nweight: 3\nuser_groups: [x]")]
    {
        assert_eq!(print(&same), first, "{same}");
    }
    for (from, to) in
        [("title: Ann", "title: Anne"), ("Write to", "Write"), ("Ferry master", "Master"), ("Guild", "Guilds")]
    {
        assert_ne!(print(&PROFILE.replace(from, to)), first, "{to}");
    }
}
