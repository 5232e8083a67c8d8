//! What a site says of an author.

use serde::{Deserialize, Serialize};

use crate::entry::Image;

/// Someone who writes on the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorProfile {
    /// The site's own name for the person.
    pub slug: String,
    /// Display name, plain text.
    pub name: String,
    /// Clean HTML, possibly empty.
    pub bio: String,
    /// The profile picture.
    pub avatar: Option<Image>,
    /// Profile fields: a plain name, and clean HTML; only where the operator opted in. Never an e-mail.
    #[serde(default)]
    pub fields: Vec<(String, String)>,
    /// Whether the site has a profile for them, rather than only a name on a post.
    pub has_profile: bool,
    /// What the profile says, as `version:sha256-hex` over its source fields, never over what we make of them: as a
    /// post's, another hash is an edit, another version only a new way of counting.
    #[serde(default)]
    pub fingerprint: String,
    /// Where the profile was read, relative to the source.
    pub file: Option<String>,
}
