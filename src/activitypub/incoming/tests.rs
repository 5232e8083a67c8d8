//! What the payloads of real software mean, and that nothing else can hurt.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::actor::RemoteKey;
use super::*;

/// The shapes of interop S, with their `@context`.
fn samples() -> Vec<(&'static str, Value)> {
    let ann = "https://m.example/users/ann";
    let cy = "https://l.example/u/cy";
    let bo = "https://us.example/ap/u/7";
    let group = "https://us.example/ap/g/rust";
    let article = "https://us.example/ap/a/1";
    let follow = json!({"id": "https://m.example/1ea87517-63c5", "type": "Follow", "actor": ann, "object": bo});
    let like = json!({"id": format!("{ann}#likes/9"), "type": "Like", "actor": ann, "object": article});
    vec![
        ("Mastodon follows", follow.clone()),
        (
            "Mastodon unfollows",
            json!({"id": format!("{ann}#follows/44/undo"), "type": "Undo", "actor": ann, "object": follow}),
        ),
        ("Mastodon likes", like.clone()),
        (
            "Mastodon unlikes",
            json!({"id": format!("{ann}#likes/9/undo"), "type": "Undo", "actor": ann, "object": like}),
        ),
        (
            "Mastodon boosts",
            json!({"id": format!("{ann}/statuses/55/activity"), "type": "Announce", "actor": ann, "object": article}),
        ),
        (
            "Mastodon deletes a post",
            json!({"id": format!("{ann}/statuses/60#delete"), "type": "Delete", "actor": ann, "object": {"id": format!("{ann}/statuses/60"), "type": "Tombstone"}}),
        ),
        (
            "Mastodon deletes an account",
            json!({"id": format!("{ann}#delete"), "type": "Delete", "actor": ann, "object": ann}),
        ),
        (
            "Mastodon reports",
            json!({"id": "https://m.example/ccb4f39a", "type": "Flag", "actor": "https://m.example/actor", "content": "spam", "object": [bo, article]}),
        ),
        ("Mastodon blocks", json!({"id": format!("{ann}#blocks/3"), "type": "Block", "actor": ann, "object": bo})),
        (
            "Mastodon moves",
            json!({"id": format!("{ann}#moves/1"), "type": "Move", "actor": ann, "object": ann, "target": "https://n.example/users/ann2"}),
        ),
        (
            "Lemmy follows",
            json!({"id": "https://l.example/activities/follow/6abc", "type": "Follow", "actor": cy, "to": [group], "object": group}),
        ),
        (
            "Lemmy unfollows, with a new id inside",
            json!({"id": "https://l.example/activities/undo/dd83", "type": "Undo", "actor": cy, "to": [group], "object": {"id": "https://l.example/activities/follow/NEW-ID-not-the-first", "type": "Follow", "actor": cy, "to": [group], "object": group}}),
        ),
        (
            "Lemmy comments",
            json!({"id": "https://l.example/activities/create/1e77", "type": "Create", "actor": cy, "object": {"type": "Note", "id": "https://l.example/comment/1", "attributedTo": cy, "content": "<p>hello</p>\n", "inReplyTo": article}}),
        ),
        (
            "Lemmy deletes a comment",
            json!({"id": "https://l.example/activities/delete/f2ab", "type": "Delete", "actor": cy, "object": "https://l.example/comment/1", "audience": group}),
        ),
        (
            "Lemmy deletes an account",
            json!({"id": "https://l.example/activities/delete/aa01", "type": "Delete", "actor": cy, "object": cy, "removeData": true}),
        ),
        (
            "Lemmy announces an activity",
            json!({"id": "https://l.example/activities/announce/create/8030", "type": "Announce", "actor": "https://l.example/c/rust", "object": {"id": "https://l.example/activities/create/2807", "type": "Create", "actor": cy, "object": {"id": "https://l.example/comment/2", "type": "Note"}}}),
        ),
        (
            "GoToSocial deletes by a bare IRI",
            json!({"id": "https://g.example/users/di/statuses/1#delete", "type": "Delete", "actor": "https://g.example/users/di", "object": "https://g.example/users/di/statuses/1"}),
        ),
        (
            "Pleroma undoes by a bare IRI",
            json!({"id": "https://p.example/activities/2", "type": "Undo", "actor": "https://p.example/users/ed", "object": "https://p.example/activities/1"}),
        ),
        (
            "a full object deleted",
            json!({"id": format!("{ann}/9#delete"), "type": "Delete", "actor": ann, "object": {"id": format!("{ann}/9"), "type": "Note", "attributedTo": ann, "content": "x"}}),
        ),
        (
            "lists of one, an embedded actor, an unknown type beside a known one",
            json!({"id": "https://f.example/1", "type": ["Extra", "Follow"], "actor": [{"id": "https://f.example/a", "type": "Person"}], "object": [bo]}),
        ),
        (
            "an unknown type",
            json!({"id": "https://p.example/r/1", "type": "EmojiReact", "actor": "https://p.example/users/ed", "content": "🦀", "object": article}),
        ),
    ]
}

