//! What a simulated server's users say in conversations: replies, their edits and ends, likes and boosts, in Mastodon's
//! forms (interop S), served where their ids say.

use std::time::Duration;

use serde_json::{Value, json};

use super::article::time;
use super::calls::Sent;
use super::json::text;
use super::note::told;
use super::peer::{Peer, Unread};
use super::records::Status;
use super::shape::check_post;
use super::{ACTIVITYSTREAMS, PUBLIC, require, same_origin};

/// Somebody whom a reply is for.
struct Told {
    id: String,
    /// `@user@host`.
    name: String,
    page: String,
    inbox: String,
}

impl Peer {
    /// Answers a post: a public Note that mentions its author and those it mentions, sent to their servers. Hands the
    /// note's id on.
    ///
    /// # Errors
    /// When the post cannot be read, or an inbox does not answer with success.
    pub async fn reply(&self, user: &str, answered: &str, words: &str) -> Result<String, String> {
        let parent = self.post(answered).await?;
        let told = self.tells(user, &parent).await?;
        let author = self.actor_id(user);
        let id = format!("{author}/statuses/{}", self.memory().statuses.len() + 1);
        let mut cc = vec![format!("{author}/followers")];
        cc.extend(told.iter().map(|one| one.id.clone()));
        let mention = |one: &Told| json!({ "type": "Mention", "href": one.id, "name": one.name });
        let tags: Vec<Value> = told.iter().map(mention).collect();
        let mut document = json!({
            "@context": [ACTIVITYSTREAMS, {
                "ostatus": "http://ostatus.org#", "conversation": "ostatus:conversation", "sensitive": "as:sensitive",
                "gts": "https://gotosocial.org/ns#", "interactionPolicy": { "@id": "gts:interactionPolicy", "@type": "@id" },
                "canQuote": { "@id": "gts:canQuote", "@type": "@id" },
                "automaticApproval": { "@id": "gts:automaticApproval", "@type": "@id" },
            }],
            "id": id, "type": "Note", "summary": null, "inReplyTo": answered, "published": self.clock().now().rfc3339(),
            "url": format!("{}/@{user}/{}", self.origin(), id.rsplit('/').next().unwrap_or_default()),
            "attributedTo": author,
            "to": [PUBLIC],
            "cc": cc,
            "sensitive": false,
            "tag": tags,
            "attachment": [],
            "interactionPolicy": { "canQuote": { "automaticApproval": [PUBLIC] } },
            "replies": { "id": format!("{id}/replies"), "type": "Collection",
                "first": { "type": "CollectionPage", "partOf": format!("{id}/replies"), "items": [] } },
            "likes": { "id": format!("{id}/likes"), "type": "Collection", "totalItems": 0 },
            "shares": { "id": format!("{id}/shares"), "type": "Collection", "totalItems": 0 },
        });
        for key in ["conversation", "context"] {
            // Copied from what is answered (B20).
            set(&mut document, key, parent.get(key).cloned());
        }
        set_content(&mut document, &content(&told, words));
        let inboxes = told.into_iter().map(|one| one.inbox).filter(|inbox| !same_origin(inbox, &id)).collect();
        let status = Status { user: user.to_owned(), document, inboxes, deleted: false };
        self.memory().statuses.insert(id.clone(), status.clone());
        self.tell(&status, &about("Create", &format!("{id}/activity"), &status.document)).await?;
        Ok(id)
    }

    /// Gives a reply of a user other words (E9).
    ///
    /// # Errors
    /// When there is no such reply, or an inbox does not answer with success.
    pub async fn edit_reply(&self, id: &str, words: &str) -> Result<(), String> {
        let status = self.standing_status(id)?;
        let parent = text(&status.document, "inReplyTo").unwrap_or_default();
        let told = self.tells(&status.user, &self.post(parent).await?).await?;
        let mut document = status.document.clone();
        set_content(&mut document, &content(&told, words));
        let before = ["updated", "published"].iter().find_map(|key| document.get(*key).and_then(time));
        let now = self.clock().now();
        let updated = before.map_or(now, |before| now.max(before + Duration::from_secs(1)));
        set(&mut document, "updated", Some(updated.rfc3339().into()));
        let status = Status { document, ..status };
        self.memory().statuses.insert(id.to_owned(), status.clone());
        self.tell(&status, &about("Update", &format!("{id}#updates/{}", updated.millis()), &status.document)).await
    }

