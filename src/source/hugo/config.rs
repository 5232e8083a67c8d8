//! The site's configuration, as far as it decides what is published, where, and how it reads.

use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use regex::Regex;
use serde_json::{Map, Value};

use super::dates::Order;
use super::frontmatter::{self, flag, text, texts};
use super::markup::Markup;
use super::yaml::{self, SyntaxError};
use super::{MAX_FILE, ScanError};
use crate::source::scan::Warning;

const EXTENSIONS: &[&str] = &["toml", "yaml", "yml", "json"];

/// What we need to know of a site's configuration.
#[derive(Debug)]
pub(super) struct SiteConfig {
    /// The folder of the default language's content.
    pub(super) content_dir: PathBuf,
    /// Key of the default language, lower case.
    pub(super) language_key: String,
    /// Keys of the other languages, lower case.
    pub(super) other_languages: Vec<String>,
    /// BCP 47 tag for posts that do not say otherwise.
    pub(super) language: String,
    /// Put before every path, without slashes: the default language's, if the site shows it in addresses.
    pub(super) language_prefix: Option<String>,
    pub(super) ignore_files: Vec<Regex>,
    /// Patterns by section.
    pub(super) permalinks: Vec<(String, String)>,
    pub(super) remove_path_accents: bool,
    pub(super) disable_path_to_lower: bool,
    pub(super) ugly_urls: bool,
    pub(super) time_zone: Tz,
    /// Words.
    pub(super) summary_length: usize,
    pub(super) markup: Markup,
    /// What the site calls its taxonomies of authors, where that is neither `author` nor `authors`.
    pub(super) author_taxonomies: Vec<String>,
    /// The site's own parameters, keys in lower case.
    pub(super) params: Option<Value>,
    pub(super) date_order: Order,
    /// The configuration's own `cascade`.
    pub(super) cascade: Option<Value>,
}

/// Reads `hugo.*` or `config.*`, then `config/_default` and `config/production` over it, as `hugo` builds by
/// default.
pub(super) fn load(root: &Path, warnings: &mut Vec<Warning>) -> Result<SiteConfig, ScanError> {
    let mut all = Map::new();
    let mut found = false;
    'root: for name in ["hugo", "config"] {
        for extension in EXTENSIONS {
            let file = root.join(format!("{name}.{extension}"));
            if file.is_file() {
                merge(&mut all, read(root, &file, warnings)?);
                found = true;
                break 'root;
            }
        }
    }
    for environment in ["_default", "production"] {
        found |= load_folder(root, &root.join("config").join(environment), &mut all, warnings)?;
    }
    if !found {
        return Err(ScanError::NoConfiguration { root: root.to_owned() });
    }
    interpret(root, &all, warnings)
}

fn load_folder(
    root: &Path,
    folder: &Path,
    all: &mut Map<String, Value>,
    warnings: &mut Vec<Warning>,
) -> Result<bool, ScanError> {
    if !folder.is_dir() {
        return Ok(false);
    }
    let unreadable = |error: std::io::Error| ScanError::Configuration {
        file: relative(root, folder),
        line: None,
        why: error.to_string(),
    };
    let mut files = Vec::new();
    for item in folder.read_dir().map_err(unreadable)? {
        files.push(item.map_err(unreadable)?.path());
    }
    files.sort();
    let mut found = false;
    for file in files {
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_lowercase();
        // Files like params.nl.toml hold one language's values, none of which we use.
        if !EXTENSIONS.contains(&extension) || stem.contains('.') || stem.is_empty() {
            continue;
        }
        found = true;
        let table = read(root, &file, warnings)?;
        let table = match stem.as_str() {
            "hugo" | "config" => table,
            _ => Map::from_iter([(stem, Value::Object(table))]),
        };
        merge(all, table);
    }
    Ok(found)
}

/// Whether a file of this extension holds data.
pub(super) fn is_data(extension: &str) -> bool {
    EXTENSIONS.contains(&extension)
}

