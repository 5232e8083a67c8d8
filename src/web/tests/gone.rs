//! What is gone says so, everywhere but at an inbox.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::{AS2, BROWSER, Site};
use crate::model::post::Article;

/// Every address at which an article shows.
async fn shows(site: &Site, article: &Article) -> Vec<String> {
    let urls = &site.app.urls;
    let outbox = site.document(&urls.outbox(site.ann.uuid)).await;
    let page = site.document(outbox["first"].as_str().expect("a page")).await;
    let create = page["orderedItems"][0]["id"].as_str().expect("an activity").to_owned();
    vec![
        urls.article(article.uuid),
        urls.replies(article.uuid),
        urls.likes(article.uuid),
        urls.shares(article.uuid),
        urls.context(article.context_uuid),
        create,
    ]
}

async fn assert_gone(site: &Site, article: &Article, shown: &[String]) {
    for id in shown {
        assert_eq!(site.get(id, &AS2).await.status, StatusCode::GONE, "{id}");
    }
    let tombstone = site.get(&shown[0], &AS2).await;
    assert_eq!(tombstone.header("content-type"), "application/activity+json; charset=utf-8");
    assert_eq!(tombstone.json()["type"], "Tombstone");
    assert_eq!(tombstone.json()["formerType"], "Article");
    assert_eq!(tombstone.json()["id"], shown[0].as_str());
    let for_people = site.get(&shown[0], &BROWSER).await;
    assert_eq!(for_people.status, StatusCode::GONE);
    assert!(for_people.text().contains("<h1>Gone</h1>"), "{}", for_people.text());
    let resolve = format!("/ap/resolve?url={}", article.url);
    assert_eq!(site.get(&resolve, &AS2).await.status, StatusCode::GONE);
    assert_eq!(site.document(&site.app.urls.outbox(site.ann.uuid)).await["totalItems"], json!(0));
    assert!(!site.get("/@ann", &BROWSER).await.text().contains(&article.url));
}

#[tokio::test]
async fn a_deleted_article_is_gone_a23() {
    let site = Site::new().await;
    let article = site.write("post/one", 1, None).await;
    site.publish().await;
    let shown = shows(&site, &article).await;
    for id in &shown {
        assert_eq!(site.get(id, &AS2).await.status, StatusCode::OK, "{id}");
    }
    site.take_down(&article).await;
    assert_gone(&site, &article, &shown).await;
}

#[tokio::test]
async fn an_expired_article_is_gone_before_anybody_deletes_it() {
    let site = Site::new().await;
    let until = site.app.clock.now() + Duration::from_mins(1);
    let article = site.write("post/one", 1, Some(until)).await;
    site.publish().await;
    let shown = shows(&site, &article).await;
    site.app.clock.advance(Duration::from_mins(1));
    assert_gone(&site, &article, &shown).await;
}

#[tokio::test]
async fn a_deleted_actor_is_gone_a23() {
    let site = Site::new().await;
    site.delete_ann().await;
    let urls = &site.app.urls;
    let id = site.ann.url(urls);
    let tombstone = site.get(&id, &AS2).await;
    assert_eq!(tombstone.status, StatusCode::GONE);
    assert_eq!(tombstone.json()["type"], "Tombstone");
    assert_eq!(tombstone.json()["formerType"], "Person");
    for path in [
        urls.outbox(site.ann.uuid),
        urls.followers(site.ann.uuid),
        urls.following(site.ann.uuid),
        urls.featured(site.ann.uuid),
        "/@ann".to_owned(),
        "/.well-known/webfinger?resource=acct:ann@example.org".to_owned(),
    ] {
        let answer = site.get(&path, &AS2).await;
        assert_eq!(answer.status, StatusCode::GONE, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
}
