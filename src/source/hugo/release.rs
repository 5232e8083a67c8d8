//! Whether a page is public, as far as the passing of time does not change it (sources 1.3).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::config::SiteConfig;
use super::dates::Dates;
use super::frontmatter::{field, flag, text};
use crate::clock::Timestamp;
use crate::post::entry::Visibility;

/// What a page's front matter and the site's configuration say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Release {
    Withheld,
    Draft,
    /// Public between these dates; one that the site passes over is not here.
    Dated {
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    },
}

impl Release {
    /// Sources 1.3, and the front matter's word on the fediverse (design section 5).
    pub(super) fn of(fields: &Map<String, Value>, dates: &Dates, config: &SiteConfig) -> Self {
        let fediverse = field(fields, "fediverse");
        let headless = flag(fields.get("headless")) == Some(true);
        // What the site itself does not list is published only where the page asks for it (sources 1.3).
        if flag(fediverse) == Some(false)
            || headless
            || !config.makes_pages
            || !is_rendered(fields)
            || (is_off_lists(fields) && !is_unlisted(fields))
        {
            return Self::Withheld;
        }
        // `published: false` is an older word for it.
        let published = || fields.get("published").filter(|value| value.is_boolean());
        if flag(fields.get("draft")).or_else(|| Some(!flag(published())?)) == Some(true) {
            return Self::Draft;
        }
        Self::Dated {
            from: dates.publish.filter(|_| !config.build_future),
            until: dates.expiry.filter(|_| !config.build_expired),
        }
    }

    /// What that means at a time.
    pub(super) fn at(self, now: Timestamp) -> Visibility {
        match self {
            Self::Withheld => Visibility::Withheld,
            Self::Draft => Visibility::Draft,
            Self::Dated { until: Some(expiry), .. } if expiry <= now => Visibility::Expired,
            Self::Dated { from: Some(at), .. } if at > now => Visibility::Scheduled { at },
            Self::Dated { until, .. } => Visibility::Public { until },
        }
    }
}

/// Whether the page is for the fediverse, but not for its public timelines.
pub(super) fn is_unlisted(fields: &Map<String, Value>) -> bool {
    text(field(fields, "fediverse")).is_some_and(|word| word.eq_ignore_ascii_case("unlisted"))
}

/// Whether the site makes a page of it: `build.render`, and `_build.render` as it was called up to Hugo 0.144.
pub(super) fn is_rendered(fields: &Map<String, Value>) -> bool {
    build(fields, "render").is_none_or(|word| word == "always" || word == "true")
}

fn is_off_lists(fields: &Map<String, Value>) -> bool {
    build(fields, "list").is_some_and(|word| word == "never" || word == "false")
}

fn build(fields: &Map<String, Value>, key: &str) -> Option<String> {
    let word = |table: &str| text(fields.get(table).and_then(|table| table.get(key)));
    word("build").or_else(|| word("_build")).map(|word| word.to_lowercase())
}
