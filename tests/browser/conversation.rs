//! What people say under the posts, sent by their servers: a conversation with everything in it, and a crowd.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::elsewhere::{HARBOUR, LIGHTHOUSE, SHORE, looks, picture};
use crate::stage::{Post, Said, Stage};

const BOB: &str = "bob@lighthouse.example";
const CHIOMA: &str = "chioma@lighthouse.example";
const LAYLA: &str = "layla@lighthouse.example";
const DIRK: &str = "dirk@shore.example";
const MIA: &str = "mia@shore.example";
const OTTO: &str = "otto@harbour.example";
const EVE: &str = "eve@harbour.example";

/// Who only likes.
const CROWD: [(&str, &str); 9] = [
    ("noor", "Noor"),
    ("otto", "Otto"),
    ("eve", "Eve"),
    ("priya", "Priya"),
    ("quinn", "Quinn"),
    ("rosa", "Rosa"),
    ("sven", "Sven"),
    ("tala", "Tala"),
    ("vera", "Vera"),
];

/// Replies in the crowd: more than a page holds.
pub(crate) const CROWDED: u64 = 250;

/// Everybody with their looks, by server.
pub(crate) fn people() -> HashMap<&'static str, HashMap<&'static str, Value>> {
    let mut bob = looks(LIGHTHOUSE, "Bob :blobboat:", Some("bob.png"));
    bob["tag"] = json!([boat()]);
    HashMap::from([
        (
            LIGHTHOUSE,
            HashMap::from([
                ("bob", bob),
                ("chioma", looks(LIGHTHOUSE, "Chioma Okafor", Some("chioma.png"))),
                ("layla", looks(LIGHTHOUSE, "ليلى حسن", Some("layla.png"))),
            ]),
        ),
        (SHORE, HashMap::from([("dirk", looks(SHORE, "", None)), ("mia", looks(SHORE, "Mia", Some("mia.png")))])),
        (HARBOUR, CROWD.into_iter().map(|(user, name)| (user, looks(HARBOUR, name, None))).collect()),
    ])
}

fn boat() -> Value {
    json!({ "type": "Emoji", "name": ":blobboat:", "icon": { "type": "Image", "url": picture(LIGHTHOUSE, "boat.png") } })
}

fn image(name: &str, alt: &str) -> Value {
    json!([{ "type": "Document", "mediaType": "image/png", "url": picture(SHORE, name), "name": alt }])
}

/// What stands under the post about the bell: thirteen replies that are shown and one that is not.
pub(crate) async fn conversation(stage: &Stage, post: &Post) {
    let say = async |by: &str, to: &str, minute: u64, words: &str, more: Value| {
        stage.say(Said { by, to, minute, words, more }).await
    };
    let article = post.article.as_str();
    let link = r#"Timetable: <a href="https://ferry.example/timetable" rel="nofollow"><span class="invisible">https://</span><span class="ellipsis">ferry.example/timet</span><span class="invisible">able</span></a>"#;
    let first = format!(
        "<p>I took the first crossing this morning. <strong>Twelve minutes</strong>, and the captain still rings it :blobboat:</p><p>{link}</p>"
    );
    let crossing = say(BOB, article, 14, &first, json!({ "tag": [boat()] })).await;
    let crowded = say(CHIOMA, &crossing, 21, "<p>Was it crowded?</p>", json!({})).await;
    let words = "<p>Was it crowded? I am thinking of going with two bicycles and a dog.</p>";
    stage.say_again(&crowded, Said { by: CHIOMA, to: &crossing, minute: 21, words, more: json!({}) }).await;
    stage.shows(post, &crowded).await;
    let answer = "Bicycles ride for free until May. *The dog has to ask the captain.*";
    let free = stage.author_answers("maren-oldham", &crowded, answer).await;
    let dog = json!({ "contentMap": { "nl": "<p>De hond mag mee, zolang hij niet aan het roer zit.</p>" } });
    let steers = say(DIRK, &free, 55, "<p>De hond mag mee, zolang hij niet aan het roer zit.</p>", dog).await;
    let sundays = say(CHIOMA, &steers, 58, "<p>He only steers on Sundays.</p>", json!({})).await;
    say(BOB, &sundays, 62, "<p>Then I shall travel on Mondays.</p>", json!({})).await;
    let arabic = "<p>كانت الرحلة جميلة، والنهر هادئ. شكرا على المقال!</p>";
    say(LAYLA, article, 70, arabic, json!({ "contentMap": { "ar": arabic } })).await;
    let novel = "<p>In the last paragraph of the book the ferry sinks and the bell is found by a child.</p>";
    say(MIA, article, 80, novel, json!({ "summary": "How the novel ends", "sensitive": true })).await;
    let gone = say(OTTO, article, 85, "<p>Ring it at six, too. I never said this.</p>", json!({})).await;
    say(CHIOMA, &gone, 90, "<p>I agree, and would add that the old landing deserves a plaque.</p>", json!({})).await;
    let mut landing = image("landing.png", "A white ferry on still water");
    let bell = json!({ "type": "Document", "mediaType": "audio/mpeg", "url": picture(SHORE, "bell.mp3"), "name": "The bell, ringing twice" });
    landing.as_array_mut().expect("a list").push(bell);
    say(MIA, article, 100, "<p>The crossing at seven, from the bridge:</p>", json!({ "attachment": landing })).await;
    let gull = json!({ "sensitive": true, "attachment": image("gull.png", "A gull with half a sandwich") });
    say(DIRK, article, 110, "<p>What was left of my sandwich.</p>", gull).await;
    let choices = ["The first, with the bell", "The last, with the lights", "I swim"];
    let poll = json!({ "type": "Question", "oneOf": choices.map(|name| json!({ "type": "Note", "name": name })) });
    say(BOB, article, 120, "<p>Which crossing will you take?</p>", poll).await;
    let pills = say(EVE, article, 130, "<p>Cheap pills for seasick captains</p>", json!({})).await;
    opinions(stage, article).await;

    stage.shows(post, &pills).await;
    stage.hide(&pills).await;
    let tombstone = json!({ "id": gone, "type": "Tombstone" });
    stage.tell(OTTO, "Delete", tombstone).await;
    stage
        .until(&post.url, |told| {
            let total = |what: &str| told[what]["total"].as_u64();
            (total("replies"), total("likes"), total("boosts")) == (Some(12), Some(14), Some(3))
        })
        .await;
}

async fn opinions(stage: &Stage, article: &str) {
    for who in [CHIOMA, LAYLA, MIA, DIRK] {
        stage.tell(who, "Like", article).await;
    }
    stage.tell_more(BOB, "EmojiReact", article, &json!({ "content": "🎉" })).await;
    for (user, _) in CROWD {
        stage.tell(&format!("{user}@{HARBOUR}"), "Like", article).await;
    }
    for who in [CHIOMA, LAYLA, MIA] {
        stage.tell(who, "Announce", article).await;
    }
}

/// More replies than a page holds; each tenth answers the one before it.
pub(crate) async fn crowd(stage: &Stage, post: &Post) {
    let mut before = post.article.clone();
    for n in 1..=CROWDED {
        let (user, _) = CROWD[usize::try_from(n).expect("a number") % CROWD.len()];
        let to = if n % 10 == 0 { &before } else { &post.article };
        let (by, words) = (format!("{user}@{HARBOUR}"), format!("<p>Remark {n}, with a cake</p>"));
        before = stage.say(Said { by: &by, to, minute: n, words: &words, more: json!({}) }).await;
    }
    stage.until(&post.url, |told| told["replies"]["total"].as_u64() == Some(CROWDED)).await;
}
