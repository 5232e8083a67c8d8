//! Who writes: the names on posts, and the profiles they lead to (docs/hugo.md#authors).

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::config::SiteConfig;
use super::frontmatter::{field, text};
use super::paths::slug_of;
use crate::profile::AuthorProfile;
use crate::scan::Warning;

/// The folder of profiles below the content folder, and below `data`.
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
enum Found {
    /// By the folder's name, or by name alone.
    Plainly(String),
    /// Only by the profile's own `authors` list, whose folder has this other name.
    ByOwnName(String),
}

impl Authors {
    /// Takes in a profile, and the names it gives itself. The first of a slug counts: one among the content outweighs
    /// one among the data.
    pub(super) fn add(&mut self, profile: AuthorProfile, own_names: Vec<String>) {
        for own in own_names {
            self.by_own_name.entry(own).or_insert_with(|| profile.slug.clone());
        }
        self.by_slug.entry(profile.slug.clone()).or_insert(profile);
    }

    /// Finds the author a post names, or takes them in as a name without a profile.
    fn find(&mut self, name: &str, config: &SiteConfig) -> Option<Found> {
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
            fields: Vec::new(),
            has_profile: false,
            fingerprint: super::profiles::fingerprint(&serde_json::json!([name])),
            file: None,
        };
        self.by_slug.insert(slug.clone(), profile);
        Some(Found::Plainly(slug))
    }

    /// The slugs of those a post in `file` names, each once, and in `warnings` who was hard to find.
    pub(super) fn byline(
        &mut self,
        names: &[String],
        config: &SiteConfig,
        file: &str,
        warnings: &mut Vec<Warning>,
    ) -> Vec<String> {
        let mut slugs = Vec::new();
        for name in names {
            let slug = match self.find(name, config) {
                None => continue,
                Some(Found::Plainly(slug)) => slug,
                Some(Found::ByOwnName(slug)) => {
                    let message = format!(
                        "the author `{name}` has no folder of that name and was taken for `{slug}`, whose profile says so; \
                         write `{slug}`"
                    );
                    warnings.push(Warning { file: file.to_owned(), line: None, message });
                    slug
                }
            };
            if !slugs.contains(&slug) {
                slugs.push(slug);
            }
        }
        slugs
    }

    /// Everyone, in the order of their slugs.
    pub(super) fn into_profiles(self) -> Vec<AuthorProfile> {
        self.by_slug.into_values().collect()
    }
}

/// The names a post's front matter gives, in the order of the byline, each once: `authors`, else `author`, else what
/// the site calls its taxonomy of authors; as texts, or as maps with a `name`.
pub(super) fn named(fields: &Map<String, Value>, taxonomies: &[String]) -> Vec<String> {
    let names = |key: &str| match field(fields, key) {
        Some(Value::Array(items)) => items.iter().filter_map(one_name).collect(),
        other => other.and_then(one_name).into_iter().collect::<Vec<_>>(),
    };
    let keys = [FOLDER, "author"].into_iter().chain(taxonomies.iter().map(String::as_str));
    let mut all = keys.map(names).find(|names| !names.is_empty()).unwrap_or_default();
    let mut seen = HashSet::new();
    all.retain(|name| seen.insert(name.to_lowercase()));
    all
}

fn one_name(value: &Value) -> Option<String> {
    let part = |key: &str| text(value.get(key));
    let name = text(Some(value)).or_else(|| part("name")).or_else(|| part("title")).or_else(|| part("display"))?;
    // A name with an address behind it, as `Ann <ann@example.org>`: an address is never shown.
    super::profiles::name_without_email(&name)
}

/// The slug of the author whose profile a folder below the content folder holds.
pub(super) fn slug_of_folder(folder: &str, config: &SiteConfig) -> Option<String> {
    let (top, name) = folder.split_once('/')?;
    (top == FOLDER && !name.contains('/')).then(|| slug_of(name, config)).filter(|slug| !slug.is_empty())
}
