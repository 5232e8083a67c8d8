//! The follow and reply dialogs: where they lead each reader, and where they lead nobody.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;
use url::form_urlencoded;

use super::interactions::{person, reply, reply_with, set_state};
use super::{Answer, BROWSER, Site};
use crate::model::interaction::State;

async fn enter(site: &Site, path: &str, from: &str) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).append_pair("from", from).finish();
    let request =
        Request::post(path).header("content-type", "application/x-www-form-urlencoded").header("accept", "text/html");
    site.ask(request.body(Body::from(body)).expect("a request")).await
}

fn encoded(id: &str) -> String {
    id.replace(':', "%3A").replace('/', "%2F")
}

const WEBFINGER: &str = "https://m.example/.well-known/webfinger?resource=acct%3Ayou%40m.example";

#[tokio::test]
async fn each_kind_of_server_is_led_to() {
    let site = Site::new().await;
    let ann = encoded(&site.ann.url(&site.app.urls));
    let subscribe =
        json!({ "rel": "http://ostatus.org/schema/1.0/subscribe", "template": "https://m.example/auth?uri={uri}" });
    let object =
        json!({ "rel": "https://w3id.org/fep/3b86/Object", "template": "https://m.example/object?o={object}" });
    let evil =
        json!({ "rel": "http://ostatus.org/schema/1.0/subscribe", "template": "https://evil.example/?uri={uri}" });
    for (links, expected) in [
        (json!([subscribe]), format!("https://m.example/auth?uri={ann}")),
        (json!([subscribe, object]), format!("https://m.example/object?o={ann}")),
        (json!([]), format!("https://m.example/authorize_interaction?uri={ann}")),
        (json!([evil]), format!("https://m.example/authorize_interaction?uri={ann}")),
    ] {
        site.world.put(
            WEBFINGER,
            200,
            "application/jrd+json",
            json!({ "subject": "acct:you@m.example", "links": links }).to_string(),
        );
        let answer = enter(&site, "/follow/ann", "@you@m.example").await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, expected.as_str()));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    // A domain of handles alone, which leads to where the accounts live.
    let there = "https://social.m.example/.well-known/webfinger?resource=acct:you@m.example";
    site.world.put(WEBFINGER, 301, there, "");
    let links = json!([{ "rel": "http://ostatus.org/schema/1.0/subscribe", "template": "https://social.m.example/auth?uri={uri}" }]);
    site.world.put(there, 200, "application/jrd+json", json!({ "links": links }).to_string());
    let answer = enter(&site, "/follow/@ann@example.org", "you@m.example").await;
    assert_eq!(answer.header("location"), format!("https://social.m.example/auth?uri={ann}"));
    // A server alone is not asked.
    let asked = site.world.asked();
    let answer = enter(&site, "/follow/ann", "M.example").await;
    assert_eq!(answer.header("location"), format!("https://m.example/authorize_interaction?uri={ann}"));
    assert_eq!(site.world.asked(), asked);
}

