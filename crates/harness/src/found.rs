//! How a simulated server finds an actor by its handle: WebFinger, the actor, and the round trip between them.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::Value;

use super::actor;
use super::json::text;
use super::peer::{Peer, PeerShape, Unread};
use super::{ACTIVITY_JSON, ACTIVITYSTREAMS, require, same_origin, signing, verify};

/// An actor, found and checked.
#[derive(Clone, Debug)]
pub struct Found {
    /// The actor's id.
    pub actor_id: String,
    /// Where it takes activities.
    pub inbox: String,
    /// Where its whole server takes them.
    pub shared_inbox: Option<String>,
    /// The name people see.
    pub name: String,
    /// The ActivityStreams type: `Person`, `Group` …
    pub kind: String,
    /// `user@domain`, as its server confirmed it.
    pub handle: String,
    /// The whole document.
    pub document: Value,
}

/// One WebFinger answer.
struct Finger {
    /// `user@domain` of the subject.
    account: String,
    /// The actor it points to.
    actor: String,
}

impl Peer {
    /// Finds `@user@domain` as Mastodon does, holding every answer to its rules (A1–A18), the round trip byte for byte.
    ///
    /// # Errors
    /// The first broken rule, or why nobody answered.
    pub async fn lookup(&self, handle: &str) -> Result<Found, String> {
        let asked = handle.trim_start_matches('@');
        let first = self.finger_confirmed(asked).await?;
        let document = self.document(&first.actor).await.map_err(Unread::into_text)?;
        actor::check(&document)?;
        self.check_round_trip(&first, &document).await?;
        self.check_collections(&document).await?;
        self.remember_actor(&first.actor, document.clone());
        let field = |key: &str| text(&document, key).unwrap_or_default().to_owned();
        let shared = document.pointer("/endpoints/sharedInbox").and_then(Value::as_str).map(str::to_owned);
        Ok(Found {
            inbox: field("inbox"),
            shared_inbox: shared,
            name: field("name"),
            kind: field("type"),
            handle: first.account,
            actor_id: first.actor,
            document,
        })
    }

    /// A signed GET for an ActivityPub document: status, content type, and the JSON (`null` where the body is none).
    ///
    /// # Errors
    /// Why nobody answered.
    pub async fn fetch(&self, address: &str) -> Result<(u16, String, Value), String> {
        let answer = self.signed_get(address).await?;
        let media = answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let json = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        Ok((answer.status().as_u16(), media.to_owned(), json))
    }

    /// The actor's own name on its own host leads back to it, and to the same account (A2, A3).
    async fn check_round_trip(&self, first: &Finger, document: &Value) -> Result<(), String> {
        let id = &first.actor;
        let host = super::origin(id).and_then(|origin| origin.split("://").nth(1).map(str::to_owned));
        let host = host.ok_or(format!("A7: {id} has no host"))?;
        let local = format!("{}@{host}", text(document, "preferredUsername").unwrap_or_default());
        let back = self.finger_confirmed(&local).await?;
        require(back.actor == *id, format!("A2: acct:{local} leads to {}, not {id}", back.actor))?;
        let same = back.account.eq_ignore_ascii_case(&first.account);
        require(same, format!("A3: acct:{local} is called {}, not {}", back.account, first.account))?;
        if let Some(own) = text(document, "webfinger") {
            let same = own.eq_ignore_ascii_case(&first.account);
            require(same, format!("A3: {id} calls itself {own}, not {}", first.account))?;
        }
        Ok(())
    }

    async fn check_collections(&self, document: &Value) -> Result<(), String> {
        for (key, hides_members) in [("outbox", false), ("followers", true), ("following", true), ("featured", false)] {
            let Some(address) = text(document, key) else { continue };
            let collection = self.document(address).await.map_err(Unread::into_text)?;
            actor::check_collection(&collection, hides_members)?;
        }
        Ok(())
    }

    /// Asks for an account; where the answer has another name, one more question, which must confirm itself (A2).
    async fn finger_confirmed(&self, account: &str) -> Result<Finger, String> {
        let first = self.finger(account).await?;
        if first.account.eq_ignore_ascii_case(account) {
            return Ok(first);
        }
        let second = self.finger(&first.account).await?;
        let confirmed = second.account.eq_ignore_ascii_case(&first.account) && second.actor == first.actor;
        require(confirmed, format!("A2: acct:{} does not confirm itself", first.account))?;
        Ok(second)
    }

