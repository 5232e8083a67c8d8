//! Our actors as documents: what every server needs to follow them and to verify their signatures (interop A7 to A19).

use activitypub_federation::kinds::object::TombstoneType;
use activitypub_federation::protocol::context::WithContext;
use activitypub_federation::protocol::public_key::PublicKey;
use clock::Timestamp;
use hugo_content::Image;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{ACTIVITY_STREAMS, Urls, picture, put};
use crate::base::ids::Handle;
use crate::base::stored::words;

words! {
    /// What an actor is (interop R2, A8).
    #[derive(Hash)]
    pub enum ActorKind {
        /// An author.
        Person = "Person",
        /// A community.
        Group = "Group",
        /// A community's team account, for posts of authors without an actor.
        Service = "Service",
        /// The instance itself.
        Application = "Application",
    }
}

/// The content of an actor's document.
#[derive(Clone, Debug)]
pub(crate) struct ActorFacts<'a> {
    pub(crate) kind: ActorKind,
    /// `None` for the instance actor.
    pub(crate) uuid: Option<Uuid>,
    /// Also its `preferredUsername`.
    pub(crate) handle: &'a Handle,
    /// Display name, plain text; the handle stands in for an empty one.
    pub(crate) name: &'a str,
    /// Clean HTML, possibly empty.
    pub(crate) summary: &'a str,
    pub(crate) icon: Option<&'a Image>,
    /// RSA, `-----BEGIN PUBLIC KEY-----` (SPKI).
    pub(crate) public_key_pem: &'a str,
    /// The Ed25519 key as `z6Mk…` (interop A10).
    pub(crate) ed25519_multibase: Option<&'a str>,
    pub(crate) published: Timestamp,
    /// Sites on whose pages a byline of this actor is honest (interop A19): host names.
    pub(crate) attribution_domains: &'a [String],
    /// Profile fields: a plain name, and clean HTML.
    pub(crate) fields: &'a [(String, String)],
}

/// The actor's document, with `@context`, as it is served and put into an Update.
pub(crate) fn actor(urls: &Urls, facts: &ActorFacts<'_>) -> Value {
    let id = facts.uuid.map_or_else(|| urls.instance(), |uuid| urls.actor(uuid));
    let name = if facts.name.trim().is_empty() { facts.handle.as_str() } else { facts.name };
    let mut actor = json!({
        "id": id,
        "type": facts.kind.as_str(),
        "preferredUsername": facts.handle,
        "webfinger": urls.acct(facts.handle),
        "name": name,
        "url": urls.profile(facts.handle),
        "published": facts.published.rfc3339(),
        "manuallyApprovesFollowers": false,
        "discoverable": facts.kind != ActorKind::Application,
        "indexable": facts.kind != ActorKind::Application,
    });
    put_collections(&mut actor, urls, facts.uuid);
    put_keys(&mut actor, &id, facts);
    if !facts.summary.is_empty() {
        put(&mut actor, "summary", facts.summary);
    }
    if let Some(icon) = &facts.icon {
        put(&mut actor, "icon", picture(icon));
    }
    if !facts.fields.is_empty() {
        let field = |(name, value): &(String, String)| json!({"type": "PropertyValue", "name": name, "value": value});
        put(&mut actor, "attachment", facts.fields.iter().map(field).collect::<Vec<_>>());
    }
    if !facts.attribution_domains.is_empty() {
        put(&mut actor, "attributionDomains", facts.attribution_domains);
    }
    if facts.kind == ActorKind::Group {
        // Where it is true, NodeBB refuses the Group's Announces (interop U1).
        put(&mut actor, "postingRestrictedToMods", false);
    }
    json!(WithContext::new(actor, context(facts)))
}

/// The part of an actor's document that is shown to requests without a signature where signatures are required: enough
/// to verify what the actor signs, as in `GoToSocial` (interop C3, C7).
pub(crate) fn keys_alone(document: &Value) -> Value {
    const SHOWN: [&str; 7] = ["@context", "id", "type", "preferredUsername", "inbox", "publicKey", "assertionMethod"];
    let shown = SHOWN.iter().filter_map(|name| Some(((*name).to_owned(), document.get(name)?.clone())));
    Value::Object(shown.collect())
}

/// The instance actor follows nobody and nobody follows it, so it has an inbox, which is the shared one, and the
/// outbox without which Lemmy cannot read an actor.
fn put_collections(actor: &mut Value, urls: &Urls, uuid: Option<Uuid>) {
    if let Some(uuid) = uuid {
        put(actor, "inbox", urls.inbox(uuid));
        put(actor, "outbox", urls.outbox(uuid));
        put(actor, "followers", urls.followers(uuid));
        put(actor, "following", urls.following(uuid));
        put(actor, "featured", urls.featured(uuid));
    } else {
        put(actor, "inbox", urls.shared_inbox());
        put(actor, "outbox", urls.of(&super::Local::InstanceOutbox));
    }
    put(actor, "endpoints", json!({ "sharedInbox": urls.shared_inbox() }));
}

