//! A remote actor's document, and the owner of a key (interop A7, A24, C7).

use serde_json::Value;

use super::Malformed;
use super::post::{Emoji, emoji};
use super::shape::{
    address, address_of, cut, each, one, requires_activity_streams, same_address, same_origin, text_type,
};
use crate::base::ids::Host;

/// What we keep of a remote actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteActor {
    /// Its id; whether that is the address it was fetched from is for the fetcher to check.
    pub id: String,
    /// `Person`, `Group`, `Service`, `Application` or `Organization`.
    pub(crate) kind: String,
    /// Without what may not be in a handle ([`html::username`]); Lemmy's instance actors have none.
    pub(crate) preferred_username: Option<String>,
    /// Plain text of at most 2048 characters.
    pub(crate) name: Option<String>,
    /// Where it takes activities: on its own host, as Misskey asks too.
    pub inbox: String,
    /// The inbox of everybody on its host. One elsewhere is left out: by naming somebody else's, an actor could turn
    /// our deliveries to others upon it.
    pub shared_inbox: Option<String>,
    /// The address of its followers, on its own host.
    pub followers: Option<String>,
    pub(crate) url: Option<String>,
    /// Its keys that may be its own; at most ten.
    pub keys: Vec<RemoteKey>,
    pub(crate) avatar: Option<String>,
    /// Custom emoji of its name.
    pub(crate) emoji: Vec<Emoji>,
    /// The handle that it claims, `user@host`, not verified (FEP-2c59).
    pub(crate) webfinger: Option<String>,
    /// Its former ids, at most 256 (interop A20, A24).
    pub(crate) also_known_as: Vec<String>,
}

/// A key that an actor shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteKey {
    /// Of the actor's origin.
    pub id: String,
    pub(crate) owner: String,
    /// PEM, or the multibase of a Multikey, unchecked; `None` where the actor names the key only by its id.
    pub public: Option<String>,
}

const KINDS: [&str; 5] = ["Person", "Group", "Service", "Application", "Organization"];
const NAME_MAX: usize = 2048;
const USERNAME_MAX: usize = 128;
/// As in Mastodon (interop A9).
const KEYS_MAX: usize = 10;
const ALSO_KNOWN_AS_MAX: usize = 256;
/// In bytes: four times the longest RSA key in use.
const PUBLIC_MAX: usize = 8 * 1024;

/// Reads an actor's document, which [`super::document`] has taken in.
///
/// # Errors
/// When it is no `ActivityStreams` actor with an id and an inbox, both absolute http(s) addresses. A stub of GoToSocial
/// has no inbox: [`key_owner`] says whom to fetch instead.
pub fn parse_actor(document: &Value) -> Result<RemoteActor, Malformed> {
    requires_activity_streams(document)?;
    let id = document.get("id").and_then(address).ok_or(Malformed::Property("id"))?;
    let kind = kind(document).ok_or(Malformed::Property("type"))?;
    let inbox = document.get("inbox").and_then(address).ok_or(Malformed::Property("inbox"))?;
    // On its own host only. An actor with its inbox elsewhere (a static site with a hub) cannot be told from one that
    // names somebody else's: nothing proves that the hub's server wants what we would deliver, a hundred such actors
    // would have each article delivered there a hundred times, and its refusals would make us back off from it and hold
    // back what its own people follow. So we refuse, as Misskey does, and say why.
    if !same_origin(&id, &inbox) {
        let host = Host::named_in(&inbox).map(|host| host.to_string());
        return Err(Malformed::InboxElsewhere(host.unwrap_or(inbox)));
    }
    let ours = |address: Option<String>| address.filter(|address| same_origin(&id, address));
    let shared_inbox = document.get("endpoints").and_then(|endpoints| endpoints.get("sharedInbox"));
    Ok(RemoteActor {
        preferred_username: text(document, "preferredUsername", USERNAME_MAX)
            .filter(|name| html::username(name).is_some()),
        name: text(document, "name", NAME_MAX).map(|name| html::name(&name)).filter(|name| !name.is_empty()),
        shared_inbox: ours(shared_inbox.and_then(address)),
        followers: ours(document.get("followers").and_then(address_of)),
        // As in Mastodon: a page on another host is not believed to be theirs (interop A18).
        url: ours(document.get("url").and_then(page)),
        keys: keys(document, &id),
        avatar: each(document.get("icon")).find_map(picture),
        emoji: emoji(document),
        webfinger: text(document, "webfinger", USERNAME_MAX * 3).filter(|name| name.contains('@')),
        also_known_as: each(document.get("alsoKnownAs")).filter_map(address_of).take(ALSO_KNOWN_AS_MAX).collect(),
        id,
        kind,
        inbox,
    })
}