    /// Deletes a reply of a user, as a Tombstone (E10).
    ///
    /// # Errors
    /// When there is no such reply, or an inbox does not answer with success.
    pub async fn delete_reply(&self, id: &str) -> Result<(), String> {
        let status = Status { deleted: true, ..self.standing_status(id)? };
        self.memory().statuses.insert(id.to_owned(), status.clone());
        let actor = self.actor_id(&status.user);
        let delete = json!({
            "@context": ACTIVITYSTREAMS, "id": format!("{id}#delete"), "type": "Delete", "actor": actor, "to": [PUBLIC],
            "object": { "id": id, "type": "Tombstone" },
        });
        self.tell(&status, &delete).await
    }

    /// Likes a post, which only its author's server hears.
    ///
    /// # Errors
    /// When the post cannot be read, or the inbox does not answer with success.
    pub async fn like(&self, user: &str, post: &str) -> Result<Sent, String> {
        let actor = self.actor_id(user);
        let like = json!({
            "@context": ACTIVITYSTREAMS, "id": format!("{actor}#likes/{}", self.new_number()), "type": "Like", "actor": actor,
            "object": post,
        });
        let author = self.author_of(post).await?;
        self.deliver(user, &author.inbox, &like).await
    }

    /// Boosts a post, which its author's server hears; nobody follows these users.
    ///
    /// # Errors
    /// When the post cannot be read, or the inbox does not answer with success.
    pub async fn boost(&self, user: &str, post: &str) -> Result<Sent, String> {
        let actor = self.actor_id(user);
        let author = self.author_of(post).await?;
        let announce = json!({
            "@context": ACTIVITYSTREAMS, "id": format!("{actor}/statuses/boost-{}/activity", self.new_number()),
            "type": "Announce", "actor": actor, "published": self.clock().now().rfc3339(), "to": [PUBLIC],
            "cc": [author.id, format!("{actor}/followers")], "object": post,
        });
        self.deliver(user, &author.inbox, &announce).await
    }

    /// A user's post as it is served; `None` where there is none, or none any more.
    pub(super) fn status_document(&self, id: &str) -> Option<Value> {
        let mut document = self.memory().statuses.get(id).filter(|status| !status.deleted)?.document.clone();
        set(&mut document, "replies", Some(self.replies_of(id)));
        Some(document)
    }

    /// What is known here of the answers to a post, on this server and on others (B18).
    pub(super) fn replies_of(&self, id: &str) -> Value {
        let memory = self.memory();
        let answers = |status: &&Status| !status.deleted && text(&status.document, "inReplyTo") == Some(id);
        let ours = memory.statuses.values().filter(answers);
        let mut items: Vec<String> =
            ours.filter_map(|status| text(&status.document, "id").map(str::to_owned)).collect();
        items.extend(memory.timeline.answers_to(id));
        let collection = format!("{id}/replies");
        json!({ "id": collection, "type": "Collection",
            "first": { "type": "CollectionPage", "partOf": collection, "items": items } })
    }

    /// The conversation that a known post belongs to (B20).
    pub(super) fn context_of(&self, id: &str) -> Option<Value> {
        let memory = self.memory();
        match memory.statuses.get(id) {
            Some(status) => status.document.get("context").cloned(),
            None => memory.timeline.object(id).and_then(|object| object.get("context").cloned()),
        }
    }

    /// Whether a post is one of the users' own.
    pub(super) fn has_status(&self, id: &str) -> bool {
        self.memory().statuses.contains_key(id)
    }

    fn standing_status(&self, id: &str) -> Result<Status, String> {
        let status = self.memory().statuses.get(id).filter(|status| !status.deleted).cloned();
        status.ok_or_else(|| format!("nobody on {} wrote {id}", self.host()))
    }

