//! What real software sends, file by file in the order of its conversation: each has its verdict, with its reason, and each
//! conversation its end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use url::Url;
use veerpont::activity::incoming;
use veerpont::ids::Host;
use veerpont::inbox::store::{self, Arrival};
use veerpont::interaction::store::{Filter, list};
use veerpont::remote::actors;

use crate::world::{GROUP, MAREN, World, on_each_engine, taken};

const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";

const SOFTWARE: [&str; 11] = [
    "mastodon",
    "gotosocial",
    "misskey",
    "pleroma",
    "lemmy",
    "mbin",
    "piefed",
    "nodebb",
    "discourse",
    "wordpress",
    "others",
];

/// The addresses that stand for ours in the payloads, and what they are in this world.
struct Ours(Vec<(&'static str, String)>);

impl Ours {
    async fn new(world: &mut World) -> Self {
        let peer = world.peer("peer.test", &["ann"]);
        world.publish().await;
        let author = world.follow(&peer, "ann", MAREN).await.actor_id;
        let group = peer.lookup(GROUP).await.expect("a community").actor_id;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        let article = taken(&peer, "Create").pop().expect("a Create").activity["object"].clone();
        let text = |key: &str| article[key].as_str().expect("an address").to_owned();
        Self(vec![
            ("https://us.example/ap/a/1/context", text("context")),
            ("https://us.example/ap/a/1", text("id")),
            ("https://us.example/ap/u/7", author),
            ("https://us.example/ap/g/rust", group),
        ])
    }

    fn put_in(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
    }

    fn take_out(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(ours, theirs))
    }
}

/// What the servers of a file serve: its posts at their ids, and everyone who acts in it.
#[derive(Default)]
struct Elsewhere {
    posts: BTreeMap<String, Value>,
    actors: BTreeSet<String>,
    /// Those that pass on what others say.
    communities: BTreeSet<String>,
    moved: BTreeMap<String, String>,
    /// What has changed while the conversation went on: by id, a document, or `None` where it is gone.
    changed: Mutex<BTreeMap<String, Option<Value>>>,
}

impl Elsewhere {
    fn learn(&mut self, value: &Value) {
        match value {
            Value::Array(members) => members.iter().for_each(|member| self.learn(member)),
            Value::Object(properties) => {
                if let Ok(post) = incoming::statement(value) {
                    let mut document = value.clone();
                    document["@context"] = CONTEXT.into();
                    self.posts.insert(post.id, document);
                    self.actors.insert(post.author);
                }
                if let Ok(activity) = incoming::parse(value.to_string().as_bytes()) {
                    if let Some(target) = activity.named("target").filter(|_| activity.kind == incoming::Kind::Move) {
                        self.moved.insert(target.clone(), activity.actor.clone());
                        self.actors.insert(target);
                    }
                    let passes_on = activity.object.as_ref().is_some_and(|object| object.embedded.is_some());
                    if activity.kind == incoming::Kind::Announce && passes_on {
                        self.communities.insert(activity.actor.clone());
                    }
                    self.actors.insert(activity.actor);
                }
                if let Some(actor) = properties.get("actor").and_then(Value::as_str) {
                    self.actors.insert(actor.to_owned());
                }
                properties.values().for_each(|member| self.learn(member));
            }
            _ => {}
        }
    }

    /// What a sample says of its servers: what they serve from now on (`serves`), and what they answer 410 for (`gone`).
    fn turn_to(&self, sample: &Value) {
        let list = |key: &str| sample[key].as_array().cloned().unwrap_or_default();
        let mut changed = self.changed.lock().expect("no panic");
        for document in list("serves") {
            let mut document = document;
            document["@context"] = CONTEXT.into();
            changed.insert(document["id"].as_str().expect("an id").to_owned(), Some(document));
        }
        for id in list("gone") {
            changed.insert(id.as_str().expect("an id").to_owned(), None);
        }
    }

    /// What is answered for an address: `Ok(None)` is 404, an error 410.
    fn answer(&self, id: &str) -> Result<Option<Value>, ()> {
        match self.changed.lock().expect("no panic").get(id) {
            Some(changed) => changed.clone().map(Some).ok_or(()),
            None => Ok(match self.posts.get(id) {
                Some(post) => Some(post.clone()),
                None => self.actors.contains(id).then(|| self.actor(id)),
            }),
        }
    }

    fn actor(&self, id: &str) -> Value {
        let is_group =
            self.communities.contains(id) || ["/c/", "/m/", "/category/"].iter().any(|part| id.contains(part));
        json!({
            "@context": [CONTEXT, "https://w3id.org/security/v1"], "id": id, "type": if is_group { "Group" } else { "Person" },
            "preferredUsername": "someone", "inbox": format!("{id}/inbox"),
            "alsoKnownAs": self.moved.get(id).into_iter().collect::<Vec<_>>(),
        })
    }

    /// Serves it all, on every host that is named.
    fn open(self: &Arc<Self>, world: &World) {
        let hosts: BTreeSet<Host> = (self.posts.keys().chain(&self.actors))
            .filter_map(|id| Host::of(&Url::parse(id).expect("an address")))
            .filter(|host| host.as_str() != "social.example.org")
            .collect();
        for host in hosts {
            let (elsewhere, origin) = (self.clone(), format!("https://{host}"));
            let router = Router::new().fallback(move |request: Request<Body>| {
                let id = format!("{origin}{}", request.uri().path_and_query().expect("a path"));
                let document = elsewhere.answer(&id);
                async move {
                    match document {
                        Ok(Some(document)) => {
                            ([("content-type", "application/activity+json")], document.to_string()).into_response()
                        }
                        Ok(None) => StatusCode::NOT_FOUND.into_response(),
                        Err(()) => StatusCode::GONE.into_response(),
                    }
                }
            });
            world.net.host(host.as_str(), router);
        }
    }
}

/// Keeps a payload as if its signature had been verified, which is its actor's where no `signer` is named; its actor is
/// known then.
async fn receive(world: &World, elsewhere: &Elsewhere, sample: &Value) -> String {
    elsewhere.turn_to(sample);
    let payload = &sample["payload"].to_string();
    // So that nothing is left unread since it was read just now.
    world.advance(Duration::from_mins(2));
    let incoming = incoming::parse(payload.as_bytes()).unwrap_or_else(|error| panic!("{payload}: {error}"));
    let known = incoming::actor(&elsewhere.actor(&incoming.actor)).expect("an actor");
    let arrival = Arrival {
        activity_id: incoming.id.clone(),
        signer: sample["signer"].as_str().unwrap_or(&incoming.actor).to_owned(),
        actor: incoming.actor.clone(),
        kind: incoming.kind.as_str().to_owned(),
        object_id: incoming.object.and_then(|object| object.id),
        raw: payload.clone(),
        path: "/ap/inbox".to_owned(),
        proof: None,
    };
    let (ids, now) = (world.app.ids.clone(), world.clock.now());
    let kept = world.app.db.write(move |conn| {
        Box::pin(async move {
            actors::keep(conn, &ids, known, now).await?;
            store::keep(conn, &ids, &arrival, now).await
        })
    });
    kept.await.expect("it is kept");
    world.drain().await;
    incoming.id
}

async fn verdict(world: &World, id: &str) -> Value {
    let mut conn = world.app.db.read().await.expect("a connection");
    let kept = store::about(&mut conn, id, 10).await.expect("activities");
    let kept = kept.into_iter().find(|kept| kept.id == id).expect("it was kept");
    json!({ "verdict": kept.verdict, "why": kept.reason, "steps": kept.steps })
}

async fn end(world: &World) -> Value {
    let mut conn = world.app.db.read().await.expect("a connection");
    let said = list(&mut conn, &world.app.urls, Filter::default(), 100).await.expect("posts");
    let mut said: Vec<String> = said.into_iter().map(|said| format!("{} {}", said.state.as_str(), said.id)).collect();
    said.sort();
    json!(said)
}

#[tokio::test]
async fn what_real_software_sends_has_a_verdict_and_a_reason() {
    for software in SOFTWARE {
        on_each_engine(async |world| {
            let ours = Ours::new(world).await;
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/payloads/{software}.json"));
            let text = ours.put_in(&std::fs::read_to_string(file).expect("a file"));
            let samples: Vec<Value> = serde_json::from_str(&text).expect("JSON");
            let mut elsewhere = Elsewhere::default();
            for sample in &samples {
                elsewhere.learn(&sample["payload"]);
                elsewhere.actors.extend(sample["signer"].as_str().map(str::to_owned));
            }
            let elsewhere = Arc::new(elsewhere);
            elsewhere.open(world);
            let mut verdicts = serde_json::Map::new();
            for sample in &samples {
                let id = receive(world, &elsewhere, sample).await;
                let what = sample["what"].as_str().expect("a name").to_owned();
                verdicts.insert(what, verdict(world, &id).await);
            }
            verdicts.insert("in the end".to_owned(), end(world).await);
            let told = ours.take_out(&serde_json::to_string_pretty(&verdicts).expect("JSON"));
            insta::assert_snapshot!(software, told);
        })
        .await;
    }
}
