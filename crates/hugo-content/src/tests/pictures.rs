//! Covers and pictures: where they are found, how large they are, and what is said when they are not there.

use super::*;

/// The head of a PNG of this size, which is all that is read.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

#[test]
fn covers_are_found_where_themes_keep_them() {
    for (head, file, address, alt) in [
        ("image: {caption: x, alt_text: A}", "content/post/a/featured.jpg", "post/a/featured.jpg", "A"),
        ("image: {filename: b.webp, preview_only: true}", "content/post/a/b.webp", "post/a/b.webp", ""),
        ("image: {filename: m.png}", "assets/media/m.png", "media/m.png", ""),
        ("image: /img/c.png", "static/img/c.png", "img/c.png", ""),
        ("images: [img/d.png, e.png]", "static/img/d.png", "img/d.png", ""),
        ("images: [{src: img/d.png}]", "static/img/d.png", "img/d.png", ""),
        ("cover: {image: f.png, alt: F, relative: true}", "content/post/a/f.png", "post/a/f.png", "F"),
        ("{featured_image: /g.png, image_alt: G}", "static/g.png", "g.png", "G"),
        ("featuredImage: h.png", "content/post/a/h.png", "post/a/h.png", ""),
        ("thumbnail: {src: /i.png}", "static/i.png", "i.png", ""),
        ("params: {cover: j.png}", "content/post/a/j.png", "post/a/j.png", ""),
        ("title: t", "content/post/a/cover-k.png", "post/a/cover-k.png", ""),
    ] {
        let site = Site::new(&[("content/post/a/index.md", &format!("---\n{head}\n---\nx")), (file, "")]);
        std::fs::write(site.0.path().join(file), png(640, 480)).expect("a picture");
        let scan = site.scan();
        let image = scan.entries[0].image.as_ref().unwrap_or_else(|| panic!("no cover for {head}"));
        assert_eq!(image.url, format!("https://site.example/{address}"), "{head}");
        // By what the file is, not by what it is called.
        assert_eq!((image.alt.as_str(), image.media_type.as_str()), (alt, "image/png"), "{head}");
        assert_eq!((image.width, image.height), (Some(640), Some(480)), "{head}");
        assert_eq!(scan.warnings.is_empty(), !file.starts_with("assets"), "{head}: {:?}", scan.warnings);
    }
}

#[test]
fn a_picture_that_is_not_there_keeps_its_link_and_is_told() {
    let body = "x\n\n![a](./no%20such.png) ![b](there.png) ![c](https://a.example/c.png) ![d](/static.png)\n";
    let site = Site::new(&[
        ("content/post/a/index.md", &format!("---\nimage: gone.jpg\n---\n{body}")),
        ("content/post/a/there.png", ""),
        ("content/post/b/index.md", "---\nimage: {filename: ../../../hugo.yaml.png}\n---\nx"),
        ("content/post/c.md", "---\nimage: https://a.example/c.gif\n---\nx"),
    ]);
    let scan = site.scan();
    let first = &scan.entries[0];
    let cover = first.image.as_ref().expect("a cover");
    assert_eq!((cover.url.as_str(), cover.width), ("https://site.example/gone.jpg", None));
    assert!(first.content.contains("src=\"https://site.example/post/a/no%20such.png\""), "{}", first.content);
    assert_eq!(scan.entries[2].image.as_ref().expect("a cover").media_type, "image/gif");
    let expected = [
        ("content/post/a/index.md".to_owned(), None),
        ("content/post/a/index.md".to_owned(), None),
        ("content/post/b/index.md".to_owned(), None),
    ];
    assert_eq!(said(&scan), expected);
}
