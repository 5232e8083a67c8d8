//! A post as its site has it.

use clock::Timestamp;
use serde::{Deserialize, Serialize};

/// One post as its site has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The source's own name for the post, which survives a change of its address.
    pub key: String,
    /// Where it was read, relative to the source, for people.
    pub file: String,
    /// The public page, absolute.
    pub url: String,
    /// Plain text, trimmed.
    pub title: String,
    /// Clean HTML of paragraphs, at most 500 characters of text; empty when there is none.
    pub summary: String,
    /// Clean HTML with absolute addresses.
    pub content: String,
    /// BCP 47 tag.
    pub language: String,
    /// As the site writes them, without duplicates regardless of case.
    pub tags: Vec<String>,
    /// Slugs of the authors, in the order of the byline.
    pub authors: Vec<String>,
    /// The cover.
    pub image: Option<Image>,
    /// The date the post shows.
    pub published: Option<Timestamp>,
    /// The site's own date of last change, for people; never evidence of a change.
    pub modified: Option<Timestamp>,
    /// Whether the public may see it now, and until when that holds.
    pub visibility: Visibility,
    /// What the post says, as `version:sha256-hex` over its normalized source fields (title, body, summary,
    /// tags, authors, image, address), never over what we make of them: another hash is an edit,
    /// another version is only a new way of counting.
    pub fingerprint: String,
    /// SHA-256 in hex of the normalized body alone, by which a renamed post is recognised.
    pub body_hash: String,
    /// The site's own lasting id of the post, whatever its file and address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    /// Addresses it had before, absolute.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Not for public timelines; decides only when the article is made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlisted: bool,
    /// What is noted to know, at the next scan, whether it must be read again; nothing of the post itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// Whether the site shows a post to the public at the time of the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// Shown, until the expiry date if there is one.
    Public {
        /// When the site will take it down by itself.
        until: Option<Timestamp>,
    },
    /// Marked as a draft.
    Draft,
    /// Becomes public by itself at this time.
    Scheduled {
        /// The publication date.
        at: Timestamp,
    },
    /// Its expiry date has passed.
    Expired,
    /// On the site and kept from other places by the page's `fediverse: false`, or not rendered at all.
    Withheld,
}

/// A picture that belongs to an article or a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Absolute address.
    pub url: String,
    /// For those who cannot see it; empty when the site has none.
    pub alt: String,
    /// `image/png` and the like.
    pub media_type: String,
    /// Pixels, where the file could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels, where the file could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
}
