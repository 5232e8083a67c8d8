//! The authors' names at the end of the summary, since Mastodon shows no `content` (interop B1).

use super::ArticleContent;
use crate::activitypub::escape;

/// The summary, and after it the byline as one paragraph more where `attributedTo` alone would not tell the authors:
/// with several authors, or when the team account signs. Empty when there is neither.
pub(super) fn summary_with_byline(content: &ArticleContent) -> String {
    let summary = content.summary.trim();
    match content.byline.as_slice() {
        [] => summary.to_owned(),
        [_] if !content.owner_is_team => summary.to_owned(),
        names => {
            // Where paragraphs are shown as one line, the words would run into each other.
            let space = if summary.is_empty() { "" } else { "\n" };
            format!("{summary}{space}<p>{}</p>", byline(names, &content.language))
        }
    }
}

/// `By A, B and C`, as HTML; in English where the language is not known here.
fn byline(names: &[String], language: &str) -> String {
    let subtag = language.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
    let (by, and) = match subtag.as_str() {
        "de" => ("Von", "und"),
        "fr" => ("Par", "et"),
        "it" => ("Di", "e"),
        "nl" => ("Door", "en"),
        "pt" => ("Por", "e"),
        _ => ("By", "and"),
    };
    let names: Vec<String> = names.iter().map(|name| escape(name)).collect();
    match names.split_last() {
        Some((last, [])) => format!("{by} {last}"),
        Some((last, before)) => format!("{by} {} {and} {last}", before.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byline_speaks_the_language_of_the_post() {
        let names = ["A", "B", "C & D"].map(str::to_owned);
        for (language, expected) in [
            ("en", "By A, B and C &amp; D"),
            ("nl", "Door A, B en C &amp; D"),
            ("de-AT", "Von A, B und C &amp; D"),
            ("FR", "Par A, B et C &amp; D"),
            ("pt_BR", "Por A, B e C &amp; D"),
            ("it", "Di A, B e C &amp; D"),
            ("tlh", "By A, B and C &amp; D"),
            ("", "By A, B and C &amp; D"),
        ] {
            assert_eq!(byline(&names, language), expected);
        }
        assert_eq!(byline(&names[..1], "nl"), "Door A");
        assert_eq!(byline(&names[..2], "de"), "Von A und B");
    }
}
