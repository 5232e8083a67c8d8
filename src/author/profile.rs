//! What a source says of an author.

use serde::{Deserialize, Serialize};

use crate::activity::Image;

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
