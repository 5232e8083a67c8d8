//! Conversations as JSON, in both shapes: what is shown, what is not, and what nobody can make of them.

use http::StatusCode;
use serde_json::{Value, json};

use super::interactions::{answer, boost, like, person, person_called, reply, reply_with, set_state};
use super::{BROWSER, ORIGIN, Site};
use crate::activitypub::incoming::Mention;
use crate::model::interaction::State;

#[tokio::test]
async fn a_conversation_is_read_by_page_key_or_id() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 1, None).await;
    let id = site.app.urls.article(article.uuid);
    let whole = site.get(&format!("/api/v1/conversation?id={id}"), &[]).await;
    assert_eq!(whole.status, StatusCode::OK, "{}", whole.text());
    assert_eq!(whole.header("access-control-allow-origin"), "*");
    assert_eq!(whole.header("content-type"), "application/json");
    for question in [
        "url=https://example.org/post/ferry/",
        "url=https%3A%2F%2Fexample.org%2Fpost%2Fferry",
        "url=https://example.org/post/ferry/?utm_source%3Dmail%26x%3D1%23top",
        "url=http://EXAMPLE.org/post/ferry/index.html",
        "key=post/ferry",
        "key=post/ferry&source=site",
    ] {
        let answer = site.get(&format!("/api/v1/conversation?{question}"), &[]).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, whole.json()), "{question}");
    }
    for (question, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("url=https://example.org/other/", StatusCode::NOT_FOUND),
        ("key=other", StatusCode::NOT_FOUND),
        ("key=post/ferry&source=other", StatusCode::NOT_FOUND),
        ("id=https://elsewhere.example/1", StatusCode::NOT_FOUND),
        ("key=post/ferry&from=-1", StatusCode::BAD_REQUEST),
        ("key=post/ferry&from=99999999999999999999", StatusCode::BAD_REQUEST),
    ] {
        let answer = site.get(&format!("/api/v1/conversation?{question}"), &[]).await;
        assert_eq!(answer.status, status, "{question}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{question}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{question}");
    }
    site.take_down(&article).await;
    assert_eq!(site.get("/api/v1/conversation?key=post/ferry", &[]).await.status, StatusCode::GONE);
}

/// A conversation with something of everything.
async fn talked() -> (Site, String) {
    let site = Site::new().await;
    let article = site.write("post/ferry", 5, None).await;
    let (bob, eve) = (person(&site, "bob").await, person(&site, "eve").await);
    let first = reply_with(&site, &article, bob, None, 10, |words| {
        words.content = "<p>Nice :boat:<script>alert(1)</script> <img src=x onerror=alert(1)></p>".to_owned();
        words.warning = Some("boats".to_owned());
        words.language = Some("nl".to_owned());
    })
    .await;
    let second = reply(&site, &article, eve, Some(first), 20).await;
    let third = reply(&site, &article, bob, Some(second), 30).await;
    reply(&site, &article, eve, None, 40).await;
    let held = reply(&site, &article, eve, None, 50).await;
    set_state(&site, second, State::Hidden).await;
    set_state(&site, held, State::Held).await;
    answer(&site, &article, Some(third), 60).await;
    like(&site, &article, bob, Some("🎉")).await;
    like(&site, &article, eve, None).await;
    boost(&site, &article, eve).await;
    (site, article.uuid.to_string())
}

#[tokio::test]
async fn what_is_shown_is_shown_and_nothing_else() {
    let (site, _) = talked().await;
    let seen = site.get("/api/v1/conversation?key=post/ferry", &[]).await;
    let text = seen.text();
    assert!(!text.contains("script") && !text.contains("onerror"), "E22: {text}");
    assert!(!text.contains("m.example/notes/50"), "the held one is not there");
    insta::assert_json_snapshot!(redacted(&site, &seen.json()));
}

/// Without names that differ from run to run.
fn redacted(site: &Site, value: &Value) -> Value {
    let mut text = value.to_string();
    let uuids = regex::Regex::new("[0-9a-f]{8}-[0-9a-f-]{27}").expect("a pattern");
    text = uuids.replace_all(&text, "UUID").into_owned();
    let names = regex::Regex::new("/pictures/([a-z])[0-9]+-").expect("a pattern");
    text = names.replace_all(&text, "/pictures/${1}ROW-").into_owned();
    let rows = regex::Regex::new(r#""[0-9]{15,}(-[0-9]+)?""#).expect("a pattern");
    let mut known: Vec<String> = Vec::new();
    text = rows
        .replace_all(&text, |found: &regex::Captures<'_>| {
            let row = found[0].to_owned();
            let at = known.iter().position(|one| *one == row).unwrap_or_else(|| {
                known.push(row);
                known.len() - 1
            });
            format!("\"ROW {at}\"")
        })
        .into_owned();
    assert!(!site.app.urls.origin().is_empty());
    serde_json::from_str(&text).expect("JSON still")
}

