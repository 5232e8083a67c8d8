//! What the union of peers needs of an `Article` (section B), each rule a check of its own.

use clock::Timestamp;
use serde_json::Value;
use unicode_normalization::char::is_combining_mark;

use super::json::{addresses, check_audience, is_single_image, text};
use super::{PUBLIC, origin, require};

/// Longest summary in characters, without its tags (B2).
const SUMMARY_MAX: usize = 500;
/// Elements that have no place in federated content (B23).
const FORBIDDEN: [&str; 12] =
    ["script", "style", "iframe", "object", "embed", "form", "input", "button", "link", "meta", "base", "svg"];

/// Checks an article as it stands.
///
/// # Errors
/// The broken rule, by its number.
pub(super) fn check(article: &Value) -> Result<(), String> {
    check_identity(article)?;
    check_audience(article)?;
    check_group(article)?;
    check_name(text(article, "name").ok_or("B1: there is no name")?)?;
    check_summary(article)?;
    check_content(text(article, "content").ok_or("B23: there is no content")?)?;
    check_times(article)?;
    check_tags(article)?;
    check_single_values(article)?;
    check_counts(article)
}

fn check_identity(article: &Value) -> Result<(), String> {
    let id = text(article, "id").ok_or("E2: the article has no id")?;
    let owner = text(article, "attributedTo").ok_or("R1: attributedTo is not one string")?;
    require(super::same_origin(id, owner), format!("E3: {id} is of another origin than {owner}"))?;
    let page = text(article, "url").ok_or("B24: url is not one string")?;
    require(origin(page).is_some(), format!("B24: url is `{page}`"))?;
    require(page != id, "B24: url is the id itself")
}

/// One community, by a single string, which is also addressed (F4).
pub(super) fn check_group(article: &Value) -> Result<(), String> {
    let group = text(article, "audience").ok_or("F4: audience is not one string")?;
    require(addresses(article).any(|one| one == group), format!("F4: {group} is in neither to nor cc"))
}

/// Plain text that Mastodon may put into a heading as it stands (B4).
fn check_name(name: &str) -> Result<(), String> {
    require(!name.trim().is_empty(), "B1: the name is empty")?;
    let after: Vec<char> =
        name.chars().zip(name.chars().skip(1)).filter(|(one, _)| *one == '<').map(|(_, c)| c).collect();
    let tag = after.iter().any(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
    require(!tag, format!("B4: `{name}` would lose its <"))?;
    require(!name.contains("&lt;") && !name.contains("&amp;"), format!("B4: `{name}` is escaped"))
}

fn check_summary(article: &Value) -> Result<(), String> {
    let Some(summary) = article.get("summary") else { return Ok(()) };
    let summary = summary.as_str().filter(|text| !text.trim().is_empty()).ok_or("B3: summary is empty")?;
    for tag in tags(summary) {
        require(matches!(tag, "p" | "/p"), format!("B2: the summary holds <{tag}>"))?;
    }
    let mut letters = 0;
    let mut inside = false;
    for letter in summary.chars() {
        inside = (inside || letter == '<') && letter != '>';
        letters += usize::from(!inside && letter != '>');
    }
    require(letters <= SUMMARY_MAX, format!("B2: the summary has {letters} characters"))
}

/// No active elements, no handlers, no relative links (B23).
pub(super) fn check_content(content: &str) -> Result<(), String> {
    for tag in tags(content) {
        let name = tag.split(|c: char| c.is_whitespace() || c == '/').find(|part| !part.is_empty()).unwrap_or_default();
        let name = name.to_ascii_lowercase();
        require(!FORBIDDEN.contains(&name.as_str()), format!("B23: the content holds <{name}>"))?;
        for (key, value) in attributes(tag) {
            require(!key.starts_with("on") && key != "style", format!("B23: <{name}> has {key}"))?;
            let link = matches!(key.as_str(), "href" | "src" | "cite" | "poster" | "srcset");
            let absolute = ["https://", "http://", "mailto:"].iter().any(|start| value.starts_with(start));
            require(!link || absolute, format!("B23: {key} of <{name}> is `{value}`"))?;
        }
    }
    Ok(())
}

/// The inside of each tag of cleaned HTML, in which a bare `<` is always escaped.
pub(super) fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split('<').skip(1).map(|rest| {
        let mut quoted = false;
        let end = rest.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        end.and_then(|end| rest.get(..end)).unwrap_or(rest)
    })
}

