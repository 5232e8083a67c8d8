//! Who writes: profiles as Wowchemy keeps them, and the names on posts (sources 1.6).

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};
use url::Url;

use super::cascade::Cascades;
use super::config::SiteConfig;
use super::frontmatter::{Document, field, text, texts};
use super::images::{beside, first_named, media_type};
use super::matcher::Kind;
use super::{content, page, paths, permalink};
use crate::activity::Image;
use crate::author::profile::AuthorProfile;
use crate::html;

/// The folder of profiles below the content folder.
pub(super) const FOLDER: &str = "authors";

/// Everyone who can be named by a post.
#[derive(Debug, Default)]
pub(super) struct Authors {
    by_slug: BTreeMap<String, AuthorProfile>,
    /// Slugs by the names that profiles give themselves in their own `authors` list.
    by_own_name: BTreeMap<String, String>,
}

/// How a post's author was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// By the folder's name, or by name alone.
    Plainly(String),
    /// Only by the profile's own `authors` list, whose folder has this other name.
    ByOwnName(String),
}

impl Authors {
    /// Takes in the profile in `content/authors/<folder>`. `file` is relative to the source.
    pub(super) fn add_profile(
        &mut self,
        key: &str,
        path: &std::path::Path,
        file: String,
        mut document: Document,
        cascades: &Cascades,
        site: (&SiteConfig, &Url),
    ) {
        let (config, public_url) = site;
        let folder = key.rsplit('/').next().unwrap_or(key);
        let slug = slug_of(folder, config);
        if slug.is_empty() {
            return;
        }
        for own in texts(field(&document.fields, "authors")) {
            self.by_own_name.entry(slug_of(&own, config)).or_insert_with(|| slug.clone());
        }
        cascades.fill(&mut document.fields, config.subject(key, Kind::Section));
        let address = permalink::folder_address(key, config, public_url);
        let name = text(document.fields.get("title")).unwrap_or_else(|| folder.to_owned());
        let bio = match text(field(&document.fields, "bio")) {
            Some(bio) => content::html_of(&bio, &name, false, config),
            None => content::html_of(
                &document.body,
                &name,
                path.extension().is_some_and(|extension| extension == "html"),
                config,
            ),
        };
        let avatar = avatar(&document.fields, path, &name, &address);
        let profile = AuthorProfile {
            slug: slug.clone(),
            name,
            bio: html::clean_at(&bio, &address),
            avatar,
            has_profile: true,
            file: Some(file),
        };
        self.by_slug.insert(slug, profile);
    }

    /// Finds the author a post names, or takes them in as a name without a profile.
    pub(super) fn find(&mut self, name: &str, config: &SiteConfig) -> Option<Found> {
        let slug = slug_of(name, config);
        if slug.is_empty() {
            return None;
        }
        if self.by_slug.contains_key(&slug) {
            return Some(Found::Plainly(slug));
        }
        if let Some(own) = self.by_own_name.get(&slug) {
            return Some(Found::ByOwnName(own.clone()));
        }
        let profile = AuthorProfile {
            slug: slug.clone(),
            name: name.to_owned(),
            bio: String::new(),
            avatar: None,
            has_profile: false,
            file: None,
        };
        self.by_slug.insert(slug.clone(), profile);
        Some(Found::Plainly(slug))
    }

    /// Everyone, in the order of their slugs.
    pub(super) fn into_profiles(self) -> Vec<AuthorProfile> {
        self.by_slug.into_values().collect()
    }
}

/// The names a post's front matter gives, in the order of the byline, each once: `authors`, else `author`, as texts
/// or as maps with a `name`.
pub(super) fn named(fields: &Map<String, Value>) -> Vec<String> {
    let names = |key: &str| match field(fields, key) {
        Some(Value::Array(items)) => items.iter().filter_map(one_name).collect(),
        other => other.and_then(one_name).into_iter().collect::<Vec<_>>(),
    };
    let mut all = names("authors");
    if all.is_empty() {
        all = names("author");
    }
    let mut seen = HashSet::new();
    all.retain(|name| seen.insert(name.to_lowercase()));
    all
}

fn one_name(value: &Value) -> Option<String> {
    text(Some(value)).or_else(|| text(value.get("name")))
}

/// Blanks become hyphens, capitals small letters; a slash would lead out of the folder.
fn slug_of(name: &str, config: &SiteConfig) -> String {
    paths::urlize(name.trim(), config).to_lowercase().replace('/', "-")
}

/// The first picture named `*avatar*` beside the profile, if the site publishes the profile's folder at all.
fn avatar(fields: &Map<String, Value>, path: &std::path::Path, name: &str, address: &Url) -> Option<Image> {
    if !page::is_rendered(fields) {
        return None;
    }
    let file = first_named(path.parent()?, "avatar")?;
    Some(Image { url: beside(address, &file)?.into(), alt: name.to_owned(), media_type: media_type(&file)?.to_owned() })
}
