//! Text of others as it is put into a page: cleaned once more (interop E22), with our copies of its pictures.

use std::collections::HashMap;
use std::fmt::Write;

use html::{Piece, escape, pieces};

use crate::activitypub::incoming::Emoji;
use crate::base::ids::ArticleId;
use crate::model::interaction::conversation::media::{MediaRef, MediaUrls};
use crate::model::interaction::{Person, Shown, Words};
use crate::web::conversation::document::name_emoji;

/// Longest name shown, in characters.
const NAME_MAX: usize = 80;

/// Pictures of custom emoji, by shortcode.
pub(super) type Signs = HashMap<String, String>;

/// The custom emoji of a list that are shown.
fn signs(emoji: &[Emoji], album: &mut MediaUrls, spot: impl Fn(usize) -> Option<MediaRef>) -> Signs {
    let show =
        |(number, emoji): (usize, &Emoji)| Some((emoji.shortcode.clone(), album.show(spot(number)?, &emoji.url)?));
    emoji.iter().enumerate().filter_map(show).collect()
}

/// The custom emoji of a reply.
pub(super) fn signs_of(shown: &Shown, words: &Words, album: &mut MediaUrls) -> Signs {
    signs(&words.emoji, album, |number| Some(MediaRef::Emoji(shown.row, number)))
}

/// Clean HTML of a reply.
pub(super) fn reply(words: &Words, signs: &Signs) -> String {
    with_signs(&html::clean_strangers_again(&words.content), signs)
}

/// A tag as pages have it: what may be wider than the page can be scrolled by keyboard too (WCAG 2.1.1).
fn tag(clean: &str) -> &str {
    match clean {
        "<pre>" => r#"<pre tabindex="0">"#,
        "<table>" => r#"<table tabindex="0">"#,
        other => other,
    }
}

/// Plain text of a reply as HTML.
pub(super) fn line(text: &str, signs: &Signs) -> String {
    with_signs(&escape(&html::straight(text)), signs)
}

/// An account's name as HTML.
pub(super) fn name(who: &Person, album: &mut MediaUrls) -> String {
    let signs = signs(&who.emoji, album, |number| name_emoji(who, number));
    with_signs(&escape(&plain_name(who)), &signs)
}

/// An account's name as plain text, no longer than a name is.
pub(super) fn plain_name(who: &Person) -> String {
    cut(&who.name, NAME_MAX)
}

pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
        None => text.to_owned(),
    }
}

/// Clean HTML with pictures for shortcodes between tags; within code they stay.
fn with_signs(clean: &str, signs: &Signs) -> String {
    let (mut out, mut in_code) = (String::with_capacity(clean.len()), 0_usize);
    for piece in pieces(clean) {
        match piece {
            Piece::Tag(found) => {
                if found.starts_with("<code") || found.starts_with("<pre") {
                    in_code += 1;
                } else if found.starts_with("</code") || found.starts_with("</pre") {
                    in_code = in_code.saturating_sub(1);
                }
                out.push_str(tag(found));
            }
            Piece::Text(text) if in_code > 0 || signs.is_empty() => out.push_str(text),
            Piece::Text(text) => put_signs(text, signs, &mut out),
        }
    }
    out
}

