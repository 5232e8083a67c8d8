//! Translations of pages, one file a language (`locales/*.ftl`), and which of them a reader prefers.

use std::str::FromStr;
use std::sync::LazyLock;

use clock::Timestamp;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_langneg::{NegotiationStrategy, negotiate_languages};
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;
use include_dir::{Dir, include_dir};
use unic_langid::LanguageIdentifier;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/web/pages/locales");

/// The default language, and the one for texts that another language lacks.
const USUAL: &str = "en";

/// Most languages of `Accept-Language` that are read.
const LANGUAGES_MAX: usize = 32;

/// One language.
pub(in crate::web) struct Words {
    tag: LanguageIdentifier,
    pub(in crate::web) lang: String,
    bundle: FluentBundle<FluentResource>,
}

/// English first.
static ALL: LazyLock<Vec<Words>> = LazyLock::new(|| {
    let mut all: Vec<Words> =
        FILES.files().filter_map(|file| read(file.path().file_stem()?.to_str()?, file.contents_utf8()?)).collect();
    all.sort_by_key(|words| (words.lang != USUAL, words.lang.clone()));
    all
});

/// Parses a file; a test checks that each can be read whole.
fn read(name: &str, text: &str) -> Option<Words> {
    let tag = LanguageIdentifier::from_str(name).ok()?;
    let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
    let mut bundle = FluentBundle::new_concurrent(vec![tag.clone()]);
    // Names are in elements of their own in pages, which keep the directions of writing apart.
    bundle.set_use_isolating(false);
    // Of two texts with one id the first counts.
    let _ = bundle.add_resource(resource);
    Some(Words { lang: tag.to_string(), tag, bundle })
}

impl Words {
    /// The language that a reader's browser prefers.
    pub(in crate::web) fn wanted(headers: &HeaderMap) -> Option<&'static Self> {
        let asked = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self::liked(asked)
    }

    fn liked(asked: &str) -> Option<&'static Self> {
        let asked = by_liking(asked);
        let there: Vec<&LanguageIdentifier> = ALL.iter().map(|words| &words.tag).collect();
        let best = negotiate_languages(&asked, &there, None, NegotiationStrategy::Lookup);
        let best = best.first().map(ToString::to_string);
        ALL.iter().find(|words| Some(&words.lang) == best.as_ref()).or_else(|| ALL.first())
    }

    /// A word or sentence.
    pub(in crate::web) fn say(&self, id: &str) -> String {
        self.format(id, None)
    }

    /// A number of things.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand in references")]
    pub(in crate::web) fn count(&self, id: &str, n: &u64) -> String {
        let mut args = FluentArgs::new();
        args.set("n", *n);
        self.format(id, Some(&args))
    }

    /// A sentence with one name or text in it.
    pub(in crate::web) fn with(&self, id: &str, name: &str, value: &str) -> String {
        let mut args = FluentArgs::new();
        args.set(name.to_owned(), value.to_owned());
        self.format(id, Some(&args))
    }

    /// A sentence with two.
    pub(in crate::web) fn with_both(&self, id: &str, one: (&str, &str), other: (&str, &str)) -> String {
        let mut args = FluentArgs::new();
        args.set(one.0.to_owned(), one.1.to_owned());
        args.set(other.0.to_owned(), other.1.to_owned());
        self.format(id, Some(&args))
    }

    /// A day as people write it.
    pub(in crate::web) fn day(&self, at: Timestamp) -> String {
        self.format("date", Some(&parts(at)))
    }

    /// A day and the time of it.
    pub(in crate::web) fn moment(&self, at: Timestamp) -> String {
        self.format("moment", Some(&parts(at)))
    }

    fn format(&self, id: &str, args: Option<&FluentArgs<'_>>) -> String {
        let message = |words: &Self| {
            let pattern = words.bundle.get_message(id)?.value()?;
            // What cannot be filled in stands there as `{$name}`.
            Some(words.bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned())
        };
        message(self).or_else(|| message(ALL.first()?)).unwrap_or_else(|| id.to_owned())
    }
}

