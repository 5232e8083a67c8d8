//! A post's cover and a profile's picture (docs/hugo.md#bodies).

use std::io::Read;
use std::path::{Path, PathBuf};

use imagesize::ImageType;
use serde_json::{Map, Value};
use url::Url;

use super::frontmatter::{field, text};
use super::paths;
use crate::entry::Image;

/// Fields in which themes look for a cover, after `image`; each a text, or a map with one of [`PARTS`].
const FIELDS: &[&str] = &[
    "cover",
    "featured_image",
    "featuredimage",
    "feature_image",
    "featureimage",
    "thumbnail",
    "banner",
    "hero",
    "coverimage",
    "header",
];

/// Where a map names its picture.
const PARTS: &[&str] = &["filename", "image", "src", "url", "path", "relative_url"];

/// Bytes of a picture that are read at most to learn its size; a camera's remarks come first.
const HEAD: u64 = 1024 * 1024;

/// A picture before it has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    /// As the source names it: a file of the bundle, a path on the site, or an address.
    pub(super) source: String,
    pub(super) alt: String,
    /// The file, where it is there.
    file: Option<PathBuf>,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Bundle,
    /// `assets/media`, which Wowchemy publishes under `media`.
    Media,
    Static,
    /// Not found on the site.
    Nowhere,
    Elsewhere,
}

/// Where pictures may lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folders<'a> {
    /// The site's.
    pub(super) root: &'a Path,
    /// The page's own, if it is a bundle.
    pub(super) bundle: Option<&'a Path>,
}

/// The cover: the first picture in the bundle named `*featured*`, else what the front matter names, else a picture of
/// the bundle named as covers are (Hugo's own order for link previews).
pub(super) fn cover(fields: &Map<String, Value>, folders: Folders<'_>) -> Option<Picture> {
    let named = named(fields);
    let alt = named.as_ref().map(|(_, alt)| alt.clone()).unwrap_or_default();
    let in_bundle = |part: &str| folders.bundle.and_then(|folder| first_named(folder, part));
    if let Some(source) = in_bundle("featured") {
        return Some(place(source, alt, folders));
    }
    if let Some((source, alt)) = named.filter(|(source, _)| media_type(source).is_some()) {
        return Some(place(source, alt, folders));
    }
    let source = ["feature", "cover", "thumbnail"].iter().find_map(|part| in_bundle(part))?;
    Some(place(source, alt, folders))
}

/// The picture that the front matter names, and its words for those who cannot see it.
fn named(fields: &Map<String, Value>) -> Option<(String, String)> {
    let image = field(fields, "image");
    let alt_of = |map: Option<&Value>| {
        let part = |name: &str| text(map.and_then(|map| map.get(name)));
        part("alt").or_else(|| part("alt_text")).or_else(|| part("alttext")).unwrap_or_default()
    };
    let source_of = |value: Option<&Value>| {
        text(value).or_else(|| PARTS.iter().find_map(|part| text(value.and_then(|map| map.get(*part)))))
    };
    let alt = Some(alt_of(image)).filter(|alt| !alt.is_empty()).or_else(|| {
        ["image_alt", "imagealt", "alt", "featured_image_alt"].iter().find_map(|key| text(field(fields, key)))
    });
    let alt = alt.unwrap_or_default();
    let in_list = || {
        let images = field(fields, "images");
        text(images).or_else(|| images.and_then(|images| source_of(images.get(0))))
    };
    let in_fields = || {
        FIELDS.iter().find_map(|key| {
            let value = field(fields, key);
            let source = source_of(value)?;
            let own = alt_of(value);
            Some((source, if own.is_empty() { alt.clone() } else { own }))
        })
    };
    match source_of(image) {
        Some(source) => Some((source, alt)),
        None => {
            in_fields().or_else(|| in_list().map(|source| (source, alt.clone()))).or(Some((String::new(), alt.clone())))
        }
    }
}

