//! Our authors answer: seen by whom they answer and by their followers, edited, deleted, and never without a trace.

use std::time::Duration;

use harness::{Entry, Peer, PeerShape, SignOptions};
use serde_json::{Value, json};
use veerpont::base::ids::Handle;
use veerpont::federation::outbox;
use veerpont::federation::outbox::author_replies::{self, Draft};
use veerpont::model::interaction::store::{ConversationPage, Order};
use veerpont::model::interaction::{Note, Shown, State};
use veerpont::model::{author, interaction, post};

use crate::world::{MAREN, World, kinds, on_each_engine, taken};

const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

fn draft(author: &str, to: &str, text: &str) -> Draft {
    let author = Handle::parse(author).expect("a handle");
    Draft { author, to: to.to_owned(), text: text.to_owned(), language: None }
}

/// An answer of one of ours, said and delivered; its id.
async fn answer(world: &World, author: &str, to: &str, text: &str) -> String {
    let note = author_replies::send(&world.app, draft(author, to, text)).await.expect("an answer");
    world.drain().await;
    world.app.urls.note(note.uuid)
}

/// An article of Maren's, by its id, and a server on which cy follows her and was sent it.
async fn article(world: &mut World) -> (String, Peer) {
    world.publish().await;
    let fan = world.peer("fan.test", &["cy"]);
    world.follow(&fan, "cy", MAREN).await;
    world.write_post("ferry", "The ferry", "It sails at ten.", &["maren"]);
    world.publish().await;
    (taken(&fan, "Create").pop().expect("a Create").object_id, fan)
}

/// What a peer's user says of something, which we have understood.
async fn reply(world: &World, peer: &Peer, user: &str, answered: &str, words: &str) -> String {
    let id = peer.reply(user, answered, words).await.expect("the reply is taken");
    world.drain().await;
    id
}

async fn read(peer: &Peer, id: &str) -> Value {
    let (status, _, document) = peer.fetch(id).await.expect("an answer");
    assert_eq!(status, 200, "{id}");
    document
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().map(|item| item.as_str().expect("an id")).collect()
}

fn entry(entries: Vec<Entry>, id: &str) -> Entry {
    entries.into_iter().find(|entry| entry.id == id).expect("it is seen")
}

async fn conversation(world: &World, of: &Note) -> Vec<Shown> {
    let mut conn = world.app.db.read().await.expect("a connection");
    let page = ConversationPage { from: 0, limit: 100, order: Order::Time };
    let all =
        interaction::store::conversation(&mut conn, &world.app.urls, of.article, page).await.expect("a conversation");
    all.into_iter().map(|(shown, _)| shown).collect()
}

