//! A thread that reaches us only in part is completed: parents, forwarded posts, and what nobody sent (interop E7, E24, B18, B20).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use veerpont::model::interaction::store::{Filter, list};

use crate::stranger::{CONTEXT, Cavage, Key, Stranger};
use crate::world::{MAREN, World, on_each_engine, taken};

pub(crate) const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
pub(crate) const INBOX: &str = "https://social.example.org/ap/inbox";

/// An article of Maren's, by its id.
pub(crate) async fn article(world: &mut World) -> String {
    let peer = world.peer("fan.test", &["ann"]);
    world.publish().await;
    world.follow(&peer, "ann", MAREN).await;
    world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
    world.publish().await;
    taken(&peer, "Create").pop().expect("a Create").object_id
}

/// Somebody on a server of their own, whose key proves what they send.
pub(crate) struct Person {
    pub(crate) server: Stranger,
    pub(crate) id: String,
    key_id: String,
    key: Key,
}

impl Person {
    pub(crate) fn new(world: &World, host: &str) -> Self {
        Self::at(world, host, "/users/u")
    }

    /// As [`Self::new`], at this path.
    pub(crate) fn at(world: &World, host: &str, path: &str) -> Self {
        let server = Stranger::new(world, host);
        let key = Key::Rsa(crate::world::shared_key());
        let (id, key_id) = server.serve_actor(path, &key);
        Self { server, id, key_id, key }
    }

    /// Somebody else of the same server.
    pub(crate) fn neighbour(&self, path: &str) -> Self {
        let (id, key_id) = self.server.serve_actor(path, &self.key);
        Self { server: self.server.clone(), id, key_id, key: Key::Rsa(crate::world::shared_key()) }
    }

    /// Serves its actor anew, with another property than before.
    pub(crate) fn says_of_itself(&self, property: &str, value: impl Into<Value>) {
        let mut actor = self.server.actor("/users/u");
        actor["publicKey"] = json!({ "id": self.key_id, "owner": self.id, "publicKeyPem": self.key.public() });
        actor[property] = value.into();
        self.server.serve("/users/u", &actor);
    }

    pub(crate) fn note(&self, number: usize, answered: &str) -> Value {
        json!({
            "@context": CONTEXT, "id": format!("{}/notes/{number}", self.id), "type": "Note", "attributedTo": self.id,
            "inReplyTo": answered, "content": format!("<p>{number}</p>"), "to": [PUBLIC],
            "published": format!("2026-11-01T{:02}:{:02}:{:02}Z", number / 3600 % 24, number / 60 % 60, number % 60),
        })
    }

    /// A note that answers nothing and quotes an article.
    pub(crate) fn quote(&self, number: usize, article: &str) -> Value {
        let mut quote = self.note(number, "");
        quote.as_object_mut().expect("a note").remove("inReplyTo");
        quote["quote"] = article.into();
        quote
    }

    /// Asks whether it may (FEP-044f).
    pub(crate) fn quote_request(&self, name: &str, article: &str, quote: &Value) -> Value {
        let mut request = self.activity("QuoteRequest", name, article);
        request["instrument"] = quote["id"].clone();
        request
    }

    /// Serves a note at its id.
    pub(crate) fn serve(&self, note: &Value) {
        let path = note["id"].as_str().expect("an id").replace(&self.server.id(""), "");
        self.server.serve(&path, note);
    }

    pub(crate) fn activity(&self, kind: &str, name: &str, object: impl Into<Value>) -> Value {
        json!({ "@context": CONTEXT, "id": format!("{}/{name}", self.id), "type": kind, "actor": self.id, "object": object.into() })
    }

    /// Sends an activity, signed by this person whoever its actor is, and works what follows.
    pub(crate) async fn send(&self, world: &World, activity: &Value) {
        self.post(activity).await;
        world.drain().await;
    }

    /// Sends an activity, signed by this person.
    pub(crate) async fn post(&self, activity: &Value) {
        assert_eq!(self.knock(activity).await, 202, "{activity}");
    }

    /// As [`Self::post`]; says what was answered.
    pub(crate) async fn knock(&self, activity: &Value) -> u16 {
        let how = Cavage { key: &self.key, key_id: &self.key_id, ..Cavage::default() };
        self.server.send(self.server.cavage(&how, INBOX, activity)).await.status
    }
}

/// The id of what is said.
pub(crate) fn id(note: &Value) -> String {
    note["id"].as_str().expect("an id").to_owned()
}