/// Reads a file of data, keys in lower case.
pub(super) fn read(root: &Path, file: &Path, warnings: &mut Vec<Warning>) -> Result<Map<String, Value>, ScanError> {
    let name = relative(root, file);
    let invalid =
        |error: SyntaxError| ScanError::Configuration { file: name.clone(), line: error.line, why: error.message };
    let plain = |why: String| invalid(SyntaxError { line: None, message: why });
    let size = std::fs::metadata(file).map_err(|error| plain(error.to_string()))?.len();
    if size > MAX_FILE {
        return Err(plain("it is larger than 2 MiB".to_owned()));
    }
    let content = std::fs::read_to_string(file).map_err(|error| plain(error.to_string()))?;
    let content = content.strip_prefix('\u{feff}').unwrap_or(&content);
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => frontmatter::parse_toml(content).map_err(invalid),
        Some("json") => serde_json::from_str(content).map(yaml::lower_keys).map_err(|error| {
            invalid(SyntaxError { line: u64::try_from(error.line()).ok(), message: error.to_string() })
        }),
        _ => {
            let (table, duplicates) = yaml::parse(content).map_err(invalid)?;
            warnings.extend(duplicates.into_iter().map(|found| super::duplicate_warning(&name, &found)));
            Ok(table)
        }
    }
}

