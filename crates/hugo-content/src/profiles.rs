//! Profiles as Wowchemy keeps them among the content and `HugoBlox` among the data, and what they show of a person
//! (docs/hugo.md#authors): never an e-mail address.

use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};
use url::Url;

use super::bounds::{Meter, Over};
use super::config::SiteConfig;
use super::frontmatter::{Document, field, text, texts};
use super::images::{beside, first_named, media_type};
use super::paths::slug_of;
use super::{content, hash, visibility};
use crate::entry::Image;
use crate::profile::AuthorProfile;

/// Fields of a profile, and characters of one, that peers take (interop A24).
const MOST_FIELDS: usize = 20;
const LONGEST_FIELD: usize = 2000;

/// What reading a profile needs of the site.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) config: &'a SiteConfig,
    pub(super) public_url: &'a Url,
    /// Whether the operator wants fields at all.
    pub(super) with_fields: bool,
}

/// Where a profile stands.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    /// Its folder's or file's name.
    pub(super) name: &'a str,
    /// The address of its folder.
    pub(super) address: &'a Url,
    /// The file itself.
    pub(super) path: &'a Path,
    /// The same, relative to the source.
    pub(super) file: &'a str,
    /// Whether it is one of the content, beside which pictures may lie.
    pub(super) is_content: bool,
}

/// A profile, and the slugs it gives itself in its own `authors` list; `None` where its name makes no slug.
///
/// # Errors
/// When its text costs too much to read.
pub(super) fn read(
    document: &Document,
    origin: Origin<'_>,
    site: Site<'_>,
) -> Result<Option<(AuthorProfile, Vec<String>)>, Over> {
    let slug = slug_of(origin.name, site.config);
    if slug.is_empty() {
        return Ok(None);
    }
    let fields = &document.fields;
    let name = display_name(fields).unwrap_or_else(|| origin.name.to_owned());
    let is_html = origin.path.extension().is_some_and(|extension| extension == "html");
    let meter = Meter::of(document.body.len());
    let (written, bio) =
        match text(field(fields, "bio")).or_else(|| text(field(fields, "summary")).filter(|_| !origin.is_content)) {
            Some(bio) => (bio.clone(), content::html_of(&bio, &name, false, &site.config.markup, &meter)),
            None => (
                content::normalized(&document.body),
                content::html_of(&document.body, &name, is_html, &site.config.markup, &meter),
            ),
        };
    if let Some(over) = meter.over() {
        return Err(over);
    }
    let avatar = avatar(fields, origin, &name);
    let shown = if site.with_fields { profile_fields(fields, site.public_url) } else { Vec::new() };
    let picture = avatar.as_ref().map(|avatar| &avatar.url);
    let own_names = texts(field(fields, "authors")).iter().map(|own| slug_of(own, site.config)).collect();
    let profile = AuthorProfile {
        slug,
        fingerprint: fingerprint(&json!([name, written, picture, shown])),
        bio: without_email(&html::clean_at(&bio, origin.address)),
        name,
        avatar,
        fields: shown,
        has_profile: true,
        file: Some(origin.file.to_owned()),
    };
    Ok(Some((profile, own_names)))
}

/// A hash over what a profile's source says.
pub(super) fn fingerprint(said: &Value) -> String {
    format!("1:{}", hash::sha256(&said.to_string()))
}

fn display_name(fields: &Map<String, Value>) -> Option<String> {
    let of_map = |name: &Value| {
        let part = |key: &str| text(name.get(key));
        let both = || Some([part("given")?, part("family")?].join(" "));
        part("display").or_else(both).or_else(|| part("full"))
    };
    let name = || field(fields, "name").and_then(|name| text(Some(name)).or_else(|| of_map(name)));
    let written = text(fields.get("title")).or_else(name).or_else(|| text(field(fields, "display_name")));
    written.and_then(|name| name_without_email(&name))
}

/// The first picture named `*avatar*` beside the profile, if the site publishes the profile's folder at all. Pictures
/// in `assets` are published only as what the theme makes of them, under names that cannot be known.
fn avatar(fields: &Map<String, Value>, origin: Origin<'_>, name: &str) -> Option<Image> {
    if !origin.is_content || !visibility::is_rendered(fields) {
        return None;
    }
    let file = first_named(origin.path.parent()?, "avatar")?;
    Some(Image {
        url: beside(origin.address, &file)?.into(),
        alt: name.to_owned(),
        media_type: media_type(&file)?.to_owned(),
        width: None,
        height: None,
    })
}

