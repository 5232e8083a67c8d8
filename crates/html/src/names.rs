//! Names and other short texts of strangers, without what deceives: what turns the direction of writing, what is not
//! seen, and user names that read like somebody else's handle.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::pattern;

/// Longest user name that is shown, in bytes.
const USERNAME_MAX: usize = 64;

/// What is shown in place of a user name that is none.
pub const UNNAMED: &str = "unnamed";

/// A user name as it may stand in a handle: letters, digits, `_`, `.` and `-` of ASCII, at most 64, with no `.` or `-` at
/// its ends. That is what Mastodon takes for one (`USERNAME_RE`), and nothing of it can be read as the `@host` of another.
#[must_use]
pub fn username(text: &str) -> Option<&str> {
    let is_inner = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.' | b'-');
    let fits = !text.is_empty() && text.len() <= USERNAME_MAX && text.bytes().all(is_inner);
    (fits && !text.starts_with(['.', '-']) && !text.ends_with(['.', '-'])).then_some(text)
}

/// A short text without controls, marks that turn the direction of writing, and characters that nobody sees: names and
/// warnings would change the text around them, or look like another's. What a script or an emoji needs stays: the
/// joiners within words of Arabic or Indic scripts, the signs of an emoji, variants of Han and Mongolian letters.
#[must_use]
pub fn straight(text: &str) -> Cow<'_, str> {
    /// Sequences that are kept whole, each by the group that it is; then what is left out.
    static UNSEEN: LazyLock<Regex> = LazyLock::new(|| {
        let joining = r"\p{Arabic}\p{Syriac}\p{Nko}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Khmer}\p{Myanmar}\p{Tibetan}\p{Balinese}";
        let letter = format!(r"[{joining}\p{{M}}--\p{{Default_Ignorable_Code_Point}}]");
        let emoji = r"\p{Extended_Pictographic}\x{FE0F}?\p{Emoji_Modifier}?";
        let kept = [
            // A flag of a part of a country: its letters are tags.
            r"\x{1F3F4}[\x{E0030}-\x{E0039}\x{E0061}-\x{E007A}]{1,8}\x{E007F}".to_owned(),
            format!(r"\p{{Extended_Pictographic}}\x{{FE0E}}|{emoji}(?:\x{{200D}}{emoji})*|[0-9#*]\x{{FE0F}}\x{{20E3}}"),
            format!(r"{letter}+(?:[\x{{200C}}\x{{200D}}]{letter}+)*"),
            r"\p{Han}[\x{FE00}-\x{FE02}\x{E0100}-\x{E01EF}]|\p{Mongolian}[\x{180B}-\x{180D}]".to_owned(),
        ];
        let out = r"[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cf}--\p{Prepended_Concatenation_Mark}]|[\p{Cc}--\s]|[\x{2028}\x{2029}]";
        pattern(&format!("({})|{out}", kept.join("|")))
    });
    UNSEEN.replace_all(text, |found: &Captures<'_>| found.get(1).map_or("", |kept| kept.as_str()).to_owned())
}

/// Somebody's name as it is shown: straight, on one line, and empty where nobody would see anything of it.
#[must_use]
pub fn name(text: &str) -> String {
    let words = straight(text).split_whitespace().collect::<Vec<_>>().join(" ");
    // The blank of braille is no white space, and as empty as one.
    if words.chars().all(|c| c.is_whitespace() || c == '\u{2800}') { String::new() } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_name_is_what_others_take_for_one() {
        for name in ["ann", "Ann_9", "a.b-c", "_x_", &"a".repeat(64)] {
            assert_eq!(username(name), Some(name));
        }
        let hostile = [
            "",
            "gargron@masto.test",
            "gargron@masto.test\u{200b}",
            "ann\u{202e}",
            "gаrgron",
            "a b",
            "<b>",
            ".ann",
            "ann-",
            "@ann",
        ];
        for name in hostile.into_iter().chain([&*"a".repeat(65)]) {
            assert_eq!(username(name), None, "{name:?}");
        }
    }

    #[test]
    fn what_deceives_goes() {
        let hidden = [
            "\u{202e}",
            "\u{202a}",
            "\u{2066}",
            "\u{2069}",
            "\u{200e}",
            "\u{200f}",
            "\u{61c}",
            "\u{200b}",
            "\u{200c}",
            "\u{200d}",
            "\u{2060}",
            "\u{feff}",
            "\u{ad}",
            "\u{34f}",
            "\u{3164}",
            "\u{ffa0}",
            "\u{115f}",
            "\u{180e}",
            "\u{fe0f}",
            "\u{e0041}",
            "\u{fff9}",
            "\u{7}",
            "\u{1b}",
            "\u{9b}",
            "\u{2028}",
            "\u{17b4}",
            "\u{1d173}",
        ];
        for c in hidden {
            assert_eq!(straight(&format!("an{c}n")), "ann", "{c:?}");
            assert_eq!(straight(&format!("{c}ann{c}{c}")), "ann", "{c:?}");
        }
        assert_eq!(straight("fl\u{1F3F4}\u{e0067}\u{e0062}x"), "fl\u{1F3F4}x", "tags that make no flag");
        assert_eq!(straight("a\u{200d}👩"), "a👩");
        assert_eq!(straight("👩\u{200d}\u{200d}\u{200d}x"), "👩x");
    }

    #[test]
    fn what_a_script_or_an_emoji_needs_stays() {
        let honest = [
            "Ann Example",
            "Zoë Ünïcode",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "ශ්\u{200d}රී",
            "👩\u{200d}🚀",
            "👨\u{200d}👩\u{200d}👧",
            "🏳\u{fe0f}\u{200d}🌈",
            "❤\u{fe0f}",
            "👩🏽\u{200d}💻",
            "🇳🇱",
            "3\u{fe0f}\u{20e3}",
            "☎\u{fe0e}",
            "\u{1F3F4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "葛\u{e0100}",
            "שלום",
            "one\ntwo",
            "a\u{a0}b",
            "\u{600}١٢",
            "e\u{301}",
        ];
        for name in honest {
            assert_eq!(straight(name), name, "{name:?}");
        }
    }

    #[test]
    fn a_name_is_one_line_or_nothing() {
        for (written, shown) in [
            (" Ann\n\tB ", "Ann B"),
            ("\u{2800}\u{2800}", ""),
            ("\u{200b} \u{3164}", ""),
            ("⠠⠁\u{2800}⠃", "⠠⠁\u{2800}⠃"),
        ] {
            assert_eq!(name(written), shown);
        }
    }

    #[test]
    fn straightening_twice_changes_nothing() {
        proptest::proptest!(|(text in "\\PC{0,20}[\u{200c}\u{200d}\u{fe0f}\u{e0067}\u{e007f}\u{1F3F4}👩क]{0,12}")| {
            let once = straight(&text).into_owned();
            proptest::prop_assert_eq!(straight(&once), once.as_str());
        });
    }
}