/// Lays one table over another, deeply.
fn merge(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

fn interpret(root: &Path, all: &Map<String, Value>, warnings: &mut Vec<Warning>) -> Result<SiteConfig, ScanError> {
    let languages = all.get("languages").and_then(Value::as_object);
    let key = text(all.get("defaultcontentlanguage")).map_or_else(|| "en".to_owned(), |key| key.to_lowercase());
    let own = languages.and_then(|languages| languages.get(&key)).and_then(Value::as_object);
    // A language's own table overrides the site's values.
    let value = |name: &str| own.and_then(|own| own.get(name)).or_else(|| all.get(name));
    let yes = |name: &str| flag(value(name)).unwrap_or(false);

    let code = text(own.and_then(|own| own.get("languagecode").or_else(|| own.get("locale")))).or_else(|| {
        let named = all.contains_key("defaultcontentlanguage");
        (!named).then(|| text(all.get("languagecode").or_else(|| all.get("locale")))).flatten()
    });
    let content_dir = root.join(text(value("contentdir")).unwrap_or_else(|| "content".to_owned()));
    if !content_dir.is_dir() {
        return Err(ScanError::NoContent { folder: content_dir });
    }
    Ok(SiteConfig {
        content_dir,
        other_languages: languages
            .map(|languages| languages.keys().filter(|other| **other != key).cloned().collect())
            .unwrap_or_default(),
        language: language_tag(code.as_deref().unwrap_or(&key)),
        language_prefix: flag(all.get("defaultcontentlanguageinsubdir")).unwrap_or(false).then(|| key.clone()),
        language_key: key,
        ignore_files: ignore_patterns(all)?,
        permalinks: permalink_patterns(value("permalinks")),
        remove_path_accents: yes("removepathaccents"),
        disable_path_to_lower: yes("disablepathtolower"),
        ugly_urls: yes("uglyurls"),
        time_zone: time_zone(value("timezone"), warnings),
        summary_length: value("summarylength")
            .and_then(Value::as_u64)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(70),
        markup: Markup::new(value("markup"), yes("enableemoji")),
        author_taxonomies: author_taxonomies(value("taxonomies")),
        params: value("params").cloned(),
        date_order: Order::new(all.get("frontmatter")),
        cascade: all.get("cascade").cloned(),
    })
}

/// A taxonomy is a singular and a plural; either may be `author` or end so, as `post_authors`.
fn author_taxonomies(table: Option<&Value>) -> Vec<String> {
    let Some(Value::Object(table)) = table else { return Vec::new() };
    let of_authors =
        |name: &str| matches!(name, "author" | "authors" | "writer" | "writers" | "contributor" | "contributors");
    let plural = |(singular, plural): (&String, &Value)| {
        let plural = text(Some(plural))?.to_lowercase();
        (of_authors(singular) || of_authors(&plural)).then_some(plural)
    };
    table.iter().filter_map(plural).collect()
}

/// The language alone (`en-us` is `en`), except where region or script is another way of writing.
fn language_tag(code: &str) -> String {
    let code = code.replace('_', "-");
    let mut parts = code.split('-');
    let language = parts.next().unwrap_or_default().to_lowercase();
    match (language.as_str(), parts.next()) {
        ("zh" | "pt" | "sr", Some(rest)) if rest.len() == 2 => format!("{language}-{}", rest.to_uppercase()),
        ("zh" | "sr", Some(rest)) if rest.len() == 4 => {
            format!(
                "{language}-{}{}",
                rest.get(..1).unwrap_or_default().to_uppercase(),
                rest.get(1..).unwrap_or_default().to_lowercase()
            )
        }
        _ => language,
    }
}

fn ignore_patterns(all: &Map<String, Value>) -> Result<Vec<Regex>, ScanError> {
    texts(all.get("ignorefiles"))
        .iter()
        .map(|pattern| {
            Regex::new(pattern).map_err(|_| ScanError::Configuration {
                file: "the site configuration".to_owned(),
                line: None,
                why: format!("`ignoreFiles` holds `{pattern}`, which is no regular expression"),
            })
        })
        .collect()
}

/// The old form (`post: pattern`) and `permalinks.page`, which goes first.
fn permalink_patterns(table: Option<&Value>) -> Vec<(String, String)> {
    let Some(Value::Object(table)) = table else { return Vec::new() };
    let patterns = |table: &Map<String, Value>| {
        table.iter().filter_map(|(section, pattern)| Some((section.clone(), text(Some(pattern))?))).collect::<Vec<_>>()
    };
    let mut all = table.get("page").and_then(Value::as_object).map(patterns).unwrap_or_default();
    all.extend(patterns(table));
    all
}

fn time_zone(value: Option<&Value>, warnings: &mut Vec<Warning>) -> Tz {
    let Some(name) = text(value) else { return Tz::UTC };
    name.parse().unwrap_or_else(|_| {
        warnings.push(Warning {
            file: "the site configuration".to_owned(),
            line: None,
            message: format!("`timeZone` is `{name}`, which is no known zone, so dates are read as UTC; write it like `Europe/Amsterdam`"),
        });
        Tz::UTC
    })
}

/// A path below the root as people read it, with forward slashes.
pub(super) fn relative(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &str)]) -> Result<SiteConfig, ScanError> {
        let root = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let file = root.path().join(name);
            std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
            std::fs::write(file, text).expect("a file");
        }
        std::fs::create_dir_all(root.path().join("content")).expect("a folder");
        load(root.path(), &mut Vec::new())
    }

    #[test]
    fn configuration_is_gathered_from_all_its_files() {
        let config = site(&[
            ("hugo.toml", "enableEmoji = true\nsummaryLength = 5\n[permalinks]\npost = '/:slug/'"),
            ("config/_default/languages.yaml", "nl:\n  languageCode: nl-NL\nen: {}\n"),
            ("config/_default/config.yaml", "DefaultContentLanguage: nl\nSummaryLength: 9\n"),
            ("config/production/permalinks.json", r#"{"page": {"post": "/p/:slug/"}}"#),
        ])
        .expect("a configuration");
        assert!(config.markup.emoji && config.markup.typographer.is_some() && !config.markup.raw_html);
        assert_eq!((config.summary_length, config.language.as_str()), (9, "nl"));
        assert_eq!(config.other_languages, ["en"]);
        assert_eq!(config.permalinks[0], ("post".to_owned(), "/p/:slug/".to_owned()));
    }

    #[test]
    fn language_tags_keep_a_region_only_where_it_is_written_differently() {
        for (code, tag) in [("en-us", "en"), ("NL", "nl"), ("pt_br", "pt-BR"), ("zh-hans", "zh-Hans"), ("de-AT", "de")]
        {
            assert_eq!(language_tag(code), tag);
        }
        assert_eq!(site(&[("hugo.yaml", "languageCode: nl-nl")]).expect("a configuration").language, "nl");
    }

    #[test]
    fn what_is_wrong_with_a_configuration_is_said() {
        for (files, said) in [
            (vec![("x", "")], "no Hugo configuration"),
            (vec![("hugo.toml", "a = 1\nb = ")], "hugo.toml, line 2"),
            (vec![("hugo.yaml", "ignoreFiles: ['(']")], "no regular expression"),
            (vec![("hugo.yaml", "contentDir: elsewhere")], "elsewhere"),
        ] {
            let error = site(&files).expect_err(said).to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