/// Role, organisations and links as fields (interop A15).
fn profile_fields(fields: &Map<String, Value>, public_url: &Url) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    if let Some(role) = text(field(fields, "role")) {
        shown.push(("Role".to_owned(), html::escape(&role)));
    }
    for key in ["organizations", "affiliations"] {
        let organisations = match field(fields, key) {
            Some(Value::Array(items)) => items.as_slice(),
            _ => &[],
        };
        for organisation in organisations {
            let Some(name) = text(Some(organisation)).or_else(|| text(organisation.get("name"))) else { continue };
            let address = text(organisation.get("url")).and_then(|address| web_address(&address, public_url));
            shown.push(("Organisation".to_owned(), address.map_or_else(|| html::escape(&name), |to| link(&to, &name))));
        }
    }
    for key in ["social", "links"] {
        let Some(Value::Array(links)) = field(fields, key) else { continue };
        for item in links {
            let address = ["link", "url", "href"].iter().find_map(|part| text(item.get(*part)));
            let Some(address) = address.and_then(|address| web_address(&address, public_url)) else { continue };
            let shown_address =
                format!("{}{}", address.host_str().unwrap_or_default(), address.path().trim_end_matches('/'));
            shown.push((link_name(item, &address), link(&address, &shown_address)));
        }
    }
    shown.retain(|(name, value)| !holds_email(name) && !holds_email(value) && value.chars().count() <= LONGEST_FIELD);
    let mut seen = std::collections::HashSet::new();
    shown.retain(|field| seen.insert(field.clone()));
    shown.truncate(MOST_FIELDS);
    shown
}

/// An address on the web: no `mailto:` or `tel:`, and no part of the same page.
fn web_address(written: &str, public_url: &Url) -> Option<Url> {
    if written.contains("/#") || written.starts_with('#') {
        return None;
    }
    let address = public_url.join(written).ok()?;
    matches!(address.scheme(), "http" | "https").then_some(address).filter(|address| address.username().is_empty())
}

fn link(address: &Url, shown: &str) -> String {
    format!("<a href=\"{}\" rel=\"me nofollow noopener\">{}</a>", html::escape(address.as_str()), html::escape(shown))
}

/// What the link says it is, else what its icon is called, else where it leads.
fn link_name(item: &Value, address: &Url) -> String {
    let written = ["label", "name", "title", "text", "tooltip"].iter().find_map(|part| text(item.get(*part)));
    let icon = || {
        let icon = text(item.get("icon"))?;
        let icon = icon.rsplit(['/', ':']).next()?.replace(['-', '_'], " ");
        let mut letters = icon.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    written.or_else(icon).unwrap_or_else(|| address.host_str().unwrap_or("Link").to_owned())
}

/// An address of mail: not a handle (`@ann@example.org`), nor a part of a link's path (`/@ann@example.org`).
static EMAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(^|[^\w.+%@/-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+").ok());

/// A name without addresses of mail, as `Ann <ann@example.org>` or `ann@example.org (Ann)` have them; `None` where
/// nothing else is left.
pub(super) fn name_without_email(name: &str) -> Option<String> {
    let email = EMAIL.as_ref()?;
    let name = name.split_once('<').map_or(name, |(name, _)| name);
    if !email.is_match(name) {
        return Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    }
    let left = email.replace_all(name, "$1");
    let left = left.trim_matches(|c: char| c.is_whitespace() || "()[],;:|-–—".contains(c));
    (!left.is_empty()).then(|| left.to_owned())
}

fn holds_email(text: &str) -> bool {
    text.contains("mailto:") || EMAIL.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// Clean HTML without addresses of mail: links to them become their words, and addresses among the words go.
fn without_email(clean: &str) -> String {
    static LINK: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?s)<a href="mailto:[^"]*"[^>]*>(.*?)</a>"#).ok());
    let (Some(link), Some(email)) = (LINK.as_ref(), EMAIL.as_ref()) else { return String::new() };
    let unlinked = link.replace_all(clean, "$1");
    html::clean(&email.replace_all(&unlinked, "$1"))
}