/// The verdict of the last activity, and why.
pub(crate) async fn last_verdict(world: &World) -> (String, String) {
    let mut conn = world.app.db.read().await.expect("a connection");
    let latest = veerpont::inbox::store::latest(&mut conn, None, None, 100).await.expect("verdicts");
    let last = latest.items.into_iter().find(|kept| kept.path != veerpont::inbox::FETCHED).expect("an activity");
    (last.verdict, last.reason.unwrap_or_default())
}

/// Every id of a collection of ours, page after page, as an outsider reads it.
async fn pages(reader: &Stranger, id: &str) -> Vec<String> {
    let (mut ids, mut next) = (Vec::new(), Some(id.to_owned()));
    while let Some(url) = next {
        let page: Value = serde_json::from_str(&reader.ask(&url).await.body).expect("JSON");
        let inner = if page["first"].is_object() { &page["first"] } else { &page };
        for key in ["items", "orderedItems"] {
            let items = inner[key].as_array().map(Vec::as_slice).unwrap_or_default();
            ids.extend(items.iter().map(|item| item.as_str().expect("an id").to_owned()));
        }
        next = inner["next"].as_str().map(str::to_owned);
    }
    ids
}

/// Interop E7: a reply deep in a thread none of which reached us brings its parents with it.
#[tokio::test]
async fn parents_are_read_until_the_thread_reaches_us() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let first = ann.note(1, &article);
        let second = bob.note(2, first["id"].as_str().expect("an id"));
        let third = ann.note(3, second["id"].as_str().expect("an id"));
        for (person, note) in [(&ann, &first), (&bob, &second)] {
            person.serve(note);
        }
        ann.send(world, &ann.activity("Create", "c3", third)).await;
        assert_eq!(world.reply_texts().await, ["1", "2", "3"]);
        assert_eq!(last_verdict(world).await, ("accepted".to_owned(), "a reply to a reply to “The ferry”".to_owned()));

        // A thread that never reaches us is read up to its root, and declined with the reason.
        let elsewhere = bob.note(10, "https://nobody.test/notes/1");
        bob.serve(&elsewhere);
        let lost = ann.note(11, elsewhere["id"].as_str().expect("an id"));
        ann.send(world, &ann.activity("Create", "c11", lost)).await;
        for _ in 0..40 {
            world.advance(Duration::from_hours(6));
            world.drain().await;
        }
        let (verdict, reason) = last_verdict(world).await;
        assert_eq!(verdict, "declined", "{reason}");
        assert!(reason.contains("https://nobody.test/notes/1"), "{reason}");
        assert_eq!(world.reply_texts().await.len(), 3);
    })
    .await;
}

/// A thread deeper than we climb costs no more than its bound.
#[tokio::test]
async fn a_bottomless_thread_is_left_after_twenty_steps() {
    on_each_engine(async |world| {
        let _ = article(world).await;
        let ann = Person::new(world, "ann.test");
        for number in 1..100 {
            ann.serve(&ann.note(number, &format!("{}/notes/{}", ann.id, number + 1)));
        }
        ann.send(world, &ann.activity("Create", "c0", ann.note(0, &format!("{}/notes/1", ann.id)))).await;
        assert_eq!(world.requests("GET https://ann.test/users/u/notes/"), 20);
        let (verdict, reason) = last_verdict(world).await;
        assert_eq!(verdict, "declined");
        assert!(reason.contains("within 20 steps"), "{reason}");
        assert_eq!(world.reply_texts().await, Vec::<String>::new());
    })
    .await;
}

/// Interop E24: a server forwards what its users' friends said, with a signature that proves nothing: the origin is asked.
#[tokio::test]
async fn forwarded_activities_count_as_far_as_their_origin_says_the_same() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let (ann, bob) = (Person::new(world, "ann.test"), Person::new(world, "bob.test"));
        let mut note = bob.note(1, &article);
        bob.serve(&note);
        let mut forged = note.clone();
        forged["content"] = "<p>Forged</p>".into();
        ann.send(world, &bob.activity("Create", "c1", forged)).await;
        assert_eq!(world.reply_texts().await, ["1"], "as its origin has it");
        assert_eq!(last_verdict(world).await.0, "accepted");

        note["content"] = "<p>Edited</p>".into();
        note["updated"] = "2026-11-01T12:00:00Z".into();
        bob.serve(&note);
        world.advance(Duration::from_mins(2));
        ann.send(world, &bob.activity("Update", "u1", note["id"].clone())).await;
        assert_eq!(world.reply_texts().await, ["Edited"]);

        // What is said to be gone and stands, stands.
        ann.send(world, &bob.activity("Delete", "d1", note["id"].clone())).await;
        assert_eq!(last_verdict(world).await, ("declined".to_owned(), "its origin still shows it".to_owned()));
        assert_eq!(world.reply_texts().await, ["Edited"]);
        bob.serve(&json!({ "@context": CONTEXT, "id": note["id"], "type": "Tombstone" }));
        world.advance(Duration::from_mins(2));
        ann.send(world, &bob.activity("Delete", "d2", note["id"].clone())).await;
        assert_eq!(world.reply_texts().await, Vec::<String>::new());
        assert_eq!(last_verdict(world).await.0, "accepted");

        // What cannot be seen at an origin is declined: a like has no document that others may read.
        ann.send(world, &bob.activity("Like", "likes/1#x", article.as_str())).await;
        let (verdict, reason) = last_verdict(world).await;
        assert_eq!(verdict, "declined", "{reason}");
    })
    .await;
}

