//! A post's page with its conversation: what it shows, and that nothing that strangers write can break it.

use http::StatusCode;

use super::interactions::{answer, boost, like, person, reply, reply_with, set_state};
use super::{AS2, BROWSER, ORIGIN, Site};
use crate::activitypub::incoming::Attachment;
use crate::model::interaction::State;

#[tokio::test]
async fn a_post_is_shown_with_its_conversation() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 5, None).await;
    let (bob, eve) = (person(&site, "bob").await, person(&site, "eve").await);
    let first = reply(&site, &article, bob, None, 10).await;
    let second = reply_with(&site, &article, eve, Some(first), 20, |words| {
        words.content = "<p>A :boat: for <a href=\"https://m.example/@bob\">@bob</a></p>".to_owned();
        words.language = Some("nl".to_owned());
    })
    .await;
    let hidden = reply(&site, &article, eve, None, 30).await;
    answer(&site, &article, Some(hidden), 40).await;
    set_state(&site, hidden, State::Hidden).await;
    like(&site, &article, bob, Some("🎉")).await;
    boost(&site, &article, eve).await;
    let path = format!("/@ann/{}", article.uuid);
    let page = site.get(&path, &BROWSER).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let (text, id) = (page.text(), site.app.urls.article(article.uuid));
    let link = format!(r#"<{id}>; rel="alternate"; type="application/activity+json""#);
    assert_eq!(page.header("link"), link, "for programs that look at headers alone");
    for expected in [
        "<link rel=\"canonical\" href=\"https://example.org/post/ferry/\">".to_owned(),
        format!("<link rel=\"alternate\" type=\"application/activity+json\" href=\"{id}\">"),
        "<meta name=\"fediverse:creator\" content=\"@ann@example.org\">".to_owned(),
        "<meta property=\"og:title\" content=\"Vec&#60;T&#62; &#38; co: post/ferry\">".to_owned(),
        "<p>Long.</p>".to_owned(),
        "<p>Said at 10</p>".to_owned(),
        format!("<li id=\"r{second}\" class=\"step1\">"),
        "This reply is not there any more.".to_owned(),
        "rel=\"nofollow noopener ugc\">@bob</a>".to_owned(),
        "<article lang=\"nl\">".to_owned(),
        "<span class=\"reaction\">🎉</span>".to_owned(),
        "3 replies · 1 like · 1 boost".to_owned(),
        format!("href=\"/reply?id={}\"", id.replace(':', "%3A").replace('/', "%2F")),
        "<span class=\"badge\">Author</span>".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected} is missing in {text}");
    }
    assert!(!text.contains("Said at 30"), "hidden words are not there");
    assert!(text.contains("eve &lt;b&gt;<img class=\"sign\" src=\"/pictures/n"), "names show their emoji: {text}");
    let data =
        text.split("<script type=\"application/ld+json\">").nth(1).and_then(|rest| rest.split("</script>").next());
    let data: serde_json::Value = serde_json::from_str(data.expect("data")).expect("JSON");
    assert_eq!((data["@type"].as_str(), data["commentCount"].as_u64()), (Some("DiscussionForumPosting"), Some(3)));
    assert_eq!(data["comment"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_post_has_one_address() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 5, None).await;
    let id = site.app.urls.article(article.uuid);
    let there = site.get(&format!("/@ann/{}", article.uuid), &AS2).await;
    assert_eq!((there.status, there.header("location")), (StatusCode::FOUND, id.as_str()), "A22");
    let other = site.get(&format!("/@Ann/{}", article.uuid), &BROWSER).await;
    assert_eq!(other.header("location"), format!("{ORIGIN}/@ann/{}", article.uuid));
    for unknown in [
        format!("/@sailors/{}", article.uuid),
        "/@ann/00000000-0000-4000-8000-000000000000".to_owned(),
        "/@ann/x".to_owned(),
    ] {
        assert_eq!(site.get(&unknown, &BROWSER).await.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    let bad = site.get(&format!("/@ann/{}?from=x", article.uuid), &BROWSER).await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    site.take_down(&article).await;
    assert_eq!(site.get(&format!("/@ann/{}", article.uuid), &BROWSER).await.status, StatusCode::GONE);
}

#[tokio::test]
async fn strangers_cannot_break_the_page() {
    const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)><style>*{}</style></script>";
    let site = Site::new().await;
    let article = site.write("post/ferry", 5, None).await;
    let bob = person(&site, "bob").await;
    // As if all of it had come past the cleaner when it was stored.
    reply_with(&site, &article, bob, None, 1, |words| {
        words.content = format!("<p onclick=alert(1)>{EVIL}<a href=\"javascript:alert(1)\">x</a></p></article></ol>");
        words.title = Some(EVIL.to_owned());
        words.warning = Some(EVIL.to_owned());
        words.options = vec![EVIL.to_owned()];
        words.language = Some("\" onload=\"alert(1)".to_owned());
        words.url = "javascript:alert(1)".to_owned();
        words.attachments = vec![
            Attachment { url: "javascript:alert(1)".to_owned(), media_type: None, alt: Some(EVIL.to_owned()) },
            Attachment { url: "https://m.example/x".to_owned(), media_type: Some(EVIL.to_owned()), alt: None },
            Attachment {
                url: "https://m.example/x.png".to_owned(),
                media_type: Some("image/png".to_owned()),
                alt: Some(EVIL.to_owned()),
            },
        ];
    })
    .await;
    like(&site, &article, bob, Some("<b>")).await;
    let page = site.get(&format!("/@ann/{}", article.uuid), &BROWSER).await;
    let text = page.text();
    assert_eq!(text.matches("<script").count(), 1, "only the data for search engines: {text}");
    assert_eq!(text.matches("</script").count(), 1, "{text}");
    let tags = regex::Regex::new(r#"<[a-z][^<>"]*(?:"[^"]*"[^<>"]*)*>"#).expect("a pattern");
    let values = regex::Regex::new(r#""[^"]*""#).expect("a pattern");
    for tag in tags.find_iter(text) {
        let bare = values.replace_all(tag.as_str(), "\"\"").into_owned();
        assert!(!bare.contains(" on") && !bare.contains("style"), "{}", tag.as_str());
        assert!(!tag.as_str().contains("=\"javascript:"), "{}", tag.as_str());
    }
    assert_eq!(text.matches("</article>").count(), 2, "the reply ends where it ends");
}

#[tokio::test]
async fn much_is_shown_as_much_as_fits() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 5, None).await;
    let bob = person(&site, "bob").await;
    let mentions: Vec<String> = (0..10_000).map(|n| format!("<a href=\"https://m.example/@u{n}\">@u{n}</a>")).collect();
    let mentions = mentions.join(" ");
    reply_with(&site, &article, bob, None, 1, |words| words.content = mentions).await;
    reply_with(&site, &article, bob, None, 2, |words| words.content = format!("<p>{}</p>", "x".repeat(1_000_000)))
        .await;
    reply_with(&site, &article, bob, None, 3, |words| words.content = "<blockquote>".repeat(1000)).await;
    let page = site.get(&format!("/@ann/{}", article.uuid), &BROWSER).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.len() < 250_000, "{} bytes", page.body.len());
    assert_eq!(page.text().matches("https://m.example/@u").count(), 100, "so many links, and no more");
    for minute in 10..25 {
        reply_with(&site, &article, bob, None, minute, |words| {
            words.content = format!("<p>{}</p>", "y".repeat(99_000));
        })
        .await;
    }
    let page = site.get(&format!("/@ann/{}", article.uuid), &BROWSER).await;
    assert!(page.body.len() < 2_200_000, "{} bytes", page.body.len());
    assert!(page.text().contains("rel=\"next\""), "the rest is on the next page");
}
