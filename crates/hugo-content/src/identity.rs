//! What a page says of itself over time: its lasting id, and the addresses it had before (docs/hugo.md#identity-moves-removals).

use serde_json::{Map, Value};
use url::Url;

use super::config::SiteConfig;
use super::frontmatter::{field, text, texts};
use super::paths;

/// Characters; a longer id is none.
const LONGEST_ID: usize = 500;

/// More old addresses of one page are not kept.
const MAX_ALIASES: usize = 200;

/// `id`, `guid`, or `ap_id` among the `params`.
pub(super) fn guid(fields: &Map<String, Value>) -> Option<String> {
    let given = ["id", "guid", "ap_id"].into_iter().find_map(|key| text(field(fields, key)));
    given.filter(|id| id.chars().count() <= LONGEST_ID)
}

/// The page's `aliases`, absolute: with a slash in front they begin at the language's root, else at the folder that
/// the page's own folder or file stands in. Tried with Hugo 0.168; 0.111 leaves the language out of the former.
pub(super) fn aliases(fields: &Map<String, Value>, page: &Url, config: &SiteConfig, public_url: &Url) -> Vec<String> {
    let beside = page.path().trim_end_matches('/').rsplit_once('/').map_or("", |(folder, _)| folder);
    let root = config.language_prefix.as_deref().unwrap_or_default();
    texts(field(fields, "aliases"))
        .iter()
        .take(MAX_ALIASES)
        .map(|alias| {
            let parts: Vec<&str> = alias.split('/').filter(|part| !part.is_empty()).collect();
            let path = parts.join("/");
            if alias.starts_with('/') {
                return paths::join(public_url, &format!("{root}/{path}")).to_string();
            }
            let mut address = page.clone();
            address.set_path(&format!("{beside}/{path}"));
            address.to_string()
        })
        .collect()
}
