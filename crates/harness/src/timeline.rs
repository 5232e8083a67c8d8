//! What a reader on a simulated server sees: articles and answers as Mastodon (from 4.5) would store and show them.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::article::time;
use super::json::text;
use super::note::told;
use super::require;
use super::shape::check_post;

/// An article, or an answer, as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// Its author's actor.
    pub author: String,
    /// What it answers; `None` for an article.
    pub in_reply_to: Option<String>,
    /// The title; an answer has none.
    pub title: String,
    /// The teaser, as HTML; empty where there is none.
    pub summary: String,
    /// The body, as HTML, which some servers show and Mastodon does not (B1).
    pub content: String,
    /// The page on the site.
    pub url: String,
    /// The text Mastodon makes of it (B1).
    pub text: String,
    /// Whether an Update changed it.
    pub edited: bool,
    /// Whether a Delete took it away; the texts are then empty.
    pub deleted: bool,
    /// The actors who announced it, in order.
    pub announced_by: Vec<String>,
    /// The whole object, `null` once deleted or while it could not be fetched.
    pub object: Value,
}

/// How a story came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Delivered,
    Fetched,
    /// Announced, but not to be had at that moment.
    Awaited,
}

struct Story {
    object: Value,
    origin: Origin,
    edited: bool,
    deleted: bool,
    announced_by: Vec<String>,
    author: String,
    in_reply_to: Option<String>,
    /// Whom it mentions, and addresses.
    tells: Vec<String>,
}

/// All stories of a server.
#[derive(Default)]
pub(super) struct Timeline {
    stories: HashMap<String, Story>,
    /// Ids in the order in which they came.
    order: Vec<String>,
    /// Ids that are burned (R4).
    tombstones: HashSet<String>,
    /// Ids that concern nobody here (B9).
    ignored: HashSet<String>,
}

impl Timeline {
    /// A Create whose object is at hand (R1, R4).
    pub(super) fn create(&mut self, actor: &str, object: &Value) -> Result<(), String> {
        let id = text(object, "id").unwrap_or_default();
        require(!self.tombstones.contains(id), format!("R4: {id} was deleted, and is created again"))?;
        require(text(object, "attributedTo") == Some(actor), format!("R1: {id} is not {actor}'s"))?;
        match self.stories.get(id).map(|story| story.origin) {
            Some(Origin::Delivered) => Err(format!("D12: {id} is created a second time")),
            Some(Origin::Fetched) => Ok(()),
            Some(Origin::Awaited) | None => {
                self.store(id, object, Origin::Delivered);
                Ok(())
            }
        }
    }

    /// An Update with its object (B6, B7, E5).
    pub(super) fn update(&mut self, actor: &str, object: &Value) -> Result<(), String> {
        let id = text(object, "id").unwrap_or_default();
        require(!self.tombstones.contains(id), format!("R4: {id} was deleted, and is updated"))?;
        if self.ignored.contains(id) {
            return Ok(());
        }
        let story = self.stories.get_mut(id).ok_or(format!("B7: {id} is updated, but never came here"))?;
        if story.origin == Origin::Awaited {
            self.store(id, object, Origin::Fetched);
            return Ok(());
        }
        require(story.author == actor, format!("E5: {id} is {}'s, not {actor}'s", story.author))?;
        let newest = |object: &Value| object.get("updated").and_then(time);
        let (before, after) = (newest(&story.object), newest(object));
        // What was fetched may already be the edited text, which its Update then only repeats.
        if story.origin == Origin::Fetched && after <= before {
            return Ok(());
        }
        let newer = after > before.or_else(|| story.object.get("published").and_then(time));
        require(newer, format!("B6: updated of {id} is not later than before"))?;
        story.object = object.clone();
        story.origin = Origin::Delivered;
        story.edited = true;
        Ok(())
    }

