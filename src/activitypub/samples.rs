//! The ids and texts that the snapshots of this folder share.

use clock::Timestamp;
use hugo_content::Image;
use url::Url;
use uuid::Uuid;

use super::Urls;
use crate::base::ids::Handle;

pub(super) fn urls() -> Urls {
    let origin = Url::parse("https://social.example.org").expect("an address");
    Urls::new(&origin, Some("example.org")).expect("an origin")
}

pub(super) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(super) fn handle(text: &str) -> Handle {
    Handle::parse(text).expect("a handle")
}

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a date")
}

pub(super) fn image(url: &str, alt: &str, media_type: &str) -> Image {
    Image { url: url.to_owned(), alt: alt.to_owned(), media_type: media_type.to_owned(), width: None, height: None }
}
