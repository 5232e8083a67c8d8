//! The files a site's configuration is gathered from.

use std::path::Path;

use serde_json::{Map, Value};

use crate::ScanError;
use crate::file::{MAX_FILE, duplicate_warning, relative};
use crate::frontmatter;
use crate::opening::SyntaxError;
use crate::scan::Warning;
use crate::yaml;

const EXTENSIONS: &[&str] = &["toml", "yaml", "yml", "json"];

/// Reads `hugo.*` or `config.*`, then `config/_default` and the environment's folder over it.
pub(super) fn gather(
    root: &Path,
    environment: &str,
    warnings: &mut Vec<Warning>,
) -> Result<Map<String, Value>, ScanError> {
    let mut all = Map::new();
    let names = ["hugo", "config"].iter().flat_map(|name| EXTENSIONS.iter().map(move |end| format!("{name}.{end}")));
    let main = names.map(|name| root.join(name)).find(|file| file.is_file());
    if let Some(file) = &main {
        merge(&mut all, read(root, file, warnings)?);
    }
    let mut found = main.is_some();
    for folder in ["_default", environment] {
        found |= load_folder(root, &root.join("config").join(folder), &mut all, warnings)?;
    }
    if found { Ok(all) } else { Err(ScanError::NoConfiguration { root: root.to_owned() }) }
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
        if !EXTENSIONS.contains(&extension) || stem.is_empty() || stem.starts_with('.') {
            continue;
        }
        found = true;
        merge(all, placed(&stem, read(root, &file, warnings)?));
    }
    Ok(found)
}

/// Where a file's values belong: `config` at the top, `params` under its name, `params.nl` in a language's own table.
fn placed(stem: &str, table: Map<String, Value>) -> Map<String, Value> {
    let under = |name: &str, table: Map<String, Value>| Map::from_iter([(name.to_owned(), Value::Object(table))]);
    let (name, language) = stem.split_once('.').map_or((stem, None), |(name, language)| (name, Some(language)));
    let table = if matches!(name, "hugo" | "config") { table } else { under(name, table) };
    match language {
        None => table,
        Some(language) => under("languages", under(language, table)),
    }
}

/// Whether a file of this extension holds data.
pub(crate) fn is_data(extension: &str) -> bool {
    EXTENSIONS.contains(&extension)
}

/// Reads a file of data, keys in lower case.
pub(crate) fn read(root: &Path, file: &Path, warnings: &mut Vec<Warning>) -> Result<Map<String, Value>, ScanError> {
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
            warnings.extend(duplicates.into_iter().map(|found| duplicate_warning(&name, &found)));
            Ok(table)
        }
    }
}

/// Lays one table over another, deeply.
pub(super) fn merge(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => merge(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}
