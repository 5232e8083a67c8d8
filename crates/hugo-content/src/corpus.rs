//! The connector on the shared corpus, against the list that Hugo itself made of it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clock::Timestamp;
use url::Url;

use super::{Memory, Settings, scan};
use crate::entry::Visibility;
use crate::scan::Warning;

/// The shared corpus, or `None` where it may be absent.
fn corpus() -> Option<PathBuf> {
    let shared = std::env::var_os("VEERPONT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = shared.join("corpus/alkemio-foundation");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "the shared corpus is not at {}", folder.display());
    println!("SKIPPED: the shared corpus is not at {}; set VEERPONT_SHARED to its folder", folder.display());
    None
}

/// Lines of comma-separated values, with quotes as in RFC 4180.
pub(super) fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted => {}
            c => cell.push(c),
        }
    }
    rows
}

#[test]
fn the_corpus_is_read_as_hugo_reads_it() {
    let Some(root) = corpus() else { return };
    let expected = std::fs::read_to_string(root.join("EXPECTED-hugo-list.csv")).expect("the expected list");
    let public_url = Url::parse("https://www.alkemio.org/").expect("an address");
    let now = Timestamp::parse_rfc3339("2026-11-01T12:00:00Z").expect("a date");
    let settings = Settings::new(root, public_url, vec!["post".to_owned()]);
    let scan = scan(&settings, Memory::new(), now, &mut |_, _| {}).expect("a scan");

    let ours: Vec<_> = scan
        .entries
        .iter()
        .map(|entry| {
            (entry.file.clone(), entry.title.clone(), entry.published.map(Timestamp::rfc3339), entry.url.clone())
        })
        .collect();
    let mut hugos: Vec<_> = csv(&expected)
        .into_iter()
        .skip(1)
        .map(|row| {
            let title = row[2].trim().to_owned();
            (
                row[0].clone(),
                title,
                Some(row[3].clone()),
                row[7].replace("https://site.example/", "https://www.alkemio.org/"),
            )
        })
        .collect();
    hugos.sort_by_key(|row| row.0.clone());
    assert_eq!(ours, hugos);
    assert_eq!(ours.len(), 30);

    assert!(scan.complete && scan.unreadable.is_empty());
    assert!(scan.entries.iter().all(|entry| entry.visibility == Visibility::Public { until: None }));
    assert!(scan.entries.iter().all(|entry| !entry.summary.is_empty()));
    let dutch: Vec<_> = scan.entries.iter().filter(|entry| entry.language != "en").collect();
    let dutch: Vec<_> = dutch.iter().map(|entry| (entry.key.as_str(), entry.language.as_str())).collect();
    assert_eq!(dutch, [("post/2022-04-vng", "nl"), ("post/2022-06-riconline", "nl")]);
    // The corpus is text alone.
    let is_picture = |warning: &&Warning| warning.message.starts_with("the picture `");
    assert_eq!(scan.warnings.iter().filter(is_picture).count(), 47);
    let others = scan.warnings.iter().filter(|warning| !is_picture(warning));
    let said: Vec<_> = others.map(|warning| (warning.file.clone(), warning.line)).collect();
    assert_eq!(
        said,
        [
            ("content/en/authors/spoelstra-flori/_index.md".to_owned(), Some(46)),
            ("content/en/post/2022-06-28-domain/index.md".to_owned(), Some(23)),
            ("content/en/post/2022-06-30-one-year/index.md".to_owned(), Some(23)),
        ]
    );
    assert_eq!(scan.authors.len(), 52);
    assert!(scan.authors.iter().all(|author| author.has_profile));
    let used: BTreeSet<_> = scan.entries.iter().flat_map(|entry| &entry.authors).collect();
    assert_eq!(used.len(), 17);

    let again = super::scan(&settings, Memory::new(), now, &mut |_, _| {}).expect("a second scan");
    assert_eq!((again.entries, again.authors, again.warnings), (scan.entries, scan.authors, scan.warnings));
}