    async fn finger(&self, account: &str) -> Result<Finger, String> {
        let (_, domain) = account.split_once('@').ok_or(format!("`{account}` is no user@domain"))?;
        let scheme = self.origin().split("://").next().unwrap_or("https");
        let address = format!("{scheme}://{domain}/.well-known/webfinger?resource=acct:{account}");
        let request = Request::builder()
            .method(Method::GET)
            .uri(&address)
            .header("host", domain)
            .header("accept", "application/jrd+json, application/json")
            .header("user-agent", signing::USER_AGENT)
            .body(Bytes::new())
            .map_err(|error| format!("{address}: {error}"))?;
        let answer = self.send(request).await?;
        require(answer.status() == 200, format!("A1: {address} answers {}", answer.status()))?;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media = header("content-type");
        require(media.starts_with("application/jrd+json"), format!("A1: {address} is served as `{media}`"))?;
        require(header("access-control-allow-origin") == "*", format!("A1: {address} lacks the CORS header"))?;
        let document: Value = serde_json::from_slice(answer.body()).map_err(|_| format!("A1: {address} is no JSON"))?;
        read_finger(&document)
    }

    /// The owner of a key and the key's PEM, from the documents of both (A9, C7).
    pub(super) async fn key_owner(&self, key_id: &str, fresh: bool) -> Result<(String, String), Unread> {
        let address = key_id.split('#').next().unwrap_or(key_id);
        let document = self.cached_actor(address, fresh).await?;
        let wrong = |why: String| Unread::Wrong(why);
        let named = document.pointer("/publicKey/owner").and_then(Value::as_str).unwrap_or_default().to_owned();
        require(same_origin(&named, key_id), format!("A9: {key_id} and its owner `{named}` differ in origin"))
            .map_err(wrong)?;
        let owner = if named == address { document } else { self.cached_actor(&named, fresh).await? };
        let (listed, pem) = actor::public_key(&owner).map_err(wrong)?;
        require(listed == key_id, format!("C7: {named} lists the key {listed}, not {key_id}")).map_err(wrong)?;
        Ok((named, pem.to_owned()))
    }

    /// An actor's document, from memory unless it must be fresh. GoToSocial's key stub has its owner's id, so only
    /// the full document must be found at its own.
    pub(super) async fn cached_actor(&self, address: &str, fresh: bool) -> Result<Value, Unread> {
        if !fresh && let Some(known) = self.memory().actors.get(address) {
            return Ok(known.clone());
        }
        let document = if address.ends_with("/main-key") {
            let (status, media, stub) = self.fetch(address).await.map_err(Unread::Unreachable)?;
            let readable = status == 200 && verify::is_activity_json(&media);
            require(readable, format!("C7: {address} answers {status} as `{media}`")).map_err(Unread::Wrong)?;
            stub
        } else {
            self.document(address).await?
        };
        self.remember_actor(address, document.clone());
        Ok(document)
    }

    /// Keeps a fetched actor. GoToSocial does not believe another key than the one it has (R6).
    fn remember_actor(&self, address: &str, mut document: Value) {
        let mut memory = self.memory();
        let known = memory.actors.get(address).and_then(|actor| actor.get("publicKey")).cloned();
        if let (PeerShape::GoToSocial, Some(known), Some(map)) = (self.shape(), known, document.as_object_mut()) {
            map.insert("publicKey".to_owned(), known);
        }
        memory.actors.insert(address.to_owned(), document);
    }

    /// Whether an actor's document is already known.
    pub(super) fn knows_actor(&self, id: &str) -> bool {
        self.memory().actors.contains_key(id)
    }
}

/// Reads a JRD: a subject, and one `self` link of exactly the right type (A1).
fn read_finger(document: &Value) -> Result<Finger, String> {
    let subject = text(document, "subject").unwrap_or_default();
    let account = subject.strip_prefix("acct:").ok_or(format!("A1: the subject is `{subject}`"))?;
    let ld_json = format!(r#"application/ld+json; profile="{ACTIVITYSTREAMS}""#);
    let links = document.get("links").and_then(Value::as_array).ok_or("A1: there are no links")?;
    let actor = links
        .iter()
        .filter(|link| text(link, "rel") == Some("self"))
        .find(|link| text(link, "type").is_some_and(|kind| kind == ACTIVITY_JSON || kind == ld_json))
        .and_then(|link| text(link, "href"))
        .ok_or("A1: there is no self link")?;
    Ok(Finger { account: account.to_owned(), actor: actor.to_owned() })
}