#[tokio::test]
async fn an_answer_is_seen_by_whom_it_answers_and_by_followers_elsewhere() {
    on_each_engine(async |world| {
        let (article, fan) = article(world).await;
        let home = world.peer("home.test", &["ann"]);
        let asked = reply(world, &home, "ann", &article, "Does it sail today?").await;
        let note = answer(world, "maren", &asked, "It *does*.").await;

        let told = entry(home.mentions("ann"), &note);
        assert_eq!(told.in_reply_to.as_deref(), Some(asked.as_str()));
        assert!(told.text.starts_with(r#"<p><span class="h-card""#) && told.text.contains("It <em>does</em>."), "B11");
        let seen = entry(fan.timeline("cy"), &note);
        assert_eq!((seen.in_reply_to.as_deref(), seen.text), (Some(asked.as_str()), told.text));
        assert_eq!((kinds(&home), kinds(&fan)), (vec!["Create".into()], vec!["Create".into(), "Create".into()]));

        let (document, about) = (read(&fan, &note).await, read(&fan, &article).await);
        for key in ["context", "conversation", "audience", "attributedTo"] {
            assert_eq!(document[key], about[key], "{key}: B20, F4, R1");
        }
        assert_eq!(document["source"], json!({ "content": "It *does*.", "mediaType": "text/markdown" }), "B14");
        assert_eq!(
            document["tag"],
            json!([{ "type": "Mention", "href": home.actor_id("ann"), "name": "@ann@home.test" }])
        );
        assert_eq!(ids(&document["to"]), [PUBLIC]);
        assert_eq!(ids(&document["cc"])[2], home.actor_id("ann"));
        let create = taken(&home, "Create").pop().expect("a Create").activity;
        assert_eq!((&create["to"], &create["cc"]), (&document["to"], &document["cc"]), "B8");
        let context = read(&fan, about["context"].as_str().expect("an id")).await;
        assert_eq!(ids(&context["orderedItems"]), [&article, &asked, &note]);
    })
    .await;
}

#[tokio::test]
async fn the_conversation_goes_on_below_an_answer() {
    on_each_engine(async |world| {
        let (article, _) = article(world).await;
        let (home, other) = (world.peer("home.test", &["ann"]), world.peer("other.test", &["bob"]));
        let asked = reply(world, &home, "ann", &article, "Does it sail?").await;
        let note = answer(world, "maren", &asked, "It does.").await;
        let below = reply(world, &other, "bob", &note, "And tomorrow?").await;
        other.like("bob", &note).await.expect("a like");
        home.boost("ann", &note).await.expect("a boost");
        world.drain().await;
        let document = read(&home, &note).await;
        assert_eq!(ids(&document["replies"]["first"]["items"]), [&below]);
        assert_eq!(ids(&read(&other, &asked).await["replies"]["first"]["items"]), [&note], "their server knows it");
        assert_eq!(ids(&read(&other, &format!("{asked}/replies")).await["first"]["items"]), [&note]);
        let alone = read(&home, &format!("{note}/replies")).await;
        assert_eq!(alone["first"], document["replies"]["first"], "B18: inside and alone they are one");
        for (key, collection) in [("likes", "likes"), ("shares", "shares")] {
            assert_eq!(document[key]["totalItems"], 1, "{key}: B19");
            assert_eq!(read(&home, &format!("{note}/{collection}")).await["totalItems"], 1);
        }
        let about = read(&home, &article).await;
        assert_eq!((&about["likes"]["totalItems"], &about["shares"]["totalItems"]), (&0.into(), &0.into()));

        // By the page that people see, and with everyone who took part.
        let page = read(&other, &below).await["url"].as_str().expect("a page").to_owned();
        let again = answer(world, "maren", &page, "Tomorrow too.").await;
        assert_eq!(entry(other.mentions("bob"), &again).in_reply_to.as_deref(), Some(below.as_str()));
        assert_eq!(entry(home.mentions("ann"), &again).in_reply_to.as_deref(), Some(below.as_str()));
        // Who goes on below their own answer does not call themselves, but everyone else.
        let more = answer(world, "maren", &again, "And on Sunday.").await;
        assert_eq!(read(&home, &more).await["tag"], json!([{ "type": "Mention", "href": other.actor_id("bob"), "name": "@bob@other.test" }, { "type": "Mention", "href": home.actor_id("ann"), "name": "@ann@home.test" }]));
    })
    .await;
}

#[tokio::test]
async fn the_article_itself_is_answered_by_its_author_and_by_another() {
    on_each_engine(async |world| {
        let (article, fan) = article(world).await;
        let own = answer(world, "maren", "https://example.org/post/ferry/#top", "A remark.").await;
        assert_eq!(read(&fan, &own).await["tag"], json!([]));
        assert_eq!(entry(fan.timeline("cy"), &own).text, "<p>A remark.</p>", "nobody calls themselves by name");
        let others = answer(world, "joris", &article, "Well said.").await;
        let document = read(&fan, &others).await;
        assert_eq!(document["tag"][0]["name"], "@maren@example.org");
        assert!(document["content"].as_str().expect("HTML").contains("https://social.example.org/@maren"));
        assert_eq!(document["inReplyTo"], article.as_str());
        // Nobody there follows Joris, but it answers somebody whom they follow (B9).
        assert_eq!(taken(&fan, "Create").len(), 3);
        let outbox = |of: &Value| format!("{}/outbox", of["attributedTo"].as_str().expect("an actor"));
        let listed = read(&fan, &outbox(&document)).await;
        assert_eq!(listed["totalItems"], 2, "an old post, and the answer");
        let mut conn = world.app.db.read().await.expect("a connection");
        let joris = Handle::parse("joris").expect("a handle");
        let joris = author::store::actor_by_handle(&mut conn, &joris).await.expect("a row").expect("an actor");
        let spoken = post::store::spoken_of(&mut conn, joris.id, (0, 10), world.clock.now()).await.expect("rows");
        assert_eq!(spoken.len(), 1, "an answer is no article of his");
    })
    .await;
}

#[tokio::test]
async fn edits_and_the_end_go_to_everyone_who_was_sent_it_or_spoke_to_it() {
    on_each_engine(async |world| {
        let (article, fan) = article(world).await;
        let home = world.peer("home.test", &["ann"]);
        let asked = reply(world, &home, "ann", &article, "Does it sail?").await;
        let note = answer(world, "maren", &asked, "It does.").await;
        let late = world.peer("late.test", &["dee"]);
        late.like("dee", &note).await.expect("a like");
        let newcomer = world.peer("new.test", &["eve"]);
        world.follow(&newcomer, "eve", MAREN).await;

        // Twice within one second: `updated` grows all the same (B6), or the peers would complain.
        for text in ["It does not.", "It does not, *sorry*."] {
            let (_, is_new) = author_replies::edit(&world.app, &note, text).await.expect("an edit");
            assert!(is_new);
            world.drain().await;
        }
        let (same, is_new) = author_replies::edit(&world.app, &note, " It does not, *sorry*. ").await.expect("an edit");
        assert!(!is_new);
        world.drain().await;
        for peer in [&home, &fan, &late] {
            assert_eq!(taken(peer, "Update").len(), 2, "{}", peer.host());
        }
        let seen = entry(home.mentions("ann"), &note);
        assert!(seen.edited && seen.text.contains("<em>sorry</em>"), "{}", seen.text);
        assert!(kinds(&newcomer).is_empty(), "who was never sent it hears nothing of its edits (B7)");
        let mut conn = world.app.db.read().await.expect("a connection");
        let history = interaction::store::post_versions(&mut conn, same.id).await.expect("rows");
        drop(conn);
        assert_eq!(history.len(), 3);

        let below = reply(world, &home, "ann", &note, "A pity.").await;
        let create = taken(&home, "Create").pop().expect("a Create").id;
        let gone = author_replies::delete(&world.app, &note).await.expect("deleted");
        world.drain().await;
        for peer in [&home, &fan, &late] {
            assert_eq!(taken(peer, "Delete").pop().expect("a Delete").object_id, note, "{}", peer.host());
        }
        assert!(entry(fan.timeline("cy"), &note).deleted);
        let (status, _, tombstone) = home.fetch(&note).await.expect("an answer");
        assert_eq!((status, &tombstone["type"], &tombstone["formerType"]), (410, &"Tombstone".into(), &"Note".into()));
        for address in [create, format!("{note}/replies"), format!("{note}/likes"), format!("{note}/shares")] {
            assert_eq!(home.fetch(&address).await.expect("an answer").0, 410, "{address}");
        }
        let about = read(&home, &article).await;
        let listed = read(&home, &format!("{}/outbox", about["attributedTo"].as_str().expect("an actor"))).await;
        let page = read(&home, listed["first"].as_str().expect("a page")).await;
        assert!(!page.to_string().contains(&note), "it no longer stands in the outbox");

        // What was said below it has a parent still, of which only the trace is left.
        let told = conversation(world, &gone).await;
        let trace = told.iter().find(|shown| shown.id == note).expect("a trace");
        assert_eq!((trace.state, trace.words.is_none(), trace.author.ours), (State::Deleted, true, true));
        let child = told.iter().find(|shown| shown.id == below).expect("the child");
        assert_eq!((child.parent.as_deref(), child.state), (Some(note.as_str()), State::Shown));
        let context = read(&home, about["context"].as_str().expect("an id")).await;
        assert_eq!(ids(&context["orderedItems"]), [&article, &asked, &below]);
        let why = author_replies::edit(&world.app, &note, "Again").await.expect_err("burned (R4)").to_string();
        assert!(why.contains("burned"), "{why}");
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_was_deleted_unsaid_or_unsent_is_never_told() {
    on_each_engine(async |world| {
        let (article, fan) = article(world).await;
        let unsaid = author_replies::send(&world.app, draft("maren", &article, "Oh no.")).await.expect("an answer");
        author_replies::delete(&world.app, &world.app.urls.note(unsaid.uuid)).await.expect("deleted");
        world.drain().await;
        assert_eq!(kinds(&fan), ["Create"], "nothing was said, so nothing is taken back");

        world.net.set_down("fan.test", true);
        let unsent = answer(world, "maren", &article, "Oh no, again.").await;
        author_replies::delete(&world.app, &unsent).await.expect("deleted");
        world.drain().await;
        world.net.set_down("fan.test", false);
        world.advance(Duration::from_mins(10));
        world.drain().await;
        assert_eq!(kinds(&fan), ["Create", "Delete"], "its Create is withdrawn, its Delete goes");
    })
    .await;
}

#[tokio::test]
async fn the_end_of_an_article_or_of_an_author_is_the_end_of_their_answers() {
    on_each_engine(async |world| {
        let (article, fan) = article(world).await;
        let by_maren = answer(world, "maren", &article, "Mine.").await;
        let by_joris = answer(world, "joris", &article, "His.").await;
        let joris = {
            let mut conn = world.app.db.read().await.expect("a connection");
            let handle = Handle::parse("joris").expect("a handle");
            author::store::actor_by_handle(&mut conn, &handle).await.expect("a row").expect("an actor")
        };
        outbox::actor_deletion::delete_actor(&world.app, joris.id).await.expect("deleted");
        world.drain().await;
        let deleted = |peer: &Peer| taken(peer, "Delete").into_iter().map(|post| post.object_id).collect::<Vec<_>>();
        let told = deleted(&fan);
        let in_order = [by_joris.clone(), joris.url(&world.app.urls)];
        assert!(told.ends_with(&in_order), "first what he said, then he: {told:?}");
        assert_eq!(fan.fetch(&by_joris).await.expect("an answer").0, 410);
        assert_eq!(fan.fetch(&by_maren).await.expect("an answer").0, 200);

        world.sync_removal("ferry").await;
        let told = deleted(&fan);
        assert_eq!(told[told.len() - 2..], [article.clone(), by_maren.clone()]);
        let notes = told.iter().filter(|id| id.contains("/ap/notes/")).count();
        assert_eq!(notes, 2, "each once, though they were fetched with a signature too: {told:?}");
        for id in [article, by_maren] {
            assert_eq!(fan.fetch(&id).await.expect("an answer").0, 410, "{id}");
        }
    })
    .await;
}

/// Interop D6.
#[tokio::test]
async fn who_liked_boosted_or_answered_hears_of_edits_and_the_end_of_the_article() {
    on_each_engine(async |world| {
        let (article, _) = article(world).await;
        let (liker, booster) = (world.peer("liker.test", &["lou"]), world.peer("booster.test", &["bea"]));
        let answerer = world.peer("answerer.test", &["ann"]);
        liker.like("lou", &article).await.expect("a like");
        booster.boost("bea", &article).await.expect("a boost");
        reply(world, &answerer, "ann", &article, "Nice.").await;
        world.site.replace("ferry", "at ten", "at eleven");
        world.publish().await;
        world.sync_removal("ferry").await;
        for peer in [liker, booster, answerer] {
            assert_eq!(kinds(&peer), ["Update", "Delete"], "{}", peer.host());
        }
    })
    .await;
}

#[tokio::test]
async fn who_has_no_shared_inbox_is_told_at_their_own() {
    on_each_engine(async |world| {
        let (article, _) = article(world).await;
        let strict = world.peer_with("gts.test", &["ann"], |settings| settings.shape = PeerShape::GoToSocial);
        let asked = reply(world, &strict, "ann", &article, "Does it sail?").await;
        let note = answer(world, "maren", &asked, "It does.").await;
        author_replies::delete(&world.app, &note).await.expect("deleted");
        world.drain().await;
        // The server's own actor, which fetched the article with its signature, is told of the end as well.
        let personal = strict.received().into_iter().filter(|post| post.inbox == "/users/ann/inbox");
        let told: Vec<_> = personal.map(|post| post.kind).collect();
        assert_eq!(told, ["Create", "Delete"], "each once");
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_as_public_as_what_it_answers() {
    on_each_engine(async |world| {
        world.publish().await;
        let fan = world.peer("fan.test", &["cy"]);
        world.follow(&fan, "cy", MAREN).await;
        let date = world.clock.now().rfc3339();
        world.site.page(
            "quiet",
            &format!("title: Quiet\ndate: {date}\nauthors: [maren]\nfediverse: unlisted"),
            "Hush.",
        );
        world.publish().await;
        let article = taken(&fan, "Create").pop().expect("a Create").object_id;
        let note = answer(world, "maren", &article, "Hush indeed.").await;
        let document = read(&fan, &note).await;
        let followers = format!("{}/followers", document["attributedTo"].as_str().expect("an actor"));
        assert_eq!((ids(&document["to"]), ids(&document["cc"])[0]), (vec![followers.as_str()], PUBLIC), "B8");
        assert_eq!(entry(fan.timeline("cy"), &note).text, "<p>Hush indeed.</p>");
    })
    .await;
}

/// Interop E23: a reply cannot make us call people who take no part.
#[tokio::test]
async fn only_who_takes_part_is_called() {
    on_each_engine(async |world| {
        let (article, fan) = article(world).await;
        let home = world.peer("home.test", &["ann"]);
        let id = format!("{}/statuses/1", home.actor_id("ann"));
        let tags: Vec<Value> = [fan.actor_id("cy"), "https://victim.test/users/vic".to_owned(), "https://social.example.org/ap/instance".to_owned()]
            .map(|href| json!({ "type": "Mention", "href": href, "name": "@cy@fan.test" }))
            .to_vec();
        let note = json!({
            "id": id, "type": "Note", "attributedTo": home.actor_id("ann"), "inReplyTo": article, "content": "<p>All come!</p>",
            "published": "2026-11-02T09:00:00Z", "to": [PUBLIC], "cc": [], "tag": tags,
        });
        let create = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{id}/activity"), "type": "Create",
            "actor": home.actor_id("ann"), "object": note });
        let inbox = "https://social.example.org/ap/inbox";
        let taken = home.post_signed("ann", inbox, &create, &SignOptions::default()).await.expect("an answer");
        assert_eq!(taken.status, 202);
        world.drain().await;
        let note = answer(world, "maren", &id, "No.").await;
        let tags = read(&home, &note).await["tag"].clone();
        assert_eq!(tags, json!([{ "type": "Mention", "href": home.actor_id("ann"), "name": "@ann@home.test" }]));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_answered_says_why_and_what_to_do() {
    on_each_engine(async |world| {
        let (article, _) = article(world).await;
        let home = world.peer("home.test", &["ann", "bob"]);
        let asked = reply(world, &home, "ann", &article, "Does it sail?").await;
        let gone = reply(world, &home, "ann", &article, "Never mind").await;
        home.delete_reply(&gone).await.expect("a Delete");
        world.drain().await;
        let refuse = async |draft: Draft, words: &[&str]| {
            let why = author_replies::send(&world.app, draft).await.expect_err("a refusal").to_string();
            for word in words {
                assert!(why.contains(word), "`{word}` is not in: {why}");
            }
        };
        refuse(draft("nobody", &asked, "Yes"), &["@nobody", "veerpont author list"]).await;
        refuse(draft("community", &asked, "Yes"), &["@community", "as an author"]).await;
        refuse(draft("maren", "https://elsewhere.test/1", "Yes"), &["no conversation", "veerpont reply list"]).await;
        refuse(draft("maren", &format!("{article}x"), "Yes"), &["no conversation"]).await;
        refuse(draft("maren", &gone, "Yes"), &["deleted by its author"]).await;
        refuse(draft("maren", &asked, " "), &["says nothing"]).await;
        refuse(draft("maren", &asked, &"x".repeat(5001)), &["5001 characters", "5000"]).await;
        let klingon = Draft { language: Some("a language".to_owned()), ..draft("maren", &asked, "Yes") };
        refuse(klingon, &["`a language`", "pt-BR"]).await;

        for (state, word) in [(State::Held, "waits for a moderator"), (State::Hidden, "is hidden")] {
            decide(world, &asked, state).await;
            refuse(draft("maren", &asked, "Yes"), &[word, "veerpont reply approve"]).await;
        }
        decide(world, &asked, State::Shown).await;
        let maren = home.lookup(MAREN).await.expect("an actor");
        let block = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": "https://home.test/blocks/1", "type": "Block",
            "actor": home.actor_id("ann"), "object": maren.actor_id });
        home.post_signed("ann", &maren.inbox, &block, &SignOptions::default()).await.expect("an answer");
        world.drain().await;
        refuse(draft("maren", &asked, "Yes"), &["@ann@home.test blocks @maren"]).await;

        let why = author_replies::delete(&world.app, &asked).await.expect_err("not ours").to_string();
        assert!(why.contains("no answer of one of our authors"), "{why}");
        set_frozen(world, "joris").await;
        refuse(draft("joris", &asked, "Yes"), &["opted out", "veerpont author add"]).await;
        world.sync_removal("ferry").await;
        refuse(draft("editors", &asked, "Yes"), &["taken down"]).await;
        refuse(draft("editors", &article, "Yes"), &["taken down"]).await;
        let mut conn = world.app.db.read().await.expect("a connection");
        assert_eq!(post::store::count_unsaid(&mut conn).await.expect("a count"), 0);
        assert_eq!(interaction::store::count_unsaid_notes(&mut conn).await.expect("a count"), 0);
    })
    .await;
}

async fn decide(world: &World, id: &str, state: State) {
    let (id, now) = (id.to_owned(), world.clock.now());
    let decided = world.app.db.write(move |conn| {
        Box::pin(async move {
            let reply = interaction::store::post(conn, &id).await?.expect("a reply");
            interaction::store::decide(conn, reply.id, state, Some("a test"), now).await
        })
    });
    decided.await.expect("decided");
}

async fn set_frozen(world: &World, handle: &str) {
    let (handle, now) = (Handle::parse(handle).expect("a handle"), world.clock.now());
    let frozen = world.app.db.write(move |conn| {
        Box::pin(async move {
            let actor = author::store::actor_by_handle(conn, &handle).await?.expect("an actor");
            author::store::set_frozen(conn, actor.id, Some(now)).await
        })
    });
    frozen.await.expect("frozen");
}