    /// A Delete by id; of the unknown it is nothing but a memory (E10).
    pub(super) fn delete(&mut self, actor: &str, id: &str) -> Result<(), String> {
        if let Some(story) = self.stories.get_mut(id) {
            let owned = story.author.is_empty() || story.author == actor;
            require(owned, format!("E10: {id} is {}'s, not {actor}'s", story.author))?;
            story.deleted = true;
            story.object = Value::Null;
        }
        self.tombstones.insert(id.to_owned());
        Ok(())
    }

    /// The end of an actor takes all its articles (E11).
    pub(super) fn delete_author(&mut self, actor: &str) {
        for (id, story) in self.stories.iter_mut().filter(|(_, story)| story.author == actor) {
            story.deleted = true;
            story.object = Value::Null;
            self.tombstones.insert(id.clone());
        }
    }

    /// An Announce; `fetched` is what its object's address answered, `None` while it cannot be had (E12, F14).
    pub(super) fn announce(&mut self, announce: &Value, fetched: Option<&Value>) -> Result<(), String> {
        let id = text(announce, "object").unwrap_or_default();
        require(!self.tombstones.contains(id), format!("R4: {id} was deleted, and is announced"))?;
        let known = self.stories.get(id).is_some_and(|story| story.origin != Origin::Awaited);
        if let (Some(object), false) = (fetched, known) {
            check_post(object)?;
            self.store(id, object, Origin::Fetched);
        }
        if !self.stories.contains_key(id) {
            self.store(id, &Value::Null, Origin::Awaited);
        }
        let Some(story) = self.stories.get_mut(id) else { return Ok(()) };
        let published = |document: &Value| document.get("published").and_then(time);
        let early = published(announce).is_some_and(|at| published(&story.object).is_some_and(|then| at < then));
        require(!early, format!("F14: {id} is announced before it was published"))?;
        let announcer = text(announce, "actor").unwrap_or_default().to_owned();
        require(!story.announced_by.contains(&announcer), format!("D12: {announcer} announces {id} a second time"))?;
        story.announced_by.push(announcer);
        Ok(())
    }

    /// Whether an announced object must be fetched to be shown.
    pub(super) fn wants(&self, id: &str) -> bool {
        !self.tombstones.contains(id) && self.stories.get(id).is_none_or(|story| story.origin == Origin::Awaited)
    }

    /// A post that somebody here looked at, before or without its Create.
    pub(super) fn fetched(&mut self, id: &str, object: &Value) {
        if self.wants(id) {
            self.store(id, object, Origin::Fetched);
            self.ignored.remove(id);
        }
    }

    /// What concerns nobody here is not kept.
    pub(super) fn ignore(&mut self, id: &str) {
        self.ignored.insert(id.to_owned());
    }

    /// A known post, unless it is gone or could not be had.
    pub(super) fn object(&self, id: &str) -> Option<&Value> {
        self.stories.get(id).map(|story| &story.object).filter(|object| object.is_object())
    }

    /// The ids of known answers to a post.
    pub(super) fn answers_to(&self, id: &str) -> Vec<String> {
        let answers = |one: &&String| {
            self.stories.get(*one).is_some_and(|story| !story.deleted && story.in_reply_to.as_deref() == Some(id))
        };
        self.order.iter().filter(answers).cloned().collect()
    }

    /// What calls an actor by name.
    pub(super) fn mentioning(&self, actor: &str) -> Vec<Entry> {
        let stories = self.order.iter().filter_map(|id| self.stories.get(id).map(|story| (id, story)));
        let tells = stories.filter(|(_, story)| story.tells.iter().any(|one| one == actor));
        tells.map(|(id, story)| story.entry(id)).collect()
    }

    /// What somebody sees who follows these actors.
    pub(super) fn seen_by(&self, follows: &HashSet<String>) -> Vec<Entry> {
        let followed = |story: &Story| {
            follows.contains(&story.author) || story.announced_by.iter().any(|who| follows.contains(who))
        };
        let stories = self.order.iter().filter_map(|id| self.stories.get(id).map(|story| (id, story)));
        stories.filter(|(_, story)| followed(story)).map(|(id, story)| story.entry(id)).collect()
    }