/// `name="value"` pairs of a tag, names in lower case.
pub(super) fn attributes(tag: &str) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let name = before.split_whitespace().next_back().unwrap_or_default().to_ascii_lowercase();
        let (value, next) = after.split_once('"').unwrap_or((after, ""));
        found.push((name, value));
        rest = next;
    }
    found
}

/// RFC 3339 in UTC with `Z` (B16).
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str().filter(|text| text.ends_with('Z')).and_then(Timestamp::parse_rfc3339)
}

pub(super) fn check_times(article: &Value) -> Result<(), String> {
    let published = article.get("published").and_then(time).ok_or("B16: published is not RFC 3339 with Z")?;
    let Some(updated) = article.get("updated") else { return Ok(()) };
    let updated = time(updated).ok_or("B16: updated is not RFC 3339 with Z")?;
    require(updated >= published, "B6: updated lies before published")
}

pub(super) fn check_tags(article: &Value) -> Result<(), String> {
    let Some(tags) = article.get("tag") else { return Ok(()) };
    for tag in tags.as_array().ok_or("B10: tag is not a list")? {
        let name = text(tag, "name").unwrap_or_default();
        let href = text(tag, "href").unwrap_or_default();
        match text(tag, "type") {
            Some("Hashtag") => {
                let word = name.strip_prefix('#').unwrap_or_default();
                // Mastodon's `[[:word:]]` takes the marks that many scripts write vowels with.
                let belongs = |c: char| c.is_alphanumeric() || c == '_' || is_combining_mark(c);
                let valid = word.chars().all(belongs) && word.contains(char::is_alphabetic);
                require(valid, format!("B10: `{name}` is no hashtag"))?;
                require(origin(href).is_some(), format!("B10: {name} has no page"))?;
            }
            Some("Mention") => {
                require(name.matches('@').count() == 2, format!("B11: `{name}` is no @user@host"))?;
                require(addresses(article).any(|one| one == href), format!("B11: {name} is not addressed"))?;
            }
            other => return Err(format!("B10: a tag is of type {}", other.unwrap_or("nothing"))),
        }
    }
    Ok(())
}

fn check_single_values(article: &Value) -> Result<(), String> {
    require(article.get("inReplyTo").is_none_or(Value::is_null), "F5: an article answers something")?;
    check_shapes(article)
}

/// Shapes on which Lemmy and Mastodon stumble (B13, B14, B15, B20, B21), of an article or a note.
pub(super) fn check_shapes(article: &Value) -> Result<(), String> {
    for key in ["context", "conversation", "mediaType"] {
        require(article.get(key).is_none_or(Value::is_string), format!("B14: {key} is not one string"))?;
    }
    require(text(article, "mediaType").is_none_or(|media| media == "text/html"), "B14: mediaType is not text/html")?;
    require(article.get("attachment").is_none_or(Value::is_array), "B13: attachment is not a list")?;
    require(article.get("image").is_none_or(is_single_image), "B13: image is not one Image with a plain url")?;
    require(article.get("sensitive").is_none_or(Value::is_boolean), "B17: sensitive is not a boolean")?;
    require(article.get("context") == article.get("conversation"), "B20: context and conversation differ")?;
    for (key, map) in [("content", "contentMap"), ("name", "nameMap")] {
        let Some(map) = article.get(map) else { continue };
        let values: Vec<&Value> = map.as_object().into_iter().flat_map(serde_json::Map::values).collect();
        require(
            values.len() == 1 && values.first().copied() == article.get(key),
            format!("B15: {key} and its map differ"),
        )?;
    }
    let quotes = article.pointer("/interactionPolicy/canQuote/automaticApproval").and_then(Value::as_array);
    // An article may be quoted by everyone; an answer says for itself by whom.
    let is_answer = text(article, "type") == Some("Note");
    let may = |who: &Vec<Value>| if is_answer { !who.is_empty() } else { who.iter().any(|one| one == PUBLIC) };
    require(quotes.is_some_and(may), "B21: nobody may quote it, or it does not say who")
}

/// `replies`, `likes` and `shares` are embedded and have an id; the last two are counted (B18, B19).
pub(super) fn check_counts(article: &Value) -> Result<(), String> {
    for key in ["replies", "likes", "shares"] {
        let Some(collection) = article.get(key) else { continue };
        require(text(collection, "id").is_some(), format!("B19: {key} is not embedded with an id"))?;
        let counted = key == "replies" || collection.get("totalItems").is_some_and(Value::is_u64);
        require(counted, format!("B19: {key} is not counted"))?;
    }
    Ok(())
}
