//! Copies of pictures from elsewhere: which are shown, and what nobody can have us fetch.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::interactions::{like, person, reply, reply_with, set_state};
use super::{Answer, ORIGIN, Site};
use crate::activitypub::incoming::Attachment;
use crate::model::interaction::State;

const GIF: &[u8] = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;";
const HOUR: Duration = Duration::from_hours(1);

/// A picture's path, from where the conversation names it.
async fn path(site: &Site, pointer: &str) -> String {
    let seen: Value = site.get("/api/v1/conversation?key=post/ferry", &[]).await.json();
    let address = seen.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer} in {seen}"));
    address.strip_prefix(ORIGIN).expect("an address of ours").to_owned()
}

async fn see(site: &Site, path: &str) -> Answer {
    site.get(path, &[]).await
}

const AVATAR: &str = "/replies/items/0/author/avatar";

#[tokio::test]
async fn a_picture_is_fetched_once_and_cannot_harm() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 5, None).await;
    let bob = person(&site, "bob").await;
    reply(&site, &article, bob, None, 1).await;
    // What its server calls it counts for nothing.
    site.world.put("https://m.example/bob.png", 200, "text/html", GIF);
    let path = path(&site, AVATAR).await;
    let both = tokio::join!(see(&site, &path), see(&site, &path));
    assert_eq!(site.world.asked(), 1, "one flight for both");
    for answer in [both.0, both.1, see(&site, &path).await] {
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, GIF));
        for (name, value) in [
            ("content-type", "image/gif"),
            ("content-disposition", "attachment; filename=\"picture.gif\""),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "cross-origin"),
            ("cache-control", "public, max-age=86400"),
        ] {
            assert_eq!(answer.header(name), value, "{name}");
        }
    }
    assert_eq!(site.world.asked(), 1);
    let tag = see(&site, &path).await.header("etag").to_owned();
    assert_eq!(site.get(&path, &[("if-none-match", &tag)]).await.status, StatusCode::NOT_MODIFIED);
    site.app.clock.advance(8 * 24 * HOUR);
    see(&site, &path).await;
    assert_eq!(site.world.asked(), 2, "after a week it is looked at again");
    site.world.put("https://m.example/bob.png", 404, "", "");
    site.app.clock.advance(8 * 24 * HOUR);
    assert_eq!(see(&site, &path).await.status, StatusCode::OK, "the old copy serves while there is no new one");
    assert_eq!(site.world.asked(), 3);
}

#[tokio::test]
async fn only_what_stands_in_our_tables_is_fetched() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 5, None).await;
    let bob = person(&site, "bob").await;
    let said = reply(&site, &article, bob, None, 1).await;
    site.world.put("https://m.example/bob.png", 200, "image/gif", GIF);
    site.world.put("https://m.example/view.jpg", 200, "image/gif", GIF);
    let (avatar, preview) = (path(&site, AVATAR).await, path(&site, "/replies/items/0/attachments/0/preview").await);
    let (name, hash) = avatar.rsplit_once('-').expect("a hash");
    for unknown in [
        format!("{name}-{}", "0".repeat(hash.len())),
        format!("{name}-"),
        format!("/pictures/a{}-7-{hash}", said.0),
        format!("/pictures/f1-0-{hash}"),
        "/pictures/https%3A%2F%2Fm.example%2Fbob.png".to_owned(),
        "/pictures/..%2F..%2Fmaster.key".to_owned(),
    ] {
        assert_eq!(see(&site, &unknown).await.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    assert_eq!(site.world.asked(), 0);
    assert_eq!(see(&site, &preview).await.status, StatusCode::OK);
    set_state(&site, said, State::Hidden).await;
    for hidden in [&preview, &avatar] {
        assert_eq!(
            see(&site, hidden).await.status,
            StatusCode::NOT_FOUND,
            "what is hidden shows no pictures, not even copies"
        );
    }
    like(&site, &article, bob, None).await;
    assert_eq!(see(&site, &avatar).await.status, StatusCode::OK, "his like is shown, with his face");
}

#[tokio::test]
async fn what_is_no_picture_is_not_shown_nor_asked_for_at_once_again() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 5, None).await;
    let bob = person(&site, "bob").await;
    reply_with(&site, &article, bob, None, 1, |words| {
        let attachment = |name: &str| Attachment {
            url: format!("https://m.example/{name}"),
            media_type: Some("image/png".to_owned()),
            alt: None,
        };
        words.attachments = ["svg", "html", "large", "pixels", "moved", "home", "round", "nowhere"]
            .iter()
            .map(|name| attachment(name))
            .collect();
    })
    .await;
    let mut pixels = GIF.to_vec();
    pixels[6..10].copy_from_slice(&[0xff; 4]);
    let mut large = GIF.to_vec();
    large.resize(4 * 1024 * 1024 + 1, 0);
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    site.world.put("https://m.example/svg", 200, "image/svg+xml", svg);
    site.world.put("https://m.example/html", 200, "image/png", "<html><script>alert(1)</script>");
    site.world.put("https://m.example/large", 200, "image/gif", large);
    site.world.put("https://m.example/pixels", 200, "image/gif", pixels);
    site.world.put("https://m.example/moved", 302, "/there", "");
    site.world.put("https://m.example/there", 200, "image/gif", GIF);
    site.world.put("https://m.example/home", 302, "http://127.0.0.1/admin.gif", "");
    site.world.put("http://127.0.0.1/admin.gif", 200, "image/gif", GIF);
    site.world.put("https://m.example/round", 302, "/round", "");
    for (number, shown) in [false, false, false, false, true, false, false, false].into_iter().enumerate() {
        let path = path(&site, &format!("/replies/items/0/attachments/{number}/preview")).await;
        let expected = if shown { StatusCode::OK } else { StatusCode::NOT_FOUND };
        assert_eq!(see(&site, &path).await.status, expected, "{number}");
        let asked = site.world.asked();
        assert_eq!(see(&site, &path).await.status, expected, "{number}");
        assert_eq!(site.world.asked(), asked, "{number}: not again so soon");
        site.app.clock.advance(HOUR);
        see(&site, &path).await;
        assert_eq!(site.world.asked() > asked, !shown, "{number}: later again");
    }
}

#[tokio::test]
async fn an_operator_may_leave_pictures_out() {
    let site = Site::configured("[pages]\npictures = \"none\"\n").await;
    let article = site.write("post/ferry", 5, None).await;
    let bob = person(&site, "bob").await;
    reply(&site, &article, bob, None, 1).await;
    let seen = site.get("/api/v1/conversation?key=post/ferry", &[]).await;
    assert!(!seen.text().contains("/pictures/"), "{}", seen.text());
    let page = site.get(&format!("/@ann/{}", article.uuid), &super::BROWSER).await;
    assert!(!page.text().contains("<img"), "{}", page.text());
    let name = format!("/pictures/f{}-0-05e3524b43179aacbfbb", bob.0);
    assert_eq!(see(&site, &name).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.world.asked(), 0);
}