    fn store(&mut self, id: &str, object: &Value, origin: Origin) {
        let earlier = self.stories.remove(id);
        if earlier.is_none() {
            self.order.push(id.to_owned());
        }
        let announced_by = earlier.map(|story| story.announced_by).unwrap_or_default();
        let author = text(object, "attributedTo").unwrap_or_default().to_owned();
        let in_reply_to = text(object, "inReplyTo").map(str::to_owned);
        let tells = told(object).map(str::to_owned).collect();
        let story = Story {
            object: object.clone(),
            origin,
            edited: false,
            deleted: false,
            announced_by,
            author,
            in_reply_to,
            tells,
        };
        self.stories.insert(id.to_owned(), story);
    }
}

impl Story {
    fn entry(&self, id: &str) -> Entry {
        let field = |key: &str| text(&self.object, key).unwrap_or_default().to_owned();
        let (title, summary, url) = (field("name"), field("summary"), field("url"));
        let shown = match (&self.object, &self.in_reply_to) {
            (Value::Null, _) => String::new(),
            (_, Some(_)) => field("content"),
            _ => format!("<h2>{title}</h2>{summary}\n{url}"),
        };
        Entry {
            id: id.to_owned(),
            author: self.author.clone(),
            in_reply_to: self.in_reply_to.clone(),
            content: field("content"),
            text: shown,
            title,
            summary,
            url,
            edited: self.edited,
            deleted: self.deleted,
            announced_by: self.announced_by.clone(),
            object: self.object.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ANN: &str = "https://b.test/ap/actors/1";

    fn article(updated: Option<&str>) -> Value {
        let mut article = json!({
            "id": "https://b.test/ap/articles/1", "type": "Article", "attributedTo": ANN, "name": "A",
            "published": "2026-08-07T10:00:00Z",
        });
        if let (Some(updated), Some(map)) = (updated, article.as_object_mut()) {
            map.insert("updated".to_owned(), json!(updated));
        }
        article
    }

    fn refused(result: Result<(), String>, rule: &str) {
        let why = result.expect_err(rule);
        assert!(why.starts_with(rule), "{rule}: {why}");
    }

    #[test]
    fn only_a_later_update_counts() {
        let mut timeline = Timeline::default();
        refused(timeline.update(ANN, &article(Some("2026-08-07T10:01:00Z"))), "B7");
        refused(timeline.create("https://b.test/ap/actors/2", &article(None)), "R1");
        timeline.create(ANN, &article(None)).expect("a create");
        refused(timeline.create(ANN, &article(None)), "D12");
        refused(timeline.update(ANN, &article(None)), "B6");
        refused(timeline.update(ANN, &article(Some("2026-08-07T10:00:00Z"))), "B6");
        timeline.update(ANN, &article(Some("2026-08-07T10:01:00Z"))).expect("an update");
        refused(timeline.update(ANN, &article(Some("2026-08-07T10:01:00Z"))), "B6");
        refused(timeline.update("https://b.test/ap/actors/2", &article(Some("2026-08-07T11:00:00Z"))), "E5");
        let seen = timeline.seen_by(&[ANN.to_owned()].into());
        assert!(matches!(seen.as_slice(), [entry] if entry.edited && !entry.deleted && entry.title == "A"));
    }

    #[test]
    fn a_deleted_id_is_burned() {
        let mut timeline = Timeline::default();
        timeline.create(ANN, &article(None)).expect("a create");
        let id = "https://b.test/ap/articles/1";
        refused(timeline.delete("https://b.test/ap/actors/2", id), "E10");
        timeline.delete(ANN, id).expect("a delete");
        timeline.delete(ANN, "https://b.test/ap/articles/unknown").expect("nothing happens");
        refused(timeline.create(ANN, &article(None)), "R4");
        refused(timeline.announce(&json!({"actor": "https://b.test/ap/actors/9", "object": id}), None), "R4");
        assert!(timeline.seen_by(&[ANN.to_owned()].into()).iter().all(|entry| entry.deleted));
    }
}
