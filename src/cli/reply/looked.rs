//! A reply as a moderator sees it: of which article, behind which warning, and where its links lead.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use clock::Timestamp;
use regex::Regex;
use serde::Serialize;
use url::Url;

use crate::app::App;
use crate::db::Conn;
use crate::model::interaction::{Kind, Shown, State, Words};
use crate::model::post;

/// What private words are called.
pub(super) const PRIVATE: &str = "private";

/// Characters of a reply that stand in the list.
const TEASER: usize = 80;

/// Most links that are named of one reply.
const LINKS: usize = 50;

/// How a reply stands, for people: private words are shown to nobody.
fn state(kind: Kind, state: State) -> &'static str {
    if kind == Kind::Notice && state == State::Shown { PRIVATE } else { state.as_str() }
}

/// A reply, as it is printed.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) state: &'static str,
    /// `@user@host`.
    pub(super) author: String,
    pub(super) author_id: String,
    pub(super) author_name: String,
    /// The id of the article.
    pub(super) article: String,
    /// Its title.
    pub(super) title: String,
    /// The id of the reply that it answers; `null` where it answers the article.
    pub(super) parent: Option<String>,
    pub(super) warning: Option<String>,
    /// Plain text.
    pub(super) text: String,
    /// Where its links lead.
    pub(super) links: Vec<String>,
    pub(super) written: String,
    pub(super) edited: Option<String>,
    /// All of what it says.
    pub(super) words: Option<Words>,
}

/// Replies with the articles that they answer.
pub(super) async fn lines(app: &App, conn: &mut Conn, replies: Vec<Shown>) -> anyhow::Result<Vec<Line>> {
    let mut articles = BTreeMap::new();
    for reply in &replies {
        if !articles.contains_key(&reply.article)
            && let Some(article) = post::store::article(conn, reply.article).await?
        {
            articles.insert(reply.article, (app.urls.article(article.uuid), article.content.title));
        }
    }
    Ok(replies
        .into_iter()
        .map(|reply| {
            let (article, title) = articles.get(&reply.article).cloned().unwrap_or_default();
            line(reply, article, title)
        })
        .collect())
}

fn line(reply: Shown, article: String, title: String) -> Line {
    let content = reply.words.as_ref().map(|words| words.content.as_str()).unwrap_or_default();
    Line {
        state: state(reply.kind, reply.state),
        text: html::text(content),
        links: links(content),
        warning: reply.words.as_ref().and_then(|words| words.warning.clone()),
        id: reply.id,
        kind: reply.kind,
        author: reply.author.handle,
        author_id: reply.author.id,
        author_name: reply.author.name,
        article,
        title,
        parent: reply.parent,
        written: reply.published.rfc3339(),
        edited: reply.updated.map(Timestamp::rfc3339),
        words: reply.words,
    }
}

impl Line {
    /// The beginning of what it says, behind its warning.
    pub(super) fn teaser(&self) -> String {
        let warning = self.warning.as_ref().map(|warning| format!("[{warning}] ")).unwrap_or_default();
        warning.chars().chain(self.text.chars()).take(TEASER).collect()
    }

    /// The hosts that its links lead to.
    pub(super) fn hosts(&self) -> String {
        let host = |link: &String| Url::parse(link).ok()?.host_str().map(str::to_owned);
        let mut hosts: Vec<String> = self.links.iter().filter_map(host).collect();
        hosts.sort();
        hosts.dedup();
        hosts.join(" ")
    }
}

/// Where the links of clean HTML lead, each address once.
fn links(clean: &str) -> Vec<String> {
    static HREF: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"<a\b[^>]*?\shref="([^"]*)""#).ok());
    let mut links: Vec<String> = Vec::new();
    for found in HREF.iter().flat_map(|href| href.captures_iter(clean)).filter_map(|found| found.get(1)) {
        let link = html::text(found.as_str());
        if links.len() < LINKS && !links.contains(&link) {
            links.push(link);
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_told_by_where_they_lead() {
        let clean = r#"<p><a href="https://evil.test/?a=1&amp;b=2" rel="nofollow">bank.example</a> and <a rel="x" href="https://a.test/">a</a>
            <a href="https://a.test/">again</a></p>"#;
        assert_eq!(links(clean), ["https://evil.test/?a=1&b=2", "https://a.test/"]);
        assert_eq!(links("<p>no link, but href=\"x\"</p>"), Vec::<String>::new());
    }
}
