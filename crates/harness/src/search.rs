//! How a simulated server finds what a pasted address leads to, as Mastodon's search does (A21, A22, B24).

use http::Response;
use serde_json::Value;
use url::Url;

use super::article::{self, attributes, tags};
use super::json::text;
use super::peer::Peer;
use super::{ACTIVITY_JSON, require, verify};

/// What Mastodon asks for: a document, else the page that may lead to it (A21).
const ACCEPT: &str = r#"application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams", text/html;q=0.1"#;

/// Redirects followed (A22).
const REDIRECTS: usize = 3;

impl Peer {
    /// Finds the article of an address that somebody pastes: its id, or a page that leads to it. The document's `id` must
    /// be the address it was read at; another is asked once at its own, but not behind a page's link (A22, B24).
    ///
    /// # Errors
    /// The broken rule, or why nobody answered.
    pub async fn find(&self, address: &str) -> Result<Value, String> {
        let answer = self.followed(address).await?;
        if !is_activity(&answer) {
            let link = linked(address, &answer)?;
            let document = read(&link, &self.followed(&link).await?)?;
            let id = text(&document, "id").unwrap_or_default();
            require(id == link, format!("A22: {address} leads to {link}, which calls itself `{id}`"))?;
            return checked(document);
        }
        let document = read(address, &answer)?;
        let id = text(&document, "id").unwrap_or_default().to_owned();
        if id == address {
            return checked(document);
        }
        let document = read(&id, &self.followed(&id).await?)?;
        require(text(&document, "id") == Some(&id), format!("A22: {id} calls itself otherwise"))?;
        checked(document)
    }

    /// A signed GET, along its redirects.
    async fn followed(&self, address: &str) -> Result<Response<bytes::Bytes>, String> {
        let mut at = Url::parse(address).map_err(|_| format!("`{address}` is no address"))?;
        at.set_fragment(None);
        for _ in 0..=REDIRECTS {
            let answer = self.signed_get_as(at.as_str(), ACCEPT).await?;
            let status = answer.status();
            if !status.is_redirection() {
                require(status == 200, format!("A22: {at} answers {status}"))?;
                return Ok(answer);
            }
            let to = header(&answer, "location");
            at = at.join(to).map_err(|_| format!("A22: {at} leads to `{to}`"))?;
        }
        Err(format!("A22: {address} redirects more than {REDIRECTS} times"))
    }
}

fn header<'a>(answer: &'a Response<bytes::Bytes>, name: &str) -> &'a str {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn is_activity(answer: &Response<bytes::Bytes>) -> bool {
    verify::is_activity_json(header(answer, "content-type"))
}

fn read(address: &str, answer: &Response<bytes::Bytes>) -> Result<Value, String> {
    let media = header(answer, "content-type");
    require(is_activity(answer), format!("G6: {address} is served as `{media}`"))?;
    serde_json::from_slice(answer.body()).map_err(|_| format!("A22: {address} is no JSON"))
}

fn checked(document: Value) -> Result<Value, String> {
    require(text(&document, "type") == Some("Article"), "B1: what was found is no Article")?;
    article::check(&document)?;
    Ok(document)
}

/// Where a page says its document is (A21).
fn linked(address: &str, answer: &Response<bytes::Bytes>) -> Result<String, String> {
    let media = header(answer, "content-type");
    require(media.starts_with("text/html"), format!("A21: {address} is served as `{media}`"))?;
    let page = String::from_utf8_lossy(answer.body());
    let links = tags(&page).filter(|tag| tag.split_whitespace().next() == Some("link"));
    let wanted = links.map(attributes).find(|attributes| {
        let of = |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| *value);
        // Mastodon wants this one word and no other beside it.
        of("rel") == Some("alternate") && of("type") == Some(ACTIVITY_JSON)
    });
    let href = wanted.and_then(|all| all.into_iter().find(|(name, _)| name == "href")).map(|(_, value)| value);
    let href = href.ok_or(format!("A21: {address} has no link of type {ACTIVITY_JSON}"))?;
    Ok(href.replace("&amp;", "&").replace("&#43;", "+"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn page(body: &str) -> Response<Bytes> {
        let page = Response::builder().header("content-type", "text/html; charset=utf-8");
        page.body(Bytes::from(body.to_owned())).expect("an answer")
    }

    #[test]
    fn the_link_of_the_right_kind_is_followed() {
        let found = linked(
            "https://e.test/",
            &page(
                r#"<!doctype html><link rel="alternate" type="application/rss+xml" href="/index.xml"><link rel="canonical" href="/">
                <link rel="alternate nofollow" type="application/activity+json" href="/elsewhere">
                <link rel="alternate" type="application/activity+json" href="https://s.test/ap/resolve?url=a&amp;b=c&#43;d">"#,
            ),
        );
        assert_eq!(found, Ok("https://s.test/ap/resolve?url=a&b=c+d".to_owned()));
        let none = linked("https://e.test/", &page("<link rel=\"alternate\" href=\"/\">")).expect_err("none");
        assert!(none.starts_with("A21"), "{none}");
    }
}