#[tokio::test]
async fn who_cannot_be_led_is_told_why() {
    let site = Site::new().await;
    site.world.put("https://m.example/.well-known/webfinger?resource=acct%3Anobody%40m.example", 404, "text/plain", "");
    site.world.put(
        "https://broken.example/.well-known/webfinger?resource=acct%3Ayou%40broken.example",
        200,
        "text/html",
        "<html>",
    );
    for (from, expected) in [
        ("", "That is no handle"),
        ("you", "That is no handle"),
        ("javascript:alert(1)", "That is no handle"),
        ("you@example.org", "Nobody logs in here"),
        ("social.example.org", "Nobody logs in here"),
        ("nobody@m.example", "m.example knows nobody called nobody"),
        ("you@down.example", "down.example does not answer"),
        ("you@broken.example", "broken.example does not answer"),
        ("you@127.0.0.1", "127.0.0.1 does not answer"),
        ("you@m.example:8080", "m.example:8080 does not answer"),
    ] {
        let answer = enter(&site, "/follow/ann", from).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{from}");
        assert!(answer.text().contains(expected), "{from}: {}", answer.text());
        assert!(answer.text().contains("role=\"alert\""), "{from}");
    }
    let hostile = enter(&site, "/follow/ann", "\"><script>alert(1)</script>").await;
    assert!(!hostile.text().contains("<script>alert"), "{}", hostile.text());
    let long = enter(&site, "/follow/ann", &"x".repeat(5000)).await;
    assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn nobody_makes_us_ask_without_end() {
    let site = Site::new().await;
    for _ in 0..10 {
        enter(&site, "/follow/ann", "you@down.example").await;
    }
    let answer = enter(&site, "/follow/ann", "you@down.example").await;
    assert_eq!((answer.status, site.world.asked()), (StatusCode::TOO_MANY_REQUESTS, 10));
    assert!(!answer.header("retry-after").is_empty());
    site.app.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(enter(&site, "/follow/ann", "you@down.example").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_is_shown_can_be_answered_and_nothing_else() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 5, None).await;
    let bob = person(&site, "bob").await;
    reply_with(&site, &article, bob, None, 1, |words| words.content = "<p>Nice <b>boat</b> &amp; all</p>".to_owned())
        .await;
    let hidden = reply(&site, &article, bob, None, 2).await;
    set_state(&site, hidden, State::Hidden).await;
    let id = site.app.urls.article(article.uuid);
    for (asked, expected) in
        [(id.as_str(), "Answer Ann de Vries"), ("https://m.example/notes/1-0", "Nice boat &#38; all")]
    {
        let page = site.get(&format!("/reply?id={}", encoded(asked)), &BROWSER).await;
        assert_eq!(page.status, StatusCode::OK, "{asked}");
        assert!(page.text().contains(expected), "{asked}: {}", page.text());
        let answer = enter(&site, &format!("/reply?id={}", encoded(asked)), "m.example").await;
        assert_eq!(
            answer.header("location"),
            format!("https://m.example/authorize_interaction?uri={}", encoded(asked))
        );
    }
    for (path, status) in [
        ("/reply", StatusCode::BAD_REQUEST),
        ("/reply?id=https://m.example/notes/2-1", StatusCode::NOT_FOUND),
        ("/reply?id=https://m.example/other", StatusCode::NOT_FOUND),
        ("/follow/bob", StatusCode::NOT_FOUND),
        ("/follow/ann@elsewhere.example", StatusCode::NOT_FOUND),
        ("/follow/instance", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(site.get(path, &BROWSER).await.status, status, "{path}");
    }
    site.take_down(&article).await;
    for gone in [id.as_str(), "https://m.example/notes/1-0"] {
        assert_eq!(site.get(&format!("/reply?id={gone}"), &BROWSER).await.status, StatusCode::GONE, "{gone}");
    }
}

#[tokio::test]
async fn the_dialog_speaks_the_readers_language() {
    let site = Site::new().await;
    for name in ["ann", "@ann", "Ann@example.org", "sailors"] {
        let page = site.get(&format!("/follow/{name}"), &BROWSER).await;
        assert_eq!(page.status, StatusCode::OK, "{name}");
        assert!(page.text().contains("<html lang=\"en\"") && page.text().contains("Take me there"), "{}", page.text());
    }
    let dutch = [("accept", "text/html"), ("accept-language", "nl,en;q=0.5")];
    let page = site.get("/follow/ann", &dutch).await;
    assert_eq!((page.header("content-language"), page.header("vary")), ("nl", "accept, accept-language"));
    assert!(page.text().contains("<html lang=\"nl\"") && page.text().contains("Breng me erheen"), "{}", page.text());
    let error = site.get("/nowhere", &dutch).await;
    assert!(error.text().contains("<h1>Niet gevonden</h1>"), "{}", error.text());
}