/// A post that comes by its address alone (R3), and a server that is down meanwhile.
#[tokio::test]
async fn a_post_by_its_address_is_read_when_its_server_is_back() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let bob = Person::new(world, "bob.test");
        let note = bob.note(1, &article);
        bob.server.answering(|seen| if seen.target.contains("/notes/") { 503 } else { 202 });
        bob.serve(&note);
        bob.send(world, &bob.activity("Create", "c1", note["id"].clone())).await;
        assert_eq!(last_verdict(world).await.0, "deferred");
        bob.server.answering(|_| 200);
        world.advance(Duration::from_mins(5));
        world.drain().await;
        assert_eq!(world.reply_texts().await, ["1"]);
        assert_eq!(last_verdict(world).await, ("accepted".to_owned(), "it was read at its origin".to_owned()));
    })
    .await;
}

/// Interop E20 and FEP-044f: a quote is kept, its request granted, and the permission stands as long as it.
#[tokio::test]
async fn who_quotes_an_article_is_given_a_permission_that_can_be_read() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let bob = Person::new(world, "bob.test");
        let quote = bob.quote(1, &article);
        bob.serve(&quote);
        bob.send(world, &bob.quote_request("q1", &article, &quote)).await;
        assert_eq!(last_verdict(world).await, ("accepted".to_owned(), "may quote “The ferry”".to_owned()));
        let bodies = bob.server.take_seen().into_iter().filter(|seen| seen.method == http::Method::POST);
        let accept: Value =
            bodies.last().map(|seen| serde_json::from_slice(&seen.body).expect("JSON")).expect("an Accept");
        assert_eq!((&accept["type"], &accept["object"]["instrument"]), (&json!("Accept"), &quote["id"]));
        let permission = accept["result"].as_str().expect("a permission").to_owned();
        let read: Value = serde_json::from_str(&bob.server.ask(&permission).await.body).expect("JSON");
        assert_eq!(read["type"], "QuoteAuthorization");
        assert_eq!(
            (&read["id"], &read["interactionTarget"], &read["interactingObject"]),
            (&json!(permission), &json!(article), &quote["id"])
        );
        assert_eq!(read["attributedTo"], accept["actor"]);
        bob.send(world, &bob.activity("Delete", "d1", quote["id"].clone())).await;
        assert_eq!(bob.server.ask(&permission).await.status, 404, "the permission ends with the quote");

        // Somebody else's quote is not theirs to ask for.
        let eve = Person::new(world, "eve.test");
        eve.send(world, &eve.quote_request("q1", &article, &quote)).await;
        assert_eq!(last_verdict(world).await.0, "declined");
    })
    .await;
}

/// Interop E17, A20: whoever moved is followed by their new name, if that says so too.
#[tokio::test]
async fn a_follower_who_moves_stays_a_follower() {
    on_each_engine(async |world| {
        let _ = article(world).await;
        let (old, new) = (Person::new(world, "old.test"), Person::new(world, "new.test"));
        let maren = world.peer("other.test", &["x"]).lookup(MAREN).await.expect("an actor").actor_id;
        old.send(world, &old.activity("Follow", "f1", maren.as_str())).await;
        let mut claimed = old.activity("Move", "m1", old.id.as_str());
        claimed["target"] = new.id.clone().into();
        old.send(world, &claimed).await;
        let (verdict, reason) = last_verdict(world).await;
        assert_eq!(verdict, "declined", "{reason}");
        new.says_of_itself("alsoKnownAs", json!([old.id]));
        world.advance(Duration::from_mins(2));
        claimed["id"] = format!("{}/m2", old.id).into();
        old.send(world, &claimed).await;
        assert_eq!(last_verdict(world).await.0, "accepted");
        assert_eq!(world.followers().await, 2);
        new.server.take_seen();
        world.write_post("late", "A late ferry", "It sails at noon.", &["maren"]);
        world.publish().await;
        assert_eq!(new.server.take_schemes().len(), 1, "the new one is sent what comes");
    })
    .await;
}

