//! An account as pages show it.

use super::content;
use crate::model::interaction::Person;
use crate::model::interaction::conversation::media::MediaUrls;
use crate::web::conversation::document::avatar;

#[derive(Debug)]
pub(super) struct AccountCard {
    /// HTML.
    pub(super) name: String,
    /// As plain text.
    pub(super) plain: String,
    pub(super) handle: String,
    /// `None` where it is no web address.
    pub(super) url: Option<String>,
    pub(super) picture: Option<String>,
    /// Shown where there is no picture.
    pub(super) initial: String,
    pub(super) ours: bool,
    /// The emoji of their like.
    pub(super) reaction: Option<String>,
}

impl AccountCard {
    pub(super) fn new(who: &Person, album: &mut MediaUrls) -> Self {
        let plain = content::plain_name(who);
        let initial = plain.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().to_string());
        Self {
            name: content::name(who, album),
            // Whole: a handle without its host could be anybody's.
            handle: who.handle.clone(),
            url: web_address(&who.url),
            picture: avatar(who, album),
            initial: initial.unwrap_or_default(),
            ours: who.ours,
            reaction: None,
            plain,
        }
    }

    pub(super) fn with_reaction(self, reaction: Option<&str>) -> Self {
        // A custom emoji has no picture here.
        let sign = reaction.filter(|sign| !sign.starts_with(':') && sign.chars().count() <= 8);
        Self { reaction: sign.map(str::to_owned), ..self }
    }
}

/// An address that may be linked to.
pub(super) fn web_address(url: &str) -> Option<String> {
    (url.starts_with("https://") || url.starts_with("http://")).then(|| url.to_owned())
}
