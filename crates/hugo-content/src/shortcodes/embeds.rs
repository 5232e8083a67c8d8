//! What each known shortcode means: Hugo's own, those of Wowchemy and `HugoBlox`, and what themes share.

use html::escape;

use super::scanner::{Node, Shortcode};
use super::{Meaning, Surroundings};

/// Their inner text stands by itself, and nothing is lost with their frame.
const FRAMES: &[&str] = &[
    "steps",
    "cards",
    "tabs",
    "tab",
    "columns",
    "column",
    "center",
    "rawhtml",
    "raw",
    "markdownify",
    "lead",
    "accordion",
];

/// Remarks set off from the text.
const REMARKS: &[&str] =
    &["callout", "alert", "hint", "notice", "note", "tip", "info", "warning", "admonition", "blockquote", "quote"];

/// Decoration, and what readers elsewhere have no use for.
const ORNAMENTS: &[&str] = &["icon", "toc", "comment", "speaker_note", "fragment", "fa", "hr-space"];

/// Says what a shortcode means.
pub(super) fn meaning(code: &Shortcode, around: &Surroundings<'_>) -> Meaning {
    let name = code.name.as_str();
    match name {
        "figure" | "img" | "image" => figure(code, around),
        "youtube" | "vimeo" | "instagram" | "x" | "x_simple" | "twitter" | "twitter_simple" | "tweet" | "gist" => {
            embed(code).map_or(Meaning::Unknown, |address| Meaning::Html(link(&address, &escape(&address))))
        }
        "highlight" => Meaning::Code(code.argument("lang", 0).unwrap_or_default().to_owned()),
        "diagram" | "mermaid" => Meaning::Code(String::new()),
        "ref" | "relref" => reference(code, around),
        "param" => match code.argument("name", 0) {
            Some(key) => (around.param)(key).map_or_else(
                || Meaning::Lost(format!("`param` names `{key}`, which neither the page nor the site sets")),
                |value| Meaning::Html(escape(&value)),
            ),
            None => Meaning::Unknown,
        },
        "qr" => {
            let inner = plain_inner(code);
            let text = code.named("text").unwrap_or(inner.trim());
            Meaning::Html(if is_address(text) { link(text, &escape(text)) } else { escape(text) })
        }
        "details" | "spoiler" | "toggle" | "expand" | "collapse" => {
            let title = ["summary", "title", "text"].iter().find_map(|key| code.named(key));
            titled(title.or_else(|| code.argument("summary", 0)), ("", ""))
        }
        name if REMARKS.contains(&name) => titled(code.named("title"), ("<blockquote>", "</blockquote>")),
        name if FRAMES.contains(&name) && code.inner.is_some() => {
            titled(code.named("title").or_else(|| code.named("name")), ("", ""))
        }
        name if ORNAMENTS.contains(&name) => Meaning::Nothing,
        "br" => Meaning::Html("<br>".to_owned()),
        "math" => Meaning::Html(format!("<p>{}</p>", escape(plain_inner(code).trim()))),
        "button" | "cta" | "card" | "staticref" | "cite" | "table" | "chart" | "notebook" | "audio" | "video"
        | "embed" | "pdf" | "mention" => linked(code, around),
        _ => Meaning::Unknown,
    }
}

fn link(address: &str, html: &str) -> String {
    format!("<a href=\"{}\">{html}</a>", escape(address))
}

fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn titled(title: Option<&str>, (before, after): (&str, &str)) -> Meaning {
    let title = title.map(|title| format!("<p><strong>{}</strong></p>", escape(title))).unwrap_or_default();
    Meaning::Around(format!("{before}{title}"), after.to_owned())
}

/// The inner text as it stands, shortcodes within left out.
fn plain_inner(code: &Shortcode) -> String {
    let nodes = code.inner.as_deref().unwrap_or_default();
    nodes.iter().filter_map(|node| if let Node::Text(text) = node { Some(text.as_str()) } else { None }).collect()
}

