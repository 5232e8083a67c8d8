//! What a source says: the shape every connector brings its posts and authors into.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// One look at a source.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Scan {
    /// Every post that could be read, public or not, in the order of their keys.
    pub entries: Vec<Entry>,
    /// Every author profile, and every author without a profile that a post names.
    pub authors: Vec<AuthorProfile>,
    /// Keys of posts whose files are there but could not be read: they count as present.
    pub unreadable: BTreeSet<String>,
    /// Everything the operator should know.
    pub warnings: Vec<Warning>,
    /// Whether the whole source was walked without an I/O error: only then may absence mean removal.
    pub complete: bool,
}

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
    /// Clean HTML of paragraphs, at most 500 characters of text (interop B2); empty when there is none.
    pub summary: String,
    /// Clean HTML with absolute addresses (interop B23).
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
    /// On the site but not for the fediverse, or not rendered at all.
    Withheld,
}

/// A picture that belongs to a post or a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Absolute address.
    pub url: String,
    /// For those who cannot see it; empty when the site has none.
    pub alt: String,
    /// `image/png` and the like.
    pub media_type: String,
}

/// Someone who writes on the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorProfile {
    /// The source's own name for the person.
    pub slug: String,
    /// Display name, plain text.
    pub name: String,
    /// Clean HTML, possibly empty.
    pub bio: String,
    /// The profile picture.
    pub avatar: Option<Image>,
    /// Whether the site has a profile for them, rather than only a name on a post.
    pub has_profile: bool,
    /// Where the profile was read, relative to the source.
    pub file: Option<String>,
}

/// Something odd in the source that did not stop the scan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// Relative to the source.
    pub file: String,
    /// Counted from 1.
    pub line: Option<u64>,
    /// What is odd, what was done about it, and how to mend it.
    pub message: String,
}