fn with_context(mut document: Value) -> Value {
    document["@context"] = json!(["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"]);
    document
}

fn read(document: &Value) -> Result<Incoming, Malformed> {
    parse(document.to_string().as_bytes())
}

#[test]
fn what_real_payloads_mean() {
    let mut meanings = Map::new();
    for (name, sample) in samples() {
        let sample = with_context(sample);
        let incoming = read(&sample).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(incoming.raw, sample);
        let object = incoming.object.as_ref().map(|object| {
            json!({ "id": object.id, "kind": object.kind, "actor": object.actor, "object": object.object, "embedded": object.embedded.is_some() })
        });
        meanings.insert(
            name.to_owned(),
            json!({
                "id": incoming.id,
                "actor": incoming.actor,
                "kind": incoming.kind.as_str(),
                "known": !matches!(incoming.kind, Kind::Other(_)),
                "self delete": incoming.is_self_delete(),
                "object": object,
            }),
        );
    }
    insta::assert_json_snapshot!(meanings);
}

#[test]
fn what_is_refused() {
    let good = with_context(
        json!({"id": "https://m.example/1", "type": "Follow", "actor": "https://m.example/a", "object": "https://us.example/b"}),
    );
    assert!(read(&good).is_ok());
    let but = |key: &str, value: Value| {
        let mut changed = good.clone();
        changed[key] = value;
        read(&changed).err()
    };
    assert_eq!(parse(b"{").err(), Some(Malformed::NotJson));
    assert_eq!(parse(b"[]").err(), Some(Malformed::NotAnObject));
    assert_eq!(parse(b"{\"a\":\"\\ud800\"}").err(), Some(Malformed::NotJson));
    assert_eq!(but("@context", json!("http://www.w3.org/ns/activitystreams")), Some(Malformed::Context));
    assert_eq!(but("@context", Value::Null), Some(Malformed::Context));
    assert_eq!(but("@context", json!("https://www.w3.org/ns/activitystreams")), None);
    assert_eq!(but("content", json!([{"x": {"@graph": []}}])), Some(Malformed::Graph));
    assert_eq!(but("@included", json!([])), Some(Malformed::Graph));
    assert_eq!(but("x", json!({"@reverse": 1})), Some(Malformed::Graph));
    assert_eq!(but("x", json!(["a\0b"])), Some(Malformed::Nul));
    assert_eq!(but("a\0b", json!(1)), Some(Malformed::Nul));
    for id in [
        Value::Null,
        json!(7),
        json!(""),
        json!("x"),
        json!("ftp://m.example/1"),
        json!("https://u@m.example/1"),
        json!("https://m.exa\nmple/1"),
        json!(" https://m.example/1"),
        json!("https://m.example\\@evil.example/"),
        json!(format!("https://m.example/{}", "x".repeat(URL_MAX))),
    ] {
        assert_eq!(but("id", id.clone()), Some(Malformed::Property("id")), "{id}");
    }
    for actor in [
        Value::Null,
        json!([]),
        json!({}),
        json!(["https://m.example/a", "https://m.example/b"]),
        json!([["https://m.example/a"]]),
    ] {
        assert_eq!(but("actor", actor.clone()), Some(Malformed::Property("actor")), "{actor}");
    }
    for actor in
        ["https://n.example/a", "http://m.example/a", "https://m.example:8443/a", "https://m.example.evil.test/a"]
    {
        assert_eq!(but("actor", json!(actor)), Some(Malformed::Foreign), "{actor}");
    }
    assert_eq!(but("actor", json!("https://m.example:443/a")), None);
    for kind in [Value::Null, json!(1), json!([]), json!([1])] {
        assert_eq!(but("type", kind.clone()), Some(Malformed::Property("type")), "{kind}");
    }
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| {
        // The document itself is the first level.
        let list = format!("{}{}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        document(format!("{{\"x\":{list}}}").as_bytes())
    };
    assert!(nested(DEPTH_MAX).is_ok());
    for depth in [DEPTH_MAX + 1, 127, 128, 129, 100_000] {
        assert_eq!(nested(depth).err(), Some(Malformed::TooDeep), "{depth}");
    }
}

fn actor_document() -> Value {
    with_context(json!({
        "id": "https://m.example/users/ann",
        "type": "Person",
        "preferredUsername": "ann",
        "name": "Ann",
        "inbox": "https://m.example/users/ann/inbox",
        "outbox": "https://m.example/users/ann/outbox",
        "followers": "https://m.example/users/ann/followers",
        "url": "https://m.example/@ann",
        "endpoints": { "sharedInbox": "https://m.example/inbox" },
        "publicKey": { "id": "https://m.example/users/ann#main-key", "owner": "https://m.example/users/ann", "publicKeyPem": "PEM" },
    }))
}

#[test]
fn an_actor_elsewhere_in_its_many_shapes() {
    let id = "https://m.example/users/ann";
    let plain = parse_actor(&actor_document()).expect("an actor");
    assert_eq!(
        plain.keys,
        [RemoteKey { id: format!("{id}#main-key"), owner: id.to_owned(), public: Some("PEM".to_owned()) }]
    );
    assert_eq!(plain.shared_inbox.as_deref(), Some("https://m.example/inbox"));
    let with = |key: &str, value: Value| {
        let mut changed = actor_document();
        changed[key] = value;
        parse_actor(&changed)
    };
    let keys = json!([
        format!("{id}#one"),
        { "id": format!("{id}#two"), "owner": id, "publicKeyPem": "TWO" },
        { "id": format!("{id}#stolen"), "owner": "https://m.example/users/bo", "publicKeyPem": "X" },
        { "id": "https://n.example/k", "owner": id, "publicKeyPem": "X" },
        { "id": format!("{id}#long"), "publicKeyPem": "x".repeat(9000) },
        null,
    ]);
    let found = with("publicKey", keys).expect("an actor").keys;
    let shown: Vec<_> = found.iter().map(|key| (key.id.rsplit('#').next(), key.public.as_deref())).collect();
    assert_eq!(shown, [(Some("one"), None), (Some("two"), Some("TWO")), (Some("long"), None)]);
    let many: Vec<String> = (0..50).map(|number| format!("{id}#{number}")).collect();
    assert_eq!(with("publicKey", json!(many)).expect("an actor").keys.len(), 10);

    let shared = |value: Value| with("endpoints", value).expect("an actor").shared_inbox;
    for foreign in
        [json!({"sharedInbox": "https://victim.example/inbox"}), json!({"sharedInbox": 1}), json!([]), Value::Null]
    {
        assert_eq!(shared(foreign.clone()), None, "{foreign}");
    }
    let url = |value: Value| with("url", value).expect("an actor").url;
    assert_eq!(
        url(json!([{"type": "Link", "href": "https://m.example/@ann"}])).as_deref(),
        Some("https://m.example/@ann")
    );
    assert_eq!(url(json!("javascript:alert(1)")), None);
    assert_eq!(url(json!("https://bank.example/")), None, "A18: a page elsewhere is not theirs");
    assert_eq!(
        with("name", json!("é".repeat(5000))).expect("an actor").name.map(|name| name.chars().count()),
        Some(2048)
    );
    assert_eq!(with("name", json!(7)).expect("an actor").name, None);
    assert_eq!(with("type", json!(["x", "Group"])).expect("an actor").kind, "Group");
    assert_eq!(with("preferredUsername", Value::Null).expect("an actor").preferred_username, None);

    assert_eq!(with("inbox", json!("/inbox")).err(), Some(Malformed::Property("inbox")));
    assert_eq!(
        with("inbox", json!("https://victim.example/inbox")).err(),
        Some(Malformed::InboxElsewhere("victim.example".to_owned())),
        "nobody has us deliver to a third server, or back off from it"
    );
    assert_eq!(with("type", json!("Note")).err(), Some(Malformed::Property("type")));
    assert_eq!(with("@context", json!([])).err(), Some(Malformed::Context));
}

#[test]
fn whose_a_key_is() {
    let id = "https://g.example/users/di";
    let stub = with_context(
        json!({ "id": id, "preferredUsername": "di", "publicKey": { "id": format!("{id}/main-key"), "owner": id, "publicKeyPem": "PEM" } }),
    );
    assert_eq!(key_owner(&stub).as_deref(), Some(id));
    assert!(parse_actor(&stub).is_err());
    assert_eq!(key_owner(&json!({ "id": "https://x.example/k", "owner": id })).as_deref(), Some(id));
    assert_eq!(key_owner(&json!({ "id": "https://x.example/k", "controller": id })).as_deref(), Some(id));
    for nobody in
        [json!({}), json!({"owner": "acct:di@g.example"}), json!({"publicKey": []}), json!({"publicKey": "x"})]
    {
        assert_eq!(key_owner(&nobody), None, "{nobody}");
    }
}

/// Any JSON, with the words that matter among its keys and values.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("id"),
        Just("type"),
        Just("actor"),
        Just("object"),
        Just("inbox"),
        Just("publicKey"),
        Just("owner"),
        Just("endpoints"),
        Just("sharedInbox"),
        Just("url"),
        Just("href"),
        Just("@context"),
        Just("Follow"),
        Just("Person"),
        Just("https://m.example/a"),
        Just("https://m.example/a#b"),
        Just("https://www.w3.org/ns/activitystreams"),
    ];
    let text = prop_oneof![3 => word.prop_map(str::to_owned), 1 => any::<String>()];
    let leaf = prop_oneof![
        4 => text.clone().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((text.clone(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(document in any_json()) {
        let _ = read(&document);
        let _ = parse_actor(&document);
        let _ = key_owner(&document);
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..256)) {
        let _ = parse(&body);
    }

    #[test]
    fn whatever_stands_in_one_place_the_envelope_holds(
        key in prop_oneof![Just("id"), Just("type"), Just("actor"), Just("object"), Just("@context")],
        value in any_json(),
    ) {
        let mut follow = with_context(json!({"id": "https://m.example/1", "type": "Follow", "actor": "https://m.example/a", "object": "https://m.example/b"}));
        follow[key] = value;
        if let Ok(incoming) = read(&follow) {
            prop_assert!(shape::same_origin(&incoming.id, &incoming.actor));
            prop_assert!(incoming.id.len() <= URL_MAX && incoming.kind.as_str().chars().count() <= 64);
        }
    }

    #[test]
    fn whatever_an_actor_shows_its_addresses_are_sound(
        key in prop_oneof![Just("id"), Just("inbox"), Just("endpoints"), Just("publicKey"), Just("url"), Just("followers")],
        value in any_json(),
    ) {
        let mut document = actor_document();
        document[key] = value;
        if let Ok(actor) = parse_actor(&document) {
            prop_assert!(shape::same_origin(&actor.inbox, &actor.inbox));
            prop_assert!(actor.shared_inbox.is_none_or(|inbox| shape::same_origin(&actor.id, &inbox)));
            prop_assert!(actor.keys.iter().all(|key| key.owner == actor.id));
        }
    }
}
