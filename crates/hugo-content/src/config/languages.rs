//! Which languages a site has, and where the content of each is (docs/hugo.md#languages).

use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value};
use url::Url;

use crate::file::relative;
use crate::frontmatter::{flag, text, texts};
use crate::matcher;
use crate::scan::Warning;

/// A language with the configuration as it counts for it.
#[derive(Debug)]
pub(super) struct Language {
    /// Lower case.
    pub(super) key: String,
    /// The language's own table.
    pub(super) own: Map<String, Value>,
    /// The site's values, the language's own over them.
    pub(super) values: Map<String, Value>,
}

/// A folder whose files are content.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) folder: PathBuf,
    /// Where its files stand below the content folder, without slashes around it; mostly empty.
    pub(crate) below: String,
    /// Of files that have no language in their names, by its place among the site's languages.
    pub(crate) language: usize,
}

/// Keys of the languages that are not built; files of them are passed over.
pub(super) fn disabled(all: &Map<String, Value>) -> Vec<String> {
    let mut keys: Vec<String> = texts(all.get("disablelanguages")).iter().map(|key| key.to_lowercase()).collect();
    let tables = all.get("languages").and_then(Value::as_object).into_iter().flatten();
    keys.extend(tables.filter(|(_, table)| flag(table.get("disabled")) == Some(true)).map(|(key, _)| key.clone()));
    keys
}

/// The languages that are built, the default one first, then in the site's order.
pub(super) fn languages(all: &Map<String, Value>) -> Vec<Language> {
    let default = text(all.get("defaultcontentlanguage")).map_or_else(|| "en".to_owned(), |key| key.to_lowercase());
    let disabled = disabled(all);
    let none = Map::new();
    let tables = all.get("languages").and_then(Value::as_object).unwrap_or(&none);
    let own = |key: &str| tables.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let mut keys: Vec<&String> =
        tables.iter().filter(|(key, _)| **key != default && !disabled.contains(key)).map(|(key, _)| key).collect();
    // A language without a weight goes behind those that have one.
    let weight = |key: &str| own(key).get("weight").and_then(Value::as_i64).filter(|weight| *weight != 0);
    keys.sort_by_key(|key| (weight(key).is_none(), weight(key), (*key).clone()));
    let mut site = all.clone();
    site.remove("languages");
    std::iter::once(&default)
        .chain(keys)
        .map(|key| {
            let mut values = site.clone();
            super::files::merge(&mut values, own(key));
            Language { key: key.clone(), own: own(key), values }
        })
        .collect()
}

/// Each language's own `baseURL`, where all have one: then each is a site on its own host, without a language in
/// its paths.
pub(super) fn hosts(languages: &[Language], warnings: &mut Vec<Warning>) -> Option<Vec<Url>> {
    let address = |language: &Language| text(language.own.get("baseurl")).and_then(|address| Url::parse(&address).ok());
    let addresses: Vec<Url> = languages.iter().filter_map(address).collect();
    if addresses.is_empty() {
        return None;
    }
    if addresses.len() == languages.len() {
        return Some(addresses);
    }
    warnings.push(Warning {
        file: "the site configuration".to_owned(),
        line: None,
        message: "some languages have a `baseURL` that is an address and others have none, so all are taken to be \
                  below `public_url`; give each language one, or none"
            .to_owned(),
    });
    None
}

/// The folders of content: each language's `contentDir`, or the `module.mounts` to `content` in their place.
pub(super) fn roots(
    root: &Path,
    all: &Map<String, Value>,
    languages: &[Language],
    warnings: &mut Vec<Warning>,
) -> Vec<Root> {
    let mounts = all.get("module").and_then(|module| module.get("mounts")).and_then(Value::as_array);
    let mounted: Vec<&Value> = mounts.into_iter().flatten().filter(|mount| target(mount).is_some()).collect();
    if !mounted.is_empty() {
        return mounted.into_iter().flat_map(|mount| mounted_roots(root, mount, languages, warnings)).collect();
    }
    let folder = |values: &Map<String, Value>| text(values.get("contentdir")).unwrap_or_else(|| "content".to_owned());
    let mut roots: Vec<Root> = Vec::new();
    for (language, of) in languages.iter().enumerate() {
        let Some(folder) = within(root, &folder(&of.values), warnings) else { continue };
        if !roots.iter().any(|root| root.folder == folder) {
            roots.push(Root { folder, below: String::new(), language });
        }
    }
    roots
}

/// A mount's place below the content folder, if it is of content at all.
fn target(mount: &Value) -> Option<String> {
    let target = text(mount.get("target"))?;
    let mut parts = target.trim_matches('/').splitn(2, '/');
    (parts.next()? == "content").then(|| parts.next().unwrap_or_default().trim_matches('/').to_owned())
}

fn mounted_roots(root: &Path, mount: &Value, languages: &[Language], warnings: &mut Vec<Warning>) -> Vec<Root> {
    let source = text(mount.get("source")).unwrap_or_default();
    for key in ["includefiles", "excludefiles", "files"] {
        if mount.get(key).is_some() {
            warnings.push(Warning {
                file: "the site configuration".to_owned(),
                line: None,
                message: format!("`{key}` of the mount of `{source}` is not read, so all its files count"),
            });
        }
    }
    let Some(folder) = within(root, &source, warnings) else { return Vec::new() };
    // `lang` up to 0.152, `sites.matrix.languages` since.
    let matrix = mount.get("sites").and_then(|sites| sites.get("matrix")?.get("languages"));
    let patterns = texts(mount.get("lang").or(matrix));
    let below = target(mount).unwrap_or_default();
    let meant = |(place, language): &(usize, &Language)| match patterns.as_slice() {
        [] => *place == 0,
        patterns => patterns.iter().any(|pattern| matcher::glob(pattern, &language.key)),
    };
    let languages = languages.iter().enumerate().filter(meant);
    languages.map(|(language, _)| Root { folder: folder.clone(), below: below.clone(), language }).collect()
}

/// A folder of the site; what lies outside of it is not read.
fn within(root: &Path, folder: &str, warnings: &mut Vec<Warning>) -> Option<PathBuf> {
    let mut path = root.to_owned();
    for part in Path::new(folder).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir if path != root => {
                path.pop();
            }
            Component::RootDir if Path::new(folder).starts_with(root) => path = PathBuf::from("/"),
            _ => {
                warnings.push(Warning {
                    file: "the site configuration".to_owned(),
                    line: None,
                    message: format!(
                        "the content in `{folder}` lies outside of the site's folder and is not read; make it a source \
                         of its own, or move it into the site"
                    ),
                });
                return None;
            }
        }
    }
    Some(path)
}

/// A content folder that is not there is a fault for the default language, and worth a word for another.
pub(super) fn missing(root: &Path, roots: &mut Vec<Root>, warnings: &mut Vec<Warning>) {
    roots.retain(|content| {
        let there = content.folder.is_dir();
        if !there {
            warnings.push(Warning {
                file: relative(root, &content.folder),
                line: None,
                message: "this folder of content is not there; check `contentDir` and `module.mounts` in the site's \
                          configuration"
                    .to_owned(),
            });
        }
        there
    });
}