fn place(source: String, alt: String, folders: Folders<'_>) -> Picture {
    if source.starts_with("https://") || source.starts_with("http://") {
        return Picture { source, alt, file: None, place: Place::Elsewhere };
    }
    let path = source.trim_start_matches("./").trim_start_matches('/');
    let within = |folder: &Path| {
        // A picture outside the site is none of ours.
        let steps_out = Path::new(path).components().any(|part| matches!(part, std::path::Component::ParentDir));
        Some(folder.join(path)).filter(|file| !steps_out && file.is_file())
    };
    let in_bundle = || folders.bundle.filter(|_| !source.starts_with('/')).and_then(within);
    let (file, place) = if let Some(file) = in_bundle() {
        (Some(file), Place::Bundle)
    } else if let Some(file) = within(&folders.root.join("static")) {
        (Some(file), Place::Static)
    } else if let Some(file) = within(&folders.root.join("assets/media")) {
        (Some(file), Place::Media)
    } else {
        (within(&folders.root.join("assets")), Place::Nowhere)
    };
    Picture { source, alt, file, place }
}

/// Where a picture that a page names may lie outside of its bundle; none for one with an address of its own.
pub(super) fn places(root: &Path, source: &str) -> Vec<PathBuf> {
    if source.starts_with("https://") || source.starts_with("http://") {
        return Vec::new();
    }
    let path = source.trim_start_matches("./").trim_start_matches('/');
    ["static", "assets/media", "assets"].iter().map(|folder| root.join(folder).join(path)).collect()
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
    /// The picture's address, for a page at `page`, with what its file says.
    pub(super) fn publish(&self, page: &Url, public_url: &Url) -> Option<Image> {
        let url = match self.place {
            Place::Bundle => beside(page, &self.source)?,
            Place::Elsewhere => Url::parse(&self.source).ok()?,
            Place::Media => paths::join(public_url, &format!("media/{}", self.source.trim_start_matches('/'))),
            Place::Static | Place::Nowhere => paths::join(public_url, &self.source),
        };
        let read = self.file.as_deref().and_then(measured);
        let media_type = read.as_ref().and_then(|read| read.media_type).or_else(|| media_type(&self.source))?;
        let (width, height) = read.and_then(|read| read.size).unzip();
        Some(Image { url: url.into(), alt: self.alt.clone(), media_type: media_type.to_owned(), width, height })
    }

    /// What is odd about it.
    pub(super) fn oddity(&self) -> Option<String> {
        let source = &self.source;
        match self.place {
            Place::Nowhere => Some(format!(
                "the picture `{source}` is neither beside the page nor in `static`, so its address may lead nowhere and its size is not known"
            )),
            Place::Media => Some(format!(
                "the picture `{source}` lies in `assets/media`; its address holds only if the theme publishes it as `media/{source}`"
            )),
            Place::Bundle | Place::Static | Place::Elsewhere => None,
        }
    }
}

/// What the head of a picture's file says of it.
struct Measured {
    media_type: Option<&'static str>,
    /// Width and height in pixels.
    size: Option<(u32, u32)>,
}

fn measured(file: &Path) -> Option<Measured> {
    let file = std::fs::File::open(file).ok()?;
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head).ok()?;
    let kind = imagesize::image_type(&head).ok().and_then(|kind| match kind {
        ImageType::Png => Some("image/png"),
        ImageType::Jpeg => Some("image/jpeg"),
        ImageType::Webp => Some("image/webp"),
        ImageType::Gif => Some("image/gif"),
        ImageType::Heif(imagesize::Compression::Av1) => Some("image/avif"),
        _ => None,
    });
    let size = imagesize::blob_size(&head).ok().filter(|_| kind.is_some());
    let size = size.and_then(|size| Some((u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?)));
    Some(Measured { media_type: kind, size: size.filter(|(width, height)| *width > 0 && *height > 0) })
}

/// The address of a file in a bundle's folder.
pub(super) fn beside(page: &Url, file: &str) -> Option<Url> {
    let mut url = page.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(file.trim_start_matches("./").split('/'));
    Some(url)
}

/// The files of a bundle that its content shows but that are not there, as the content names them.
pub(super) fn missing(content: &str, page: &Url, bundle: &Path) -> Vec<String> {
    let mut missing: Vec<String> = content
        .split("<img src=\"")
        .skip(1)
        .filter_map(|rest| rest.split_once('"'))
        .filter_map(|(address, _)| Url::parse(&address.replace("&amp;", "&")).ok())
        .filter(|address| address.origin() == page.origin())
        .filter_map(|address| address.path().strip_prefix(page.path()).map(str::to_owned))
        .filter_map(|name| decoded(&name))
        .filter(|name| !name.is_empty() && !bundle.join(name).is_file())
        .collect();
    missing.sort();
    missing.dedup();
    missing
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

fn decoded(path: &str) -> Option<String> {
    percent_encoding::percent_decode_str(path).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