    /// A post of this server, or as its own shows it; who answers, likes or boosts one has it from then on.
    async fn post(&self, id: &str) -> Result<Value, String> {
        if let Some(known) = self.status_document(id) {
            return Ok(known);
        }
        let post = self.document(id).await.map_err(Unread::into_text)?;
        check_post(&post)?;
        self.memory().timeline.fetched(id, &post);
        Ok(post)
    }

    async fn author_of(&self, post: &str) -> Result<Told, String> {
        let post = self.post(post).await?;
        self.person(text(&post, "attributedTo").ok_or("R1: attributedTo is not one string")?).await
    }

    /// Whom an answer to a post is for: its author, and those it mentions, without the one who answers.
    async fn tells(&self, user: &str, parent: &Value) -> Result<Vec<Told>, String> {
        let own = self.actor_id(user);
        let author = text(parent, "attributedTo").ok_or("R1: attributedTo is not one string")?;
        let mut ids: Vec<&str> = Vec::new();
        for id in std::iter::once(author).chain(told(parent)) {
            if id != own && !ids.contains(&id) {
                ids.push(id);
            }
        }
        let mut people = Vec::new();
        for id in ids {
            people.push(self.person(id).await?);
        }
        Ok(people)
    }

    async fn person(&self, id: &str) -> Result<Told, String> {
        let document = if same_origin(id, self.origin()) {
            let user = id.strip_prefix(&self.actor_id("")).unwrap_or_default();
            require(self.has_user(user), format!("nobody here is {id}"))?;
            self.actor_document(user)
        } else {
            self.cached_actor(id, false).await.map_err(Unread::into_text)?
        };
        let field = |key: &str| text(&document, key).map(str::to_owned).ok_or(format!("A7: {id} has no {key}"));
        let shared = document.pointer("/endpoints/sharedInbox").and_then(Value::as_str).map(str::to_owned);
        let host = super::origin(id).and_then(|origin| origin.split("://").nth(1).map(str::to_owned));
        let account = match text(&document, "webfinger") {
            Some(account) => account.to_owned(),
            None => format!("{}@{}", field("preferredUsername")?, host.unwrap_or_default()),
        };
        let inbox = shared.map_or_else(|| field("inbox"), Ok)?;
        Ok(Told { id: id.to_owned(), name: format!("@{account}"), page: field("url")?, inbox })
    }

    async fn tell(&self, status: &Status, activity: &Value) -> Result<(), String> {
        for inbox in &status.inboxes {
            self.deliver(&status.user, inbox, activity).await?;
        }
        Ok(())
    }

    fn new_number(&self) -> usize {
        let mut memory = self.memory();
        memory.opinions += 1;
        memory.opinions
    }
}

/// Mastodon's content: everyone it is for, and then the words.
fn content(told: &[Told], words: &str) -> String {
    let link = |one: &Told| {
        let user = one.name.trim_start_matches('@').split('@').next().unwrap_or_default().to_owned();
        let page = &one.page;
        format!(
            r#"<span class="h-card" translate="no"><a href="{page}" class="u-url mention">@<span>{user}</span></a></span> "#
        )
    };
    format!("<p>{}{words}</p>", told.iter().map(link).collect::<String>())
}

fn set_content(document: &mut Value, content: &str) {
    set(document, "content", Some(content.into()));
    set(document, "contentMap", Some(json!({ "en": content })));
}

fn set(document: &mut Value, key: &str, value: Option<Value>) {
    if let (Some(map), Some(value)) = (document.as_object_mut(), value) {
        map.insert(key.to_owned(), value);
    }
}

/// A Create or Update with the whole note.
fn about(kind: &str, id: &str, note: &Value) -> Value {
    let part = |key: &str| note.get(key).cloned().unwrap_or_default();
    let mut object = note.clone();
    if let Some(map) = object.as_object_mut() {
        map.shift_remove("@context");
    }
    json!({
        "@context": part("@context"), "id": id, "type": kind, "actor": part("attributedTo"), "published": part("published"),
        "to": part("to"), "cc": part("cc"), "object": object,
    })
}