fn put_signs(text: &str, signs: &Signs, out: &mut String) {
    let mut rest = text;
    while let Some(start) = rest.find(':') {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let end = from.get(1..).and_then(|after| after.find(':')).map(|end| end + 2);
        let word = end.and_then(|end| from.get(..end));
        if let Some((word, picture)) = word.and_then(|word| Some((word, signs.get(word)?))) {
            let (word, picture) = (escape(word), escape(picture));
            // Writing to a String never fails.
            let _ = write!(out, r#"<img class="sign" src="{picture}" alt="{word}" title="{word}" loading="lazy">"#);
            rest = from.get(end.unwrap_or(1)..).unwrap_or_default();
        } else {
            out.push(':');
            rest = from.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
}

/// Clean HTML of an article, its pictures replaced by our copies; those that are not shown become links to the
/// original.
pub(super) fn article(id: ArticleId, content: &str, album: &mut MediaUrls) -> String {
    let clean = html::clean(content);
    let mut out = String::with_capacity(clean.len());
    // Numbered as [`figures`] numbers them.
    let mut number = 0;
    for piece in pieces(&clean) {
        let Some((url, alt)) = figure(piece) else {
            out.push_str(match piece {
                Piece::Tag(found) => tag(found),
                Piece::Text(text) => text,
            });
            continue;
        };
        if let Some(picture) = album.show(MediaRef::Figure(id, number), &url) {
            let _ = write!(out, r#"<img src="{}" alt="{}" loading="lazy">"#, escape(&picture), escape(&alt));
        } else {
            let text = if alt.trim().is_empty() { &url } else { &alt };
            let _ = write!(out, r#"<a href="{}" rel="nofollow noopener">{}</a>"#, escape(&url), escape(text));
        }
        number += 1;
    }
    out
}

/// The addresses of the pictures in an article, in order.
pub(in crate::web) fn figures(content: &str) -> Vec<String> {
    pieces(&html::clean(content)).filter_map(figure).map(|(url, _)| url).collect()
}

/// The address and text of a picture.
fn figure(piece: Piece<'_>) -> Option<(String, String)> {
    let Piece::Tag(tag) = piece else { return None };
    let attributes = tag.strip_prefix("<img ")?;
    Some((attribute(attributes, "src")?, attribute(attributes, "alt").unwrap_or_default()))
}

/// The value of an attribute in the cleaner's spelling.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some((found, after)) = rest.split_once("=\"") {
        let (value, next) = after.split_once('"')?;
        if found.trim() == name {
            return Some(html::unescape(value));
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs() -> Signs {
        HashMap::from([
            (":blob:".to_owned(), "/pictures/e1".to_owned()),
            (":a_b:".to_owned(), "/pictures/e2".to_owned()),
        ])
    }

    #[test]
    fn emoji_are_pictures_between_tags_alone() {
        let picture = |n: u8, word: &str| {
            format!(r#"<img class="sign" src="/pictures/e{n}" alt=":{word}:" title=":{word}:" loading="lazy">"#)
        };
        let (blob, other) = (picture(1, "blob"), picture(2, "a_b"));
        for (clean, expected) in [
            ("<p>10:30:blob: ok</p>", format!("<p>10:30{blob} ok</p>")),
            ("<p>:blob::a_b::x:</p>", format!("<p>{blob}{other}:x:</p>")),
            (
                r#"<a href="https://m.example/:blob:" rel="x">:</a>"#,
                r#"<a href="https://m.example/:blob:" rel="x">:</a>"#.to_owned(),
            ),
            (
                r#"<a href="https://m.example/?a=>:blob:<">b</a>"#,
                r#"<a href="https://m.example/?a=>:blob:<">b</a>"#.to_owned(),
            ),
            ("<pre><code>:blob:</code></pre>:blob:", format!("<pre tabindex=\"0\"><code>:blob:</code></pre>{blob}")),
            (":", ":".to_owned()),
            (":blob", ":blob".to_owned()),
            ("é:blob:é", format!("é{blob}é")),
        ] {
            assert_eq!(with_signs(clean, &signs()), expected);
        }
    }

    #[test]
    fn names_cannot_change_what_is_around_them() {
        assert_eq!(line("<b>\u{202e}evil\u{2066}</b>", &Signs::new()), "&lt;b&gt;evil&lt;/b&gt;");
        assert_eq!(cut(&"é".repeat(100), NAME_MAX).chars().count(), NAME_MAX + 1);
    }

    #[test]
    fn what_is_wide_can_be_scrolled_by_keyboard() {
        let wide = "<pre><code>let x;</code></pre><table><tr><td>1</td></tr></table>";
        let tabbed = "<pre tabindex=\"0\"><code>let x;</code></pre><table tabindex=\"0\"><tr><td>1</td></tr></table>";
        assert_eq!(with_signs(wide, &Signs::new()), tabbed);
        assert_eq!(with_signs("<p>&lt;pre&gt;</p>", &signs()), "<p>&lt;pre&gt;</p>");
    }

    #[test]
    fn the_pictures_of_an_article_are_found_again() {
        let content = r#"<p>A<img alt="a &quot;b&quot;" src="https://example.org/a.png?x=1&amp;y=2"><img src="https://example.org/b.png" alt=""></p><img alt="no address">"#;
        assert_eq!(figures(content), ["https://example.org/a.png?x=1&y=2", "https://example.org/b.png"]);
    }
}
