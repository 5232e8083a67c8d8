//! A post's cover and a profile's picture (sources 1.7).

use std::path::Path;

use serde_json::{Map, Value};
use url::Url;

use super::frontmatter::{field, text};
use super::paths;
use crate::activity::Image;

/// A picture before it has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    /// As the source names it: a file of the bundle, a path on the site, or an address.
    pub(super) source: String,
    pub(super) alt: String,
    in_bundle: bool,
}

/// The cover: the first picture in the bundle named `*featured*`, else what the front matter's `image` names.
pub(super) fn cover(fields: &Map<String, Value>, bundle: Option<&Path>) -> Option<Picture> {
    let image = field(fields, "image");
    let part = |name: &str| text(image.and_then(|image| image.get(name)));
    let alt = part("alt").or_else(|| part("alt_text")).unwrap_or_default();
    if let Some(source) = bundle.and_then(|folder| first_named(folder, "featured")) {
        return Some(Picture { source, alt, in_bundle: true });
    }
    let first_of_images = || field(fields, "images").and_then(|images| text(images.get(0)));
    let source = part("filename").or_else(|| text(image)).or_else(first_of_images)?;
    media_type(&source)?;
    let in_bundle = bundle.is_some_and(|folder| folder.join(&source).is_file());
    Some(Picture { source, alt, in_bundle })
}

/// The first picture in a folder whose name holds `part`, whatever its capitals.
pub(super) fn first_named(folder: &Path, part: &str) -> Option<String> {
    let names = folder.read_dir().ok()?.filter_map(|item| item.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter(|name| name.to_lowercase().contains(part) && media_type(name).is_some()).collect();
    names.sort();
    names.into_iter().next()
}

impl Picture {
    /// The picture's address, for a page at `page`.
    pub(super) fn publish(&self, page: &Url, public_url: &Url) -> Option<Image> {
        let is_address = self.source.starts_with("https://") || self.source.starts_with("http://");
        let url = match () {
            () if self.in_bundle => beside(page, &self.source)?,
            () if is_address => Url::parse(&self.source).ok()?,
            () => paths::join(public_url, &self.source),
        };
        Some(Image { url: url.into(), alt: self.alt.clone(), media_type: media_type(&self.source)?.to_owned() })
    }
}

/// The address of a file in a bundle's folder.
pub(super) fn beside(page: &Url, file: &str) -> Option<Url> {
    let mut url = page.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(file.trim_start_matches("./").split('/'));
    Some(url)
}

/// `image/png` and the like, by the extension; `None` for what is no picture.
pub(super) fn media_type(name: &str) -> Option<&'static str> {
    let name = name.split(['?', '#']).next()?;
    let (_, extension) = name.rsplit_once('.')?;
    Some(match extension.to_lowercase().as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}