/// The owner of the key that a keyId led to, where it led to something else than the actor: the stub that GoToSocial
/// shows at
/// `…/main-key`, or a bare key object. The claim counts only once the owner's own document lists the key, and only if
/// keyId and owner share a host (interop C7).
#[must_use]
pub fn key_owner(document: &Value) -> Option<String> {
    let owner = |key: &Value| key.get("owner").or_else(|| key.get("controller")).and_then(address_of);
    match document.get("publicKey") {
        Some(Value::Array(keys)) => keys.iter().find_map(owner),
        Some(key) => owner(key),
        None => owner(document),
    }
}

fn kind(document: &Value) -> Option<String> {
    match document.get("type")? {
        Value::Array(texts) => {
            texts.iter().filter_map(Value::as_str).find(|text| KINDS.contains(text)).map(str::to_owned)
        }
        value => text_type(value).filter(|kind| KINDS.contains(&kind.as_str())),
    }
}

/// A text, cut rather than refused (interop A24); `None` when it is empty.
fn text(document: &Value, key: &str, most: usize) -> Option<String> {
    let text = document.get(key)?.as_str()?.trim();
    (!text.is_empty()).then(|| cut(text, most))
}

/// A picture as an Image with `url` or `href`, or as an address.
fn picture(value: &Value) -> Option<String> {
    each(value.get("url")).find_map(link).or_else(|| link(value))
}

/// A page as an address, a Link, or the first of a list of them.
fn page(value: &Value) -> Option<String> {
    match value {
        Value::Array(pages) => pages.iter().find_map(link),
        value => link(value),
    }
}

fn link(value: &Value) -> Option<String> {
    match value {
        Value::Object(link) => link.get("href").and_then(address),
        value => address(value),
    }
}

/// Those of `publicKey`, and the Multikeys of `assertionMethod` (FEP-521a).
fn keys(document: &Value, actor: &str) -> Vec<RemoteKey> {
    let all = ["publicKey", "assertionMethod"].into_iter().filter_map(|property| document.get(property));
    let each = all.flat_map(|value| match value {
        Value::Array(keys) => keys.as_slice(),
        value => std::slice::from_ref(value),
    });
    each.filter_map(|value| key(value, actor)).take(KEYS_MAX).collect()
}

/// A key of the actor itself: of its origin, and not said to be somebody else's (interop A9, C7).
fn key(value: &Value, actor: &str) -> Option<RemoteKey> {
    let id = address_of(value).filter(|id| same_origin(id, actor))?;
    let owner = value.get("owner").or_else(|| value.get("controller"));
    if owner.is_some_and(|owner| !address_of(owner).is_some_and(|owner| same_address(&owner, actor))) {
        return None;
    }
    Some(RemoteKey { id, owner: actor.to_owned(), public: key_text(value) })
}

/// What a key object says of the key itself, PEM or multibase, as an actor's document or its own has it.
pub(crate) fn key_text(key: &Value) -> Option<String> {
    let text = key.get("publicKeyPem").or_else(|| key.get("publicKeyMultibase")).and_then(one)?.as_str()?;
    (text.len() <= PUBLIC_MAX).then(|| text.to_owned())
}
