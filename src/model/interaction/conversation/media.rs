//! Names of proxied pictures: each says in which row the original address is stored, so that nobody can have us fetch
//! another address.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};

use crate::app::App;
use crate::base::hex::hex;
use crate::base::ids::{ActorId, ArticleId, InteractionId, RemoteActorId};
use crate::config::Pictures;

const HASH: usize = 10;

/// Where the address of a picture is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaRef {
    /// The picture of a remote actor.
    Avatar(RemoteActorId),
    /// One of the emoji of their name.
    NameEmoji(RemoteActorId, usize),
    /// The picture of an actor of ours.
    LocalAvatar(ActorId),
    /// One of the emoji of a reply.
    Emoji(InteractionId, usize),
    /// One of the attachments of a reply.
    Attachment(InteractionId, usize),
    /// The cover of an article.
    Cover(ArticleId),
    /// One of the pictures in an article.
    Figure(ArticleId, usize),
}

impl MediaRef {
    /// Letter, row and number.
    const fn parts(self) -> (char, i64, usize) {
        match self {
            Self::Avatar(row) => ('f', row.0, 0),
            Self::NameEmoji(row, number) => ('n', row.0, number),
            Self::LocalAvatar(row) => ('o', row.0, 0),
            Self::Emoji(row, number) => ('e', row.0, number),
            Self::Attachment(row, number) => ('a', row.0, number),
            Self::Cover(row) => ('c', row.0, 0),
            Self::Figure(row, number) => ('i', row.0, number),
        }
    }

    fn of_parts(letter: char, row: i64, number: usize) -> Option<Self> {
        Some(match letter {
            'f' => Self::Avatar(RemoteActorId(row)),
            'n' => Self::NameEmoji(RemoteActorId(row), number),
            'o' => Self::LocalAvatar(ActorId(row)),
            'e' => Self::Emoji(InteractionId(row), number),
            'a' => Self::Attachment(InteractionId(row), number),
            'c' => Self::Cover(ArticleId(row)),
            'i' => Self::Figure(ArticleId(row), number),
            _ => return None,
        })
    }

    /// The name of the picture at `url` that is stored here. Another address has another name, so that browsers may
    /// keep the old one.
    pub(crate) fn name(self, url: &str) -> String {
        let (letter, row, number) = self.parts();
        format!("{letter}{row}-{number}-{}", hash(url))
    }

    /// Where the address of a picture with this name is stored, and its hash; only as [`MediaRef::name`] writes it.
    pub(crate) fn parse(name: &str) -> Option<(Self, &str)> {
        let letter = name.chars().next().filter(char::is_ascii_lowercase)?;
        let mut parts = name.get(1..)?.splitn(3, '-');
        let (row, number, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let spot = Self::of_parts(letter, row.parse().ok()?, number.parse().ok()?)?;
        let (_, row_again, number_again) = spot.parts();
        (row_again.to_string() == row && number_again.to_string() == number).then_some((spot, hash))
    }
}

/// The hash of an address in the name of its picture.
pub(crate) fn hash(url: &str) -> String {
    hex(digest(&SHA256, url.as_bytes()).as_ref().iter().take(HASH))
}

/// Gives pictures their addresses on the bridge, the same picture the same address in one answer.
#[derive(Debug)]
pub(crate) struct MediaUrls {
    proxied: bool,
    prefix: String,
    given: HashMap<String, String>,
}

impl MediaUrls {
    /// For pages of ours.
    pub(crate) fn for_pages(app: &App) -> Self {
        Self { proxied: app.config.pages.pictures == Pictures::Proxy, prefix: String::new(), given: HashMap::new() }
    }

    /// For those who show our conversations elsewhere: absolute addresses.
    pub(crate) fn for_others(app: &App) -> Self {
        Self { prefix: app.urls.origin().to_owned(), ..Self::for_pages(app) }
    }

    /// Where the picture at `url`, whose address is stored at `spot`, is shown; `None` where the operator shows none.
    pub(crate) fn show(&mut self, spot: MediaRef, url: &str) -> Option<String> {
        if !self.proxied || !(url.starts_with("https://") || url.starts_with("http://")) || is_svg(url) {
            return None;
        }
        let prefix = &self.prefix;
        let give = || format!("{prefix}/pictures/{}", spot.name(url));
        Some(self.given.entry(url.to_owned()).or_insert_with(give).clone())
    }
}

/// Whether a picture is an SVG, which may hold scripts, as far as its address tells: it would not be shown anyway.
fn is_svg(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("svg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_where_its_address_stands() {
        let url = "https://m.example/a.png";
        for spot in [
            MediaRef::Avatar(RemoteActorId(7)),
            MediaRef::NameEmoji(RemoteActorId(7), 3),
            MediaRef::LocalAvatar(ActorId(8)),
            MediaRef::Emoji(InteractionId(9), 0),
            MediaRef::Attachment(InteractionId(9), 31),
            MediaRef::Cover(ArticleId(1)),
            MediaRef::Figure(ArticleId(1), 2),
        ] {
            let name = spot.name(url);
            assert_eq!(MediaRef::parse(&name), Some((spot, hash(url).as_str())), "{name}");
        }
        let good = hash(url);
        for bad in ["", "f", "f7", "f7-0", "x7-0-a", "f07-0-a", "f7-+0-a", "é7-0-a", "f7-0x-a", "7-0-a"] {
            assert_eq!(MediaRef::parse(bad), None, "{bad} {good}");
        }
    }
}