/// One RSA key as a single object, for Lemmy reads no other shape (interop A7, A9), and the Ed25519 key beside it.
fn put_keys(actor: &mut Value, id: &str, facts: &ActorFacts<'_>) {
    if let Ok(owner) = Url::parse(id) {
        let key = PublicKey { id: Urls::main_key(id), owner, public_key_pem: facts.public_key_pem.to_owned() };
        put(actor, "publicKey", json!(key));
    }
    if let Some(multibase) = facts.ed25519_multibase {
        let key = json!({
            "id": Urls::ed25519_key(id),
            "type": "Multikey",
            "controller": id,
            "publicKeyMultibase": multibase,
        });
        put(actor, "assertionMethod", vec![key]);
    }
}

/// Defines each term that the document uses, and no other.
fn context(facts: &ActorFacts<'_>) -> Value {
    let mut contexts = vec![
        json!(ACTIVITY_STREAMS),
        json!("https://w3id.org/security/v1"),
        json!("https://purl.archive.org/socialweb/webfinger"),
    ];
    if facts.ed25519_multibase.is_some() {
        // The pair that Fedify sends too, so that servers which load contexts have both at hand (FEP-521a).
        contexts.push(json!("https://www.w3.org/ns/did/v1"));
        contexts.push(json!("https://w3id.org/security/multikey/v1"));
    }
    let mut words = json!({
        "toot": "http://joinmastodon.org/ns#",
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
    });
    if facts.uuid.is_some() {
        put(&mut words, "featured", json!({ "@id": "toot:featured", "@type": "@id" }));
    }
    if !facts.attribution_domains.is_empty() {
        put(&mut words, "attributionDomains", json!({ "@id": "toot:attributionDomains", "@type": "@id" }));
    }
    if !facts.fields.is_empty() {
        // `http://schema.org#` is wrong, and what other servers compare with (interop A15).
        put(&mut words, "schema", "http://schema.org#");
        put(&mut words, "PropertyValue", "schema:PropertyValue");
        put(&mut words, "value", "schema:value");
    }
    if facts.kind == ActorKind::Group {
        put(&mut words, "lemmy", "https://join-lemmy.org/ns#");
        put(&mut words, "postingRestrictedToMods", "lemmy:postingRestrictedToMods");
    }
    contexts.push(words);
    Value::Array(contexts)
}

/// The tombstone of something of ours, without `@context`: the object of a Delete.
pub(super) fn buried(id: &str, former_type: &str, deleted: Timestamp) -> Value {
    json!({ "id": id, "type": TombstoneType::Tombstone, "formerType": former_type, "deleted": deleted.rfc3339() })
}

/// The tombstone of something of ours, as it is served with 410 (interop R5, A23).
pub(crate) fn tombstone(id: &str, former_type: &str, deleted: Timestamp) -> Value {
    json!(WithContext::new_default(buried(id, former_type, deleted)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activitypub::samples::{at, handle, image, urls, uuid};
    use crate::base::stored::Word;

    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n";

    fn bare(kind: ActorKind, number: Option<u128>, handle: &Handle) -> ActorFacts<'_> {
        ActorFacts {
            kind,
            uuid: number.map(uuid),
            handle,
            name: "",
            summary: "",
            icon: None,
            public_key_pem: PEM,
            ed25519_multibase: None,
            published: at("2026-01-02T03:04:05Z"),
            attribution_domains: &[],
            fields: &[],
        }
    }

    #[test]
    fn an_author_with_everything() {
        let ann = handle("ann");
        let facts = ActorFacts {
            name: "Ann Müller",
            summary: "<p>Writes about ferries.</p>",
            icon: Some(&image("https://example.org/ann.png", "Ann at sea", "image/png")),
            ed25519_multibase: Some("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"),
            attribution_domains: &["example.org".to_owned()],
            fields: &[("Site".to_owned(), "<a rel=\"me\" href=\"https://example.org/\">example.org</a>".to_owned())],
            ..bare(ActorKind::Person, Some(1), &ann)
        };
        insta::assert_json_snapshot!(actor(&urls(), &facts));
    }

    #[test]
    fn a_community() {
        let community = handle("community");
        let facts = ActorFacts { name: "Example community", ..bare(ActorKind::Group, Some(2), &community) };
        insta::assert_json_snapshot!(actor(&urls(), &facts));
    }

    #[test]
    fn the_team_account_of_a_community() {
        let editors = handle("editors");
        insta::assert_json_snapshot!(actor(&urls(), &bare(ActorKind::Service, Some(3), &editors)));
    }

    #[test]
    fn the_instance() {
        let instance = handle("instance");
        insta::assert_json_snapshot!(actor(&urls(), &bare(ActorKind::Application, None, &instance)));
    }

    #[test]
    fn what_is_gone() {
        insta::assert_json_snapshot!(tombstone(&urls().article(uuid(4)), "Article", at("2026-02-03T04:05:06Z")));
    }

    #[test]
    fn kinds_read_back() {
        for kind in [ActorKind::Person, ActorKind::Group, ActorKind::Service, ActorKind::Application] {
            assert_eq!(ActorKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(ActorKind::parse("Organization"), None);
    }
}