/// Five servers, five hundred replies, of which only those to the article itself are sent to us; one server is away for
/// half a day. In the end both sides know the same thread.
#[tokio::test]
async fn a_thread_of_five_hundred_replies_over_five_servers_ends_complete_and_equal_on_both_sides() {
    const REPLIES: usize = 500;
    on_each_engine(async |world| {
        let article = article(world).await;
        let people: Vec<Person> =
            (0..5).map(|number| Person::new(world, &format!("server{number}.test"))).collect();
        // Which post each answers: one in ten the article, the others one of those before.
        let mut parents: BTreeMap<String, String> = BTreeMap::new();
        let mut notes: Vec<Value> = Vec::new();
        let mut dice = 7_usize;
        for number in 0..REPLIES {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let parent = if number < 5 || (dice >> 33).is_multiple_of(10) {
                article.clone()
            } else {
                notes[(dice >> 35) % number]["id"].as_str().expect("an id").to_owned()
            };
            let mut note = people[number % 5].note(number, &parent);
            let id = note["id"].as_str().expect("an id").to_owned();
            note["replies"] = format!("{id}/replies").into();
            parents.insert(id, parent);
            notes.push(note);
        }
        for (number, note) in notes.iter().enumerate() {
            let (person, id) = (&people[number % 5], note["id"].as_str().expect("an id"));
            person.serve(note);
            let below: Vec<&String> = parents.iter().filter(|(_, parent)| *parent == id).map(|(id, _)| id).collect();
            let path = format!("{id}/replies").replace(&person.server.id(""), "");
            // Mastodon's: a first page inside, the rest behind it (B18).
            let (first, rest) = below.split_at(below.len().min(3));
            let mut page = json!({ "type": "CollectionPage", "partOf": format!("{id}/replies"), "items": first });
            if !rest.is_empty() {
                page["next"] = format!("{id}/replies?page=2").into();
                let rest = json!({ "@context": CONTEXT, "type": "CollectionPage", "partOf": format!("{id}/replies"), "items": rest });
                person.server.serve(&format!("{path}?page=2"), &rest);
            }
            person.server.serve(&path, &json!({ "@context": CONTEXT, "id": format!("{id}/replies"), "type": "Collection", "first": page }));
        }
        world.net.set_down("server3.test", true);
        for (number, note) in notes.iter().enumerate() {
            if note["inReplyTo"] == article.as_str() && number % 5 != 3 {
                let person = &people[number % 5];
                person.send(world, &person.activity("Create", &format!("c{number}"), note.clone())).await;
            }
        }
        let step = async |minutes: u64| {
            world.advance(Duration::from_mins(minutes));
            world.drain().await;
        };
        for _ in 0..72 {
            step(10).await;
        }
        let before = world.reply_texts().await.len();
        assert!(before < REPLIES, "a part is missing while a server is away: {before}");
        world.net.set_down("server3.test", false);
        // It sends what it could not send before, as its own queue has it.
        for (number, note) in notes.iter().enumerate().filter(|(number, _)| number % 5 == 3) {
            if note["inReplyTo"] == article.as_str() {
                people[3].send(world, &people[3].activity("Create", &format!("c{number}"), note.clone())).await;
            }
        }
        for _ in 0..150 {
            step(10).await;
        }
        let known: BTreeMap<String, String> = {
            let mut conn = world.app.db.read().await.expect("a connection");
            let all = list(&mut conn, &world.app.urls, Filter::default(), None, 1000).await.expect("replies");
            all.items.into_iter().map(|reply| (reply.id, reply.parent.unwrap_or_else(|| article.clone()))).collect()
        };
        assert_eq!(known.len(), REPLIES);
        let said: BTreeSet<String> = world.reply_texts().await.into_iter().collect();
        assert_eq!(said, (0..REPLIES).map(|number| number.to_string()).collect(), "in its author's words");
        assert_eq!(known, parents, "each stands where its own server has it");
        let document: Value = serde_json::from_str(&people[0].server.ask(&article).await.body).expect("JSON");
        let context = pages(&people[0].server, document["context"].as_str().expect("an id")).await;
        let theirs: BTreeSet<String> = parents.keys().cloned().chain([article.clone()]).collect();
        assert_eq!(context.len(), REPLIES + 1, "each once");
        assert_eq!(context.into_iter().collect::<BTreeSet<_>>(), theirs);
        let direct = pages(&people[0].server, document["replies"]["id"].as_str().expect("an id")).await;
        let answers: BTreeSet<&String> = parents.iter().filter(|(_, parent)| **parent == article).map(|(id, _)| id).collect();
        assert_eq!(direct.iter().collect::<BTreeSet<_>>(), answers);
    })
    .await;
}
