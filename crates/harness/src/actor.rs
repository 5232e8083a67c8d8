//! Actor documents: the ones simulated servers show, and what the ones they read must have.

use serde_json::{Value, json};

use super::json::{has_context, is_single_image, text};
use super::peer::{Peer, PeerShape};
use super::{ACTIVITYSTREAMS, require, same_origin};

impl Peer {
    /// A user's actor, as Mastodon or GoToSocial shows it.
    pub(super) fn actor_document(&self, user: &str) -> Value {
        let id = self.actor_id(user);
        let mut document = json!({
            "@context": [ACTIVITYSTREAMS, "https://w3id.org/security/v1"],
            "id": id,
            "type": "Person",
            "preferredUsername": user,
            "name": user,
            "summary": "",
            "url": format!("{}/@{user}", self.origin()),
            "inbox": format!("{id}/inbox"),
            "outbox": format!("{id}/outbox"),
            "followers": format!("{id}/followers"),
            "following": format!("{id}/following"),
            "manuallyApprovesFollowers": false,
            "discoverable": true,
            "publicKey": self.public_key(user),
        });
        if let (Some(inbox), Some(map)) = (self.shared_inbox(), document.as_object_mut()) {
            map.insert("endpoints".to_owned(), json!({ "sharedInbox": inbox }));
        }
        document
    }

    /// GoToSocial's answer at `/main-key`: an actor with hardly more than its key (C7).
    pub(super) fn key_document(&self, user: &str) -> Value {
        json!({
            "@context": [ACTIVITYSTREAMS, "https://w3id.org/security/v1"],
            "id": self.actor_id(user),
            "type": "Person",
            "preferredUsername": user,
            "publicKey": self.public_key(user),
        })
    }

    /// The server's own actor, which signs its GETs and is shown to anybody (C3).
    pub(super) fn instance_document(&self) -> Value {
        let id = format!("{}/actor", self.origin());
        json!({
            "@context": [ACTIVITYSTREAMS, "https://w3id.org/security/v1"],
            "id": id,
            "type": "Application",
            "preferredUsername": self.host(),
            "inbox": format!("{id}/inbox"),
            "outbox": format!("{id}/outbox"),
            "publicKey": {
                "id": format!("{id}#main-key"),
                "owner": id,
                "publicKeyPem": self.key().public_pem(),
            },
        })
    }

    fn public_key(&self, user: &str) -> Value {
        json!({ "id": self.key_id(user), "owner": self.actor_id(user), "publicKeyPem": self.key().public_pem() })
    }

    /// What software this is, for nodeinfo.
    pub(super) fn software(&self) -> Value {
        match self.shape() {
            PeerShape::Mastodon => json!({ "name": "mastodon", "version": "4.5.0" }),
            PeerShape::GoToSocial => json!({ "name": "gotosocial", "version": "0.20.0" }),
        }
    }
}

/// An actor's key as every peer must be able to read it: one object (Lemmy), of this owner and origin (A7, A9).
///
/// # Errors
/// The broken rule.
pub(super) fn public_key(actor: &Value) -> Result<(&str, &str), String> {
    let owner = text(actor, "id").ok_or("A7: an actor without id")?;
    let key = actor.get("publicKey").ok_or(format!("A7: {owner} has no publicKey"))?;
    require(key.is_object(), "A7: publicKey is not a single object")?;
    let id = text(key, "id").ok_or("A9: publicKey has no id")?;
    require(text(key, "owner") == Some(owner), format!("A9: {id} is not owned by {owner}"))?;
    require(same_origin(id, owner), format!("A9: {id} is of another origin than {owner}"))?;
    Ok((id, text(key, "publicKeyPem").ok_or("A9: publicKey has no publicKeyPem")?))
}

/// Whether the document has what the union of peers needs of an actor somebody can follow.
///
/// # Errors
/// The broken rule.
pub(super) fn check(actor: &Value) -> Result<(), String> {
    let id = text(actor, "id").ok_or("A7: an actor without id")?;
    require(has_context(actor), "A7: the context does not name ActivityStreams")?;
    let security = actor
        .pointer("/@context")
        .and_then(Value::as_array)
        .is_some_and(|all| all.iter().any(|one| one == "https://w3id.org/security/v1"));
    require(security, "A7: the context does not name https://w3id.org/security/v1")?;
    let kind = text(actor, "type").unwrap_or_default();
    let followable = matches!(kind, "Person" | "Group" | "Service" | "Application");
    require(followable, format!("A8: the actor's type is `{kind}`"))?;
    let name = text(actor, "preferredUsername").unwrap_or_default();
    require(is_username(name), format!("A6: preferredUsername is `{name}`"))?;
    for key in ["name", "inbox", "outbox", "followers", "following", "url"] {
        require(text(actor, key).is_some(), format!("A7: {id} has no {key}"))?;
    }
    for key in ["inbox", "outbox", "followers", "following", "featured"] {
        let placed = text(actor, key).is_none_or(|address| same_origin(address, id));
        require(placed, format!("A7: the {key} of {id} is of another origin"))?;
    }
    let shared = actor.pointer("/endpoints/sharedInbox").and_then(Value::as_str);
    require(shared.is_some_and(|inbox| same_origin(inbox, id)), format!("A11: {id} names no sharedInbox of its own"))?;
    let page = text(actor, "url").unwrap_or_default();
    let host = |address: &str| url::Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned));
    require(host(page) == host(id), format!("A18: the url {page} is on another host than {id}"))?;
    require(actor.get("manuallyApprovesFollowers") == Some(&Value::Bool(false)), "A12: follows seem to need approval")?;
    for key in ["discoverable", "indexable"] {
        require(actor.get(key).is_none_or(Value::is_boolean), format!("A13: {key} is not a boolean"))?;
    }
    for key in ["icon", "image"] {
        require(actor.get(key).is_none_or(is_single_image), format!("A14: {key} is not one Image with a plain url"))?;
    }
    require(actor.get("attachment").is_none_or(Value::is_array), "A15: attachment is not an array")?;
    let (key_id, _) = public_key(actor)?;
    require(key_id == format!("{id}#main-key"), format!("A9: the key is called {key_id}, not {id}#main-key"))
}

/// `[a-z0-9_]+([.-]+[a-z0-9_]+)*` in any case, at most 128 characters (A6).
fn is_username(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.len() <= 128
        && name.starts_with(word)
        && name.ends_with(word)
        && name.chars().all(|c| word(c) || c == '.' || c == '-')
}

/// Whether a collection can be read as Mastodon and Lemmy do (A17).
///
/// # Errors
/// The broken rule.
pub(super) fn check_collection(collection: &Value, hides_members: bool) -> Result<(), String> {
    let id = text(collection, "id").unwrap_or_default();
    require(text(collection, "type") == Some("OrderedCollection"), format!("A17: {id} is no OrderedCollection"))?;
    let counts = collection.get("totalItems").is_some_and(Value::is_u64);
    require(counts, format!("A17: {id} has no numeric totalItems"))?;
    let hidden = collection.get("first").is_none() && collection.get("orderedItems").is_none();
    require(hidden || !hides_members, format!("A17: {id} shows its members"))
}
