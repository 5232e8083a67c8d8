//! The collected corpus of `fuzz/`, read by the checks of the fuzz targets.

#![allow(clippy::expect_used, reason = "a test may stop where it finds the world broken")]

#[path = "../../fuzz/src/lib.rs"]
pub mod checks;

use std::path::Path;

use veerpont::net::signature::{self, Received};

/// Feeds every file of a target's corpus to its check; says how many there were.
fn feed(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files: Vec<_> =
        std::fs::read_dir(&folder).expect("a corpus").map(|file| file.expect("a file").path()).collect();
    assert!(files.len() >= 5, "{} holds {} files", folder.display(), files.len());
    for file in files {
        check(&std::fs::read(&file).expect("a file is read"));
    }
}

#[test]
fn the_corpus_of_signed_requests_holds() {
    feed("signed_request", checks::signed_request);
}

#[test]
fn the_corpus_of_inbound_documents_holds() {
    feed("inbound", checks::inbound);
}

#[test]
fn the_corpus_of_hostile_html_holds() {
    feed("hostile_html", checks::hostile_html);
}

#[test]
fn the_corpus_of_front_matter_holds() {
    feed("front_matter", checks::front_matter);
}

#[test]
fn whole_signed_requests_of_the_corpus_get_as_far_as_their_keys() {
    for file in ["whole", "rfc9421-whole", "rfc9421-labels"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/signed_request").join(file);
        let text = std::fs::read_to_string(path).expect("text");
        let (head, body) = text.split_once("\n\n").expect("a body");
        let mut headers = http::HeaderMap::new();
        for (name, value) in head.lines().filter_map(|line| line.split_once(": ")) {
            headers.append(http::HeaderName::try_from(name).expect("a name"), value.parse().expect("a value"));
        }
        let received = Received {
            method: &http::Method::POST,
            path_and_query: "/ap/inbox?a=b",
            headers: &headers,
            body: body.as_bytes(),
        };
        let read = signature::read(&received, &checks::NAMES, checks::NOW);
        assert!(read.is_ok(), "{file}: {read:?}");
    }
}