/// Hugo's `figure`: the picture, within its link if it has one, and its caption.
fn figure(code: &Shortcode, around: &Surroundings<'_>) -> Meaning {
    let Some(source) = code.argument("src", 0) else { return Meaning::Unknown };
    let caption = code.named("caption").map(|caption| (around.render)(caption)).unwrap_or_default();
    let title = code.named("title").map(|title| format!("<p><strong>{}</strong></p>", escape(title)));
    let alt = code.argument("alt", 1).map_or_else(|| html::text(&caption), str::to_owned);
    let image = format!("<img src=\"{}\" alt=\"{}\">", escape(source), escape(&alt));
    let image = code.named("link").map_or(image.clone(), |address| link(address, &image));
    let source_of = code.named("attr").map(|from| {
        let from = (around.render)(from);
        code.named("attrlink").map_or(from.clone(), |address| link(address, &escape(&html::text(&from))))
    });
    let below = format!("{}{caption}{}", title.unwrap_or_default(), source_of.unwrap_or_default());
    let below = if below.is_empty() { below } else { format!("<figcaption>{below}</figcaption>") };
    Meaning::Html(format!("<figure><p>{image}</p>{below}</figure>"))
}

/// The address of the page that an embedded thing comes from.
fn embed(code: &Shortcode) -> Option<String> {
    let first = || code.argument("id", 0);
    let at = |start: &str| first().map(|id| if is_address(id) { id.to_owned() } else { format!("{start}{id}") });
    match code.name.as_str() {
        "youtube" => at("https://www.youtube.com/watch?v="),
        "vimeo" => at("https://vimeo.com/"),
        "instagram" => at("https://www.instagram.com/p/"),
        "gist" => {
            let (user, id) = (code.argument("user", 0)?, code.argument("id", 1)?);
            Some(format!("https://gist.github.com/{user}/{id}"))
        }
        _ => {
            let id = code.argument("id", 1).or_else(first)?;
            let user = code.argument("user", 0).filter(|user| *user != id).unwrap_or("i");
            Some(format!("https://x.com/{user}/status/{id}"))
        }
    }
}

/// An address only: these stand where a link's target stands.
fn reference(code: &Shortcode, around: &Surroundings<'_>) -> Meaning {
    let Some(path) = code.argument("path", 0) else { return Meaning::Unknown };
    match (around.resolve)(path) {
        Some(address) => Meaning::Html(escape(&address)),
        None => Meaning::Lost(format!(
            "`{}` names the page `{path}`, which was not found, so the link is left out; mend its path",
            code.name
        )),
    }
}

/// What is only a link outside the site: to a page, a file, or a place elsewhere.
fn linked(code: &Shortcode, around: &Surroundings<'_>) -> Meaning {
    let keys = ["url", "link", "href", "src", "path", "page", "data", "resource", "id", "user"];
    let Some(target) = keys.iter().find_map(|key| code.named(key)).or_else(|| code.argument("src", 0)) else {
        return Meaning::Unknown;
    };
    let address = match code.name.as_str() {
        "cite" => match (around.resolve)(target) {
            Some(address) => address,
            None => {
                return Meaning::Lost(format!("`cite` names the page `{target}`, which was not found; mend its path"));
            }
        },
        "mention" => return Meaning::Html(escape(target)),
        "chart" if !target.contains('.') => format!("{target}.json"),
        "staticref" if !is_address(target) => format!("/{}", target.trim_start_matches('/')),
        _ => (around.resolve)(target).filter(|_| !is_address(target)).unwrap_or_else(|| target.to_owned()),
    };
    let inner = plain_inner(code);
    let words = ["text", "title", "caption", "name", "label"].iter().find_map(|key| code.named(key));
    let words = words.or_else(|| Some(inner.trim()).filter(|inner| !inner.is_empty())).unwrap_or(target);
    let more = code.named("subtitle").map(|more| format!("<p>{}</p>", escape(more))).unwrap_or_default();
    Meaning::Html(format!("<p>{}</p>{more}", link(&address, &escape(words))))
}
