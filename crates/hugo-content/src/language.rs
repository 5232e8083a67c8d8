//! Which language a post is in, where the site does not say it (interop B15).

use std::sync::LazyLock;

use regex::Regex;
use whatlang::Lang;

/// Letters; with fewer, the detector guesses.
const LEAST: usize = 200;

/// From 0 to 1.
const SURE: f64 = 0.9;

/// The language of a text if it is long enough and clearly not in `expected`; code does not count.
pub(super) fn detected(content: &str, expected: &str) -> Option<&'static str> {
    static CODE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?s)<pre>.*?</pre>|<code[^>]*>.*?</code>").ok());
    let prose = CODE.as_ref()?.replace_all(content, " ");
    let text = html::text(&prose);
    if text.chars().filter(|c| c.is_alphabetic()).count() < LEAST {
        return None;
    }
    let found = whatlang::detect(&text).filter(|found| found.is_reliable() && found.confidence() >= SURE)?;
    let tag = tag(found.lang())?;
    let primary = expected.split('-').next().unwrap_or(expected);
    // Two names of the same: Norwegian is written in one of its two forms.
    let same = primary == tag || (primary == "no" && tag == "nb");
    (!same).then_some(tag)
}

/// BCP 47 wants the shorter code where there are two.
fn tag(language: Lang) -> Option<&'static str> {
    Some(match language {
        Lang::Eng => "en",
        Lang::Nld => "nl",
        Lang::Deu => "de",
        Lang::Fra => "fr",
        Lang::Spa => "es",
        Lang::Por => "pt",
        Lang::Ita => "it",
        Lang::Cat => "ca",
        Lang::Ron => "ro",
        Lang::Dan => "da",
        Lang::Swe => "sv",
        Lang::Nob => "nb",
        Lang::Fin => "fi",
        Lang::Est => "et",
        Lang::Lav => "lv",
        Lang::Lit => "lt",
        Lang::Pol => "pl",
        Lang::Ces => "cs",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Hun => "hu",
        Lang::Tur => "tr",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Bel => "be",
        Lang::Bul => "bg",
        Lang::Ell => "el",
        Lang::Ara => "ar",
        Lang::Heb => "he",
        Lang::Pes => "fa",
        Lang::Hin => "hi",
        Lang::Ben => "bn",
        Lang::Cmn => "zh",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Vie => "vi",
        Lang::Tha => "th",
        Lang::Ind => "id",
        Lang::Epo => "eo",
        Lang::Afr => "af",
        Lang::Cym => "cy",
        // Those whose neighbours read alike, or that few sites are written in: as the site says.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUTCH: &str = "<p>De veerpont vaart elke dag van de ene oever naar de andere. Wie te laat komt, wacht een uur aan de \
        kade en ziet het water stijgen. Vroeger roeide de veerman zelf, tegenwoordig doet een motor het werk, maar het uitzicht \
        over de rivier is hetzelfde gebleven.</p>";

    #[test]
    fn only_a_long_text_that_is_clearly_in_another_language_gets_it() {
        assert_eq!(detected(DUTCH, "en"), Some("nl"));
        assert_eq!(detected(DUTCH, "nl-BE"), None);
        assert_eq!(detected("<p>Een korte tekst in het Nederlands.</p>", "en"), None);
        assert_eq!(detected(&format!("<pre><code>{DUTCH}</code></pre>"), "en"), None);
        let english = "<p>The ferry sails every day from one bank to the other. Who comes too late waits an hour on the quay \
            and watches the water rise. The ferryman used to row; nowadays an engine does the work, but the view over the river \
            has remained what it was, and on Sundays half the town comes down to the river to look at it.</p>";
        assert_eq!(detected(english, "en"), None);
        assert_eq!(detected(english, "nl"), Some("en"));
        assert_eq!(detected(&"<p>1234 5678 +++ --- ===</p>".repeat(50), "en"), None);
    }
}