/// The languages of `Accept-Language`, the preferred first (RFC 9110 section 12.5.4); what cannot be read is skipped.
fn by_liking(asked: &str) -> Vec<LanguageIdentifier> {
    let read = |range: &str| {
        let (tag, liking) = range.split_once(';').unwrap_or((range, "q=1"));
        let liking = liking.trim().strip_prefix("q=")?.parse::<f32>().ok().filter(|liking| *liking > 0.0)?;
        Some((LanguageIdentifier::from_str(tag.trim()).ok()?, liking))
    };
    let mut liked: Vec<(LanguageIdentifier, f32)> = asked.split(',').take(LANGUAGES_MAX).filter_map(read).collect();
    liked.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    liked.into_iter().map(|(tag, _)| tag).collect()
}

fn parts(at: Timestamp) -> FluentArgs<'static> {
    let at = at.date_time();
    let mut args = FluentArgs::new();
    args.set("day", at.format("%-d").to_string());
    args.set("month", at.format("%-m").to_string().parse::<u8>().unwrap_or(1));
    args.set("year", at.format("%Y").to_string());
    args.set("time", at.format("%H:%M").to_string());
    args
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn ids(name: &str) -> BTreeSet<String> {
        let text = FILES.get_file(name).expect("a file").contents_utf8().expect("UTF-8");
        assert!(FluentResource::try_new(text.to_owned()).is_ok(), "{name} is not as it must be");
        let ids = text.lines().filter_map(|line| line.split_once(" =")).map(|(id, _)| id);
        ids.filter(|id| !id.starts_with([' ', '#'])).map(str::to_owned).collect()
    }

    #[test]
    fn every_language_says_everything_and_nothing_else() {
        let english = ids("en.ftl");
        for file in FILES.files() {
            let name = file.path().to_str().expect("a name");
            assert_eq!(ids(name), english, "{name}");
        }
        assert!(ALL.len() >= 2 && ALL[0].lang == USUAL);
    }

    #[test]
    fn pages_say_only_what_there_is() {
        static PAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/web/pages");
        let asks = regex::Regex::new(r#"\.(?:say|count|with|with_both)\(\s*"([a-z0-9-]+)""#).expect("a pattern");
        let mut said: BTreeSet<String> = ["direction", "date", "moment"].map(str::to_owned).into();
        for text in PAGES.files().filter_map(|file| file.contents_utf8()) {
            said.extend(asks.captures_iter(text).map(|found| found[1].to_owned()));
        }
        said.extend(ids("en.ftl").into_iter().filter(|id| id.starts_with("error-") || id.starts_with("kind-")));
        assert_eq!(said, ids("en.ftl"));
    }

    #[test]
    fn readers_get_the_language_they_like_best() {
        for (asked, expected) in [
            ("", "en"),
            ("nl", "nl"),
            ("nl-BE,nl;q=0.9,en;q=0.8", "nl"),
            ("fr-FR,fr;q=0.9,nl;q=0.5,en;q=0.3", "nl"),
            ("en-GB,en;q=0.9,nl;q=0.8", "en"),
            ("nl;q=0.1,en;q=0.9", "en"),
            ("ja", "en"),
            ("*", "en"),
            (";;;,,=", "en"),
        ] {
            assert_eq!(Words::liked(asked).expect("a language").lang, expected, "{asked}");
        }
    }

    #[test]
    fn numbers_and_days_are_said_as_people_do() {
        let at = Timestamp::parse_rfc3339("2026-03-09T14:05:00Z").expect("a date");
        let (english, dutch) = (Words::liked("en").expect("en"), Words::liked("nl").expect("nl"));
        assert_eq!((english.day(at).as_str(), dutch.day(at).as_str()), ("9 March 2026", "9 maart 2026"));
        assert_eq!(dutch.moment(at), "9 maart 2026, 14:05 UTC");
        assert_eq!([1, 2].map(|n| english.count("replies", &n)), ["1 reply", "2 replies"]);
        assert_eq!([1, 0].map(|n| dutch.count("replies", &n)), ["1 reactie", "0 reacties"]);
    }
}
