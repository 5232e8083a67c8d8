//! What real software sends, file by file in the order of its conversation: each has its verdict, with its reason, and each
//! conversation its end.
//!
//! Besides its payload, a sample may name its `signer`, where that is not its actor, and what an `origin` answers from then
//! on: a document or a status for each id. Otherwise each post is served at its id in the words that were sent last.

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
use veerpont::activitypub::incoming;
use veerpont::base::ids::Host;
use veerpont::federation::remote::actors;
use veerpont::inbox::FETCHED;
use veerpont::inbox::store::{self, Arrival};
use veerpont::model::interaction::store::{Filter, list};

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
struct LocalAddresses(Vec<(&'static str, String)>);

impl LocalAddresses {
    async fn new(world: &mut World) -> Self {
        let peer = world.peer("peer.test", &["ann"]);
        world.publish().await;
        let author = world.follow(&peer, "ann", MAREN).await.actor_id;
        let group = peer.lookup(GROUP).await.expect("a community").actor_id;
        world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
        world.publish().await;
        let article = taken(&peer, "Create").pop().expect("a Create").activity["object"].clone();
        let text = |key: &str| article[key].as_str().expect("an address").to_owned();
        let id = text("id");
        let page_of_ours = format!("https://social.example.org/@maren/{}", id.rsplit('/').next().expect("a name"));
        Self(vec![
            ("https://us.example/page/", text("url")),
            ("https://us.example/page-of-ours", page_of_ours),
            ("https://us.example/ap/a/1/context", text("context")),
            ("https://us.example/ap/a/1", id),
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
    served: Mutex<BTreeMap<String, Value>>,
    /// Everything that has an id on some host.
    ids: BTreeSet<String>,
    actors: BTreeSet<String>,
    /// Those that pass on what others say.
    communities: BTreeSet<String>,
    moved: BTreeMap<String, String>,
}

impl Elsewhere {
    /// Who acts in all of a file.
    fn learn(&mut self, value: &Value) {
        match value {
            Value::Array(members) => members.iter().for_each(|member| self.learn(member)),
            Value::Object(properties) => {
                if let Ok(post) = incoming::parse_post(value) {
                    self.ids.insert(post.id);
                    self.actors.insert(post.author);
                }
                if let Ok(activity) = incoming::parse(value.to_string().as_bytes()) {
                    if let Some(target) = activity.named("target").filter(|_| activity.kind == incoming::Kind::Move) {
                        self.moved.insert(target.clone(), activity.actor.clone());
                        self.actors.insert(target);
                    }
                    let of_others = |id: &String| !id.starts_with("https://social.example.org/");
                    let embedded = activity.object.as_ref().filter(|object| object.embedded.is_some());
                    let passes_on = embedded.and_then(|object| object.id.as_ref()).is_some_and(of_others);
                    if activity.kind == incoming::Kind::Announce && passes_on {
                        self.communities.insert(activity.actor.clone());
                    }
                    self.actors.insert(activity.actor);
                }
                for key in ["actor", "signer"] {
                    self.actors.extend(properties.get(key).and_then(Value::as_str).map(str::to_owned));
                }
                if let Some(Value::Object(origin)) = properties.get("origin") {
                    self.ids.extend(origin.keys().cloned());
                }
                properties.values().for_each(|member| self.learn(member));
            }
            _ => {}
        }
    }

    /// From now on serves the posts of a sample, and answers as it says.
    fn serve(&self, sample: &Value) {
        let mut served = self.served.lock().expect("no panic");
        let mut rest = vec![&sample["payload"]];
        while let Some(value) = rest.pop() {
            if let Ok(post) = incoming::parse_post(value) {
                let mut document = value.clone();
                document["@context"] = CONTEXT.into();
                served.insert(post.id, document);
            }
            match value {
                Value::Array(members) => rest.extend(members),
                Value::Object(properties) => rest.extend(properties.values()),
                _ => {}
            }
        }
        for (id, answer) in sample["origin"].as_object().into_iter().flatten() {
            served.insert(id.clone(), answer.clone());
        }
    }

    fn answer(&self, id: &str) -> Result<Value, StatusCode> {
        let served = self.served.lock().expect("no panic").get(id).cloned();
        match served {
            Some(Value::Number(status)) => {
                let status = status.as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
                Err(StatusCode::from_u16(status).expect("a status"))
            }
            Some(document) => Ok(document),
            None if self.actors.contains(id) => Ok(self.actor(id)),
            None => Err(StatusCode::NOT_FOUND),
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
        let hosts: BTreeSet<Host> = (self.ids.iter().chain(&self.actors))
            .filter_map(|id| Host::of(&Url::parse(id).expect("an address")))
            .filter(|host| host.as_str() != "social.example.org")
            .collect();
        for host in hosts {
            let (elsewhere, origin) = (self.clone(), format!("https://{host}"));
            let router = Router::new().fallback(move |request: Request<Body>| {
                let id = format!("{origin}{}", request.uri().path_and_query().expect("a path"));
                let answer = elsewhere.answer(&id);
                async move {
                    let as_activity = |document: Value| {
                        ([("content-type", "application/activity+json")], document.to_string()).into_response()
                    };
                    answer.map_or_else(IntoResponse::into_response, as_activity)
                }
            });
            world.net.host(host.as_str(), router);
        }
    }
}

/// Keeps a payload as if its signature had been verified; its signer is known then. The activity's id, and who signed it.
async fn receive(world: &World, elsewhere: &Elsewhere, sample: &Value) -> (String, String) {
    let payload = sample["payload"].to_string();
    let incoming = incoming::parse(payload.as_bytes()).unwrap_or_else(|error| panic!("{payload}: {error}"));
    let signer = sample["signer"].as_str().unwrap_or(&incoming.actor).to_owned();
    let known = incoming::parse_actor(&elsewhere.actor(&signer)).expect("an actor");
    let id = incoming.id.clone();
    let arrival = Arrival::of(incoming, signer.clone(), payload, "/ap/inbox".to_owned());
    world.advance(Duration::from_mins(1));
    let (ids, now) = (world.app.ids.clone(), world.clock.now());
    let kept = world.app.db.write(move |conn| {
        Box::pin(async move {
            actors::keep(conn, &ids, known, None, now).await?;
            store::keep(conn, &ids, &arrival, now).await
        })
    });
    kept.await.expect("it is kept");
    world.drain().await;
    (id, signer)
}

async fn verdict(world: &World, (id, signer): (String, String)) -> Value {
    let mut conn = world.app.db.read().await.expect("a connection");
    let kept = store::about(&mut conn, &id, 100).await.expect("activities");
    let kept = kept.into_iter().find(|kept| kept.id == id && kept.signer == signer).expect("it was kept");
    let mut verdict = json!({ "verdict": kept.verdict, "why": kept.reason, "steps": kept.steps });
    if kept.times > 1 {
        verdict["times"] = kept.times.into();
    }
    // What was read at an origin because of it has its own meaning.
    let latest = store::latest(&mut conn, None, None, 1000).await.expect("activities").items;
    let now = world.clock.now();
    let read = latest.into_iter().filter(|kept| kept.path == FETCHED && kept.settled.is_some_and(|at| at == now));
    let read = read.map(|kept| format!("{} {}: {}", kept.id, kept.verdict, kept.reason.unwrap_or_default()));
    let read: Vec<String> = read.collect();
    if !read.is_empty() {
        verdict["read"] = read.into();
    }
    verdict
}

async fn end(world: &World) -> Value {
    let mut conn = world.app.db.read().await.expect("a connection");
    let said = list(&mut conn, &world.app.urls, Filter::default(), None, 100).await.expect("posts");
    let mut said: Vec<String> =
        said.items.into_iter().map(|said| format!("{} {}", said.state.as_str(), said.id)).collect();
    said.sort();
    json!(said)
}

#[tokio::test]
async fn what_real_software_sends_has_a_verdict_and_a_reason() {
    for software in SOFTWARE {
        on_each_engine(async |world| {
            let ours = LocalAddresses::new(world).await;
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/payloads/{software}.json"));
            let text = ours.put_in(&std::fs::read_to_string(file).expect("a file"));
            let samples: Vec<Value> = serde_json::from_str(&text).expect("JSON");
            let mut elsewhere = Elsewhere::default();
            for sample in &samples {
                elsewhere.learn(sample);
            }
            let elsewhere = Arc::new(elsewhere);
            elsewhere.open(world);
            let mut verdicts = serde_json::Map::new();
            for sample in &samples {
                elsewhere.serve(sample);
                let received = receive(world, &elsewhere, sample).await;
                let what = sample["what"].as_str().expect("a name").to_owned();
                let before = verdicts.insert(what, verdict(world, received).await);
                assert!(before.is_none(), "each sample has a name of its own");
            }
            verdicts.insert("in the end".to_owned(), end(world).await);
            let told = ours.take_out(&serde_json::to_string_pretty(&verdicts).expect("JSON"));
            insta::assert_snapshot!(software, told);
        })
        .await;
    }
}
