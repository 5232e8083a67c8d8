//! The emoji of a like (interop E13, FEP-c0e0).

use serde_json::Value;

/// Longest reaction kept, in characters: an emoji of several parts, and a `:shortcode:`.
const EMOJI_MAX: usize = 12;
const SHORTCODE_MAX: usize = 64;

/// The emoji of a reaction, or the `:shortcode:` of one. Words are ignored: no moderator sees them (E13, FEP-c0e0).
pub(crate) fn reaction_emoji(activity: &Value) -> Option<String> {
    let text = ["content", "_misskey_reaction"].iter().find_map(|key| activity.get(*key)?.as_str())?.trim();
    let is_shortcode = text.len() > 2 && text.len() <= SHORTCODE_MAX && text.starts_with(':') && text.ends_with(':');
    let is_named = is_shortcode && text.chars().all(|c| c.is_ascii_alphanumeric() || ":_-+.@".contains(c));
    // Every emoji has a sign beyond ASCII, and no letter: a heart as little as a flag or a family. What turns text round
    // (U+202A and on) joins nothing.
    let is_sign = |c: char| c >= '\u{a9}' && !('\u{2000}'..='\u{206f}').contains(&c) && c != '\u{fe0f}';
    let is_part = |c: char| c.is_ascii_digit() || "#*\u{200d}".contains(c) || c == '\u{fe0f}' || is_sign(c);
    let is_emoji = text.chars().count() <= EMOJI_MAX
        && text.chars().any(|c| is_sign(c) || c == '\u{20e3}')
        && text.chars().all(|c| is_part(c) && !c.is_alphabetic() && !c.is_whitespace());
    (is_named || is_emoji).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reaction_is_an_emoji_or_the_name_of_one_e13() {
        let of = |content: &str| reaction_emoji(&json!({ "type": "EmojiReact", "content": content }));
        for sign in ["👍", "❤️", "1️⃣", "🇳🇱", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁷󠁬󠁳󠁿", ":blobcat:", ":blob_cat@m.example:"]
        {
            assert_eq!(of(sign).as_deref(), Some(sign));
        }
        for words in ["", "buy", "купи", "ferry.example", ":not a name:", "::", "👍 👍", "\u{202e}", &"👍".repeat(20)]
        {
            assert_eq!(of(words), None, "{words:?}");
        }
    }
}