#[tokio::test]
async fn widgets_made_for_mastodon_read_it_too() {
    let (site, uuid) = talked().await;
    let read = async |part: &str| {
        let answer = site.get(&format!("/api/v1/statuses/{uuid}{part}"), &[]).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, "*"), "{part}");
        answer.json()
    };
    let context = read("/context").await;
    let descendants = context["descendants"].as_array().expect("a list");
    assert_eq!(descendants.len(), 4, "{context}");
    assert_eq!(descendants[0]["in_reply_to_id"], uuid.as_str());
    assert_eq!(
        descendants[1]["in_reply_to_id"], descendants[0]["id"],
        "what it answered is hidden: it answers the one above"
    );
    assert_eq!(descendants[0]["replies_count"], 1);
    insta::assert_json_snapshot!(redacted(
        &site,
        &json!({
            "status": read("").await,
            "context": context,
            "favourited_by": read("/favourited_by").await,
            "reblogged_by": read("/reblogged_by").await,
        })
    ));
    assert_eq!(read("/favourited_by?limit=1").await.as_array().expect("a list").len(), 1);
    for bad in ["/api/v1/statuses/1/context", "/api/v1/statuses/00000000-0000-4000-8000-000000000000"] {
        assert_eq!(site.get(bad, &[]).await.status, StatusCode::NOT_FOUND, "{bad}");
    }
    let bad = site.get(&format!("/api/v1/statuses/{uuid}/favourited_by?limit=x"), &[]).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_unchanged_conversation_is_not_sent_again() {
    let (site, _) = talked().await;
    let path = "/api/v1/conversation?key=post/ferry";
    let first = site.get(path, &[]).await;
    let known = [("if-none-match", first.header("etag"))];
    let again = site.get(path, &known).await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(again.header("access-control-allow-origin"), "*");
    let mut conn = site.app.db.read().await.expect("a connection");
    let article = crate::model::interaction::named::article_of_page(&mut conn, "https://example.org/post/ferry/")
        .await
        .expect("a row");
    drop(conn);
    let ivo = person(&site, "ivo").await;
    boost(&site, &article.expect("an article"), ivo).await;
    assert_eq!(site.get(path, &known).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_long_conversation_comes_in_pages_each_parent_first() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 5, None).await;
    let bob = person(&site, "bob").await;
    let mut last = None;
    for number in 0..250 {
        // Every second one claims to be older than what it answers.
        let minute = if number % 2 == 0 { number } else { 0 };
        last = Some(
            reply_with(&site, &article, bob, last.filter(|_| number % 10 != 0), minute, |words| {
                words.url = format!("https://m.example/{number}");
            })
            .await,
        );
    }
    let (mut path, mut seen, mut pages) = ("/api/v1/conversation?key=post/ferry".to_owned(), Vec::new(), 0);
    loop {
        let page = site.get(&path, &[]).await.json();
        assert_eq!(page["replies"]["total"], 250);
        for item in page["replies"]["items"].as_array().expect("a list") {
            if let Some(parent) = item["parent"].as_str() {
                assert!(seen.contains(&parent.to_owned()), "{parent} comes after its answer");
            }
            seen.push(item["id"].as_str().expect("an id").to_owned());
        }
        pages += 1;
        let Some(next) = page["replies"]["next"].as_str() else { break };
        path = next.strip_prefix(ORIGIN).expect("an address of ours").to_owned();
    }
    assert_eq!((pages, seen.len()), (2, 250));
    let address = format!("/@ann/{}", article.uuid);
    let first = site.get(&address, &BROWSER).await;
    assert_eq!(first.text().matches("<li id=\"r").count(), 200);
    assert!(first.text().contains("?from=200#conversation"), "{}", first.text());
    let second = site.get(&format!("{address}?from=200"), &BROWSER).await;
    assert_eq!(second.text().matches("<li id=\"r").count(), 50);
    assert!(!second.text().contains("class=\"step5"), "set in four steps at most");
}

/// Whoever wants to be taken for somebody else, with what page, JSON and widgets' JSON say of them.
#[tokio::test]
async fn no_name_deceives() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 1, None).await;
    let users = [
        "gargron@masto.test",
        "gargron@masto.test\u{200b}\u{3164}",
        "ann\u{202e}tset",
        "<img src=x onerror=alert(1)>",
        "g\u{430}rgron",
        "",
    ];
    for (n, user) in users.iter().enumerate() {
        let who =
            person_called(&site, &format!("u{n}"), user, "\u{202e}\u{2066}moderator\u{200b}\u{ad}\n<b>x</b>").await;
        reply_with(&site, &article, who, None, u64::try_from(n).expect("few"), |words| {
            let named =
                |name: &str| Mention { href: "https://m.example/users/eve".to_owned(), name: Some(name.to_owned()) };
            words.mentions = vec![
                named("@gargron@masto.test"),
                named("<img src=x onerror=alert(1)>"),
                named("@a\u{202e}b@m.example"),
            ];
        })
        .await;
    }
    let nobody = person_called(&site, "blank", "blank", "\u{200b}\u{3164} \u{2800}").await;
    like(&site, &article, nobody, None).await;

    let read = async |path: &str| site.get(path, &[]).await.json();
    let own = read("/api/v1/conversation?key=post/ferry").await;
    for reply in own["replies"]["items"].as_array().expect("a list") {
        assert_eq!(reply["author"]["handle"], "@unnamed@m.example", "{reply}");
        assert_eq!(reply["author"]["name"], "moderator <b>x</b>", "text, and straight");
    }
    assert_eq!(own["likes"]["people"][0]["name"], "blank", "a name that nobody sees is none");
    let context = read(&format!("/api/v1/statuses/{}/context", article.uuid)).await;
    for status in context["descendants"].as_array().expect("a list") {
        let account = &status["account"];
        assert_eq!((&account["username"], &account["acct"]), (&json!("unnamed"), &json!("unnamed@m.example")));
        let named: Vec<&Value> =
            status["mentions"].as_array().expect("a list").iter().map(|one| &one["acct"]).collect();
        assert_eq!(
            named,
            ["gargron@m.example", "unnamed@m.example", "unnamed@m.example"],
            "the host is that of the link"
        );
    }
    let page = site.get(&format!("/@ann/{}", article.uuid), &BROWSER).await;
    let deceiving = |c: char| matches!(c, '\u{202e}' | '\u{2066}' | '\u{200b}' | '\u{3164}' | '\u{ad}');
    assert!(!page.text().contains("masto.test") && !page.text().contains(deceiving), "{}", page.text());
}
