//! Comments on the posts, given back to the site: data files from which Hugo builds the comments into its pages.

pub mod hugo;
pub mod partials;
pub mod store;
pub(crate) mod thread;
pub mod worker;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use self::hugo::{Folder, INDEX};
use crate::app::App;
use crate::base::hex::hex;
use crate::base::ids::{ArticleId, SourceId};
use crate::config::Source;
use crate::db::Conn;
use crate::model::interaction::conversation::media::MediaUrls;
use crate::model::interaction::conversation::{Conversation, document};
use crate::model::interaction::store::{ConversationPage, Order};
use crate::model::post::Listed;
use crate::model::{interaction, post};
use crate::site::source;

/// What was done to the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Files that are new or changed.
    pub(crate) written: u64,
    pub(crate) unchanged: u64,
    /// Files of articles that are gone, or have no comments any more.
    pub(crate) removed: u64,
}

/// Most characters of a post's key in the name of its file.
const READABLE: usize = 60;

/// Hex digits that distinguish keys which look alike.
const HASH: usize = 12;

/// The name of a post's data file, without its extension: readable, and only small letters, digits and `-`, so that it
/// is one name on every file system and a key of Hugo's data, whatever the site calls the post.
pub(crate) fn file_name(key: &str) -> String {
    let mut name = String::new();
    for letter in key.chars().flat_map(char::to_lowercase) {
        if letter.is_ascii_alphanumeric() {
            name.push(letter);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        if name.len() >= READABLE {
            break;
        }
    }
    if !name.is_empty() && !name.ends_with('-') {
        name.push('-');
    }
    let mut hash = sha256(key.as_bytes());
    hash.truncate(HASH);
    name + &hash
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// A source's articles, and the versions of their conversations.
#[derive(Clone, Debug)]
pub struct View {
    pages: Vec<Listed>,
    /// Of those with something that everyone sees.
    stamps: HashMap<ArticleId, String>,
}

impl View {
    /// Reads it: two statements, however many comments there are.
    pub async fn take(app: &App, conn: &mut Conn, source: SourceId) -> sqlx::Result<Self> {
        let pages = post::store::standing_in(conn, source, app.clock.now()).await?;
        let stamps = interaction::store::versions(conn, source).await?;
        let stamps = stamps.into_iter().map(|stamp| (stamp.article, stamp.changes.to_string()));
        Ok(Self { pages, stamps: stamps.collect() })
    }

    /// The pages that get a file, each with a version that changes when its file may.
    fn files(&self) -> impl Iterator<Item = (&Listed, String)> {
        let stamp = |page: &Listed| Some(format!("{}-{}", page.revision, self.stamps.get(&page.id)?));
        self.pages.iter().filter_map(move |page| Some((page, stamp(page)?)))
    }

    /// A hash of everything that the files depend on.
    pub(crate) fn sum(&self) -> String {
        let mut text = String::new();
        for page in &self.pages {
            let stamp = self.stamps.get(&page.id).map_or("", String::as_str);
            // Writing to a String never fails.
            let _ = writeln!(text, "{} {} {} {} {stamp}", page.url, page.uuid, page.owner, page.revision);
        }
        sha256(text.as_bytes())
    }

    /// The file that maps pages to their articles, authors and files: a page's template knows its address alone.
    fn index(&self, app: &App, source: &Source) -> Map<String, Value> {
        let pages: BTreeMap<&str, Value> = self
            .pages
            .iter()
            .map(|page| {
                let file = self.stamps.contains_key(&page.id).then(|| file_name(&page.key));
                let about = json!({
                    "article": app.urls.article(page.uuid),
                    "creator": format!("@{}", app.urls.acct(&page.owner)),
                    "author": page.owner,
                    "comments": file,
                });
                (page.url.as_str(), about)
            })
            .collect();
        let mut index = Map::new();
        index.insert("bridge".to_owned(), app.urls.origin().into());
        index.insert("site".to_owned(), source.public_url.origin().ascii_serialization().into());
        index.insert("pages".to_owned(), json!(pages));
        index
    }
}

/// The version of each conversation when its file was last written; forgetting it only costs a comparison.
pub type Known = HashMap<ArticleId, String>;

/// Updates the files in a site's root folder, except those of conversations whose version `known` has. A file that
/// cannot be written does not keep the others from it.
///
/// # Errors
/// When the source is not known yet, the database fails, or a file cannot be written: then the first such error.
pub async fn hand_back(app: &App, source: &Source, site: &Path, known: &mut Known) -> anyhow::Result<(Report, String)> {
    let folder = Folder::open(site)?;
    let view = {
        // One snapshot, so that the index and the files agree.
        let mut conn = app.db.snapshot().await?;
        let sources = source::store::known(&mut conn).await?;
        let row = sources.iter().find(|known| known.name == source.name);
        let row = row.with_context(|| format!("the source `{}` was never started with", source.name))?;
        View::take(app, &mut conn, row.id).await?
    };
    let mut report = Report::default();
    let mut names = BTreeSet::from([INDEX.to_owned()]);
    let mut seen = Known::new();
    let mut failed = None;
    for (page, stamp) in view.files() {
        let name = file_name(&page.key);
        if known.get(&page.id) == Some(&stamp) {
            report.unchanged += 1;
        } else if let Some(document) = conversation(app, page).await? {
            let put = {
                let name = name.clone();
                move |folder: &Folder, report: &mut Report| folder.put(&name, document, report)
            };
            match in_background(&folder, report, put).await {
                Ok(now) => report = now,
                Err(error) => failed = failed.or(Some(error)),
            }
        } else {
            // It was deleted since; the next pass sees that too.
            continue;
        }
        names.insert(name);
        seen.insert(page.id, stamp);
    }
    let (index, now) = (view.index(app, source), app.clock.now());
    let report = in_background(&folder, report, move |folder, report| {
        folder.put(INDEX, index, report)?;
        folder.keep_only(&names, now, report)
    })
    .await?;
    if let Some(error) = failed {
        return Err(error);
    }
    *known = seen;
    Ok((report, view.sum()))
}

/// Works on files on a blocking thread.
async fn in_background(
    folder: &Folder,
    mut report: Report,
    work: impl FnOnce(&Folder, &mut Report) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<Report> {
    let folder = folder.clone();
    let done = move || work(&folder, &mut report).map(|()| report);
    tokio::task::spawn_blocking(done).await?
}

const AT_A_TIME: i64 = 500;

/// An article's whole conversation, in the shape of `GET /api/v1/conversation`; `None` if it is gone.
async fn conversation(app: &App, page: &Listed) -> anyhow::Result<Option<Map<String, Value>>> {
    let mut conn = app.db.snapshot().await?;
    let article = post::store::article(&mut conn, page.id).await?;
    let Some(article) = article.filter(|article| article.stands(app.clock.now())) else { return Ok(None) };
    let count = interaction::store::count_replies(&mut conn, article.id, false).await?;
    let most = i64::try_from(thread::MOST).unwrap_or(i64::MAX);
    let mut from = ConversationPage { order: Order::Time, from: (count - most).max(0), limit: AT_A_TIME };
    let mut conversation = Conversation::read(app, &mut conn, article.clone(), from).await?;
    let mut replies = std::mem::take(&mut conversation.replies);
    while let Some(next) = conversation.next.take() {
        from.from = next;
        let more = Conversation::read(app, &mut conn, article.clone(), from).await?;
        replies.extend(more.replies);
        conversation.next = more.next;
    }
    drop(conn);
    conversation.replies = thread::laid_out(replies.into_iter().map(|(shown, _)| shown).collect());
    Ok(Some(file(app, page, &conversation)))
}

/// The content of a file: as the API has it, with the depth of each reply, and how to find the article.
fn file(app: &App, page: &Listed, conversation: &Conversation) -> Map<String, Value> {
    let shown = conversation.replies.iter().filter(|(shown, _)| shown.words.is_some()).count();
    let omitted = conversation.answers.replies.saturating_sub(shown.try_into().unwrap_or(u64::MAX));
    let mut whole = document::conversation(app, conversation, &mut MediaUrls::for_others(app));
    if let Some(replies) = whole.get_mut("replies").and_then(Value::as_object_mut) {
        replies.insert("left_out".to_owned(), omitted.into());
        let items = replies.get_mut("items").and_then(Value::as_array_mut);
        for (item, (_, depth)) in items.into_iter().flatten().zip(&conversation.replies) {
            if let Some(item) = item.as_object_mut() {
                item.insert("depth".to_owned(), (*depth).into());
            }
        }
    }
    let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("url", &page.url).finish();
    let mut file = Map::new();
    file.insert("key".to_owned(), page.key.as_str().into());
    file.insert("resolve".to_owned(), format!("{}/ap/resolve?{query}", app.urls.origin()).into());
    if let Value::Object(whole) = whole {
        file.extend(whole);
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_each_keys_own() {
        let start = |key: &str| {
            let name = file_name(key);
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{name}");
            assert!(name.len() <= READABLE + HASH + 1, "{name}");
            name[..name.len() - HASH].to_owned()
        };
        for (key, expected) in [
            ("post/ferry", "post-ferry-"),
            ("nl:post/Éen Veer.v2", "nl-post-en-veer-v2-"),
            ("../../etc/passwd", "etc-passwd-"),
            ("/", ""),
            ("", ""),
            ("index", "index-"),
            ("世界", ""),
            ("CON\0\n\u{202e}", "con-"),
        ] {
            assert_eq!(start(key), expected, "{key:?}");
        }
        assert_eq!(start(&"x/".repeat(500)).len(), READABLE);
        for (one, other) in [("a/b", "a-b"), ("A", "a"), ("世", "界"), ("", "/")] {
            assert_ne!(file_name(one), file_name(other));
        }
        assert_eq!(file_name("post/ferry"), file_name("post/ferry"));
    }
}
