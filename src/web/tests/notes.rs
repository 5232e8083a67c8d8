//! An author's answer is read at its id: by programs, and by people below the article.

use clock::Timestamp;
use http::StatusCode;

use super::{AS2, BROWSER, ORIGIN, Site};
use crate::base::ids::Ids;
use crate::federation::outbox::author_replies::{self, Draft};
use crate::model::post::Article;

/// An article of @ann's with an answer of hers: its id.
async fn answered(site: &Site, until: Option<Timestamp>) -> (Article, String) {
    let article = site.write("post/one", 1, until).await;
    let to = site.app.urls.article(article.uuid);
    let draft = Draft { author: site.ann.handle.clone(), to, text: "It *sails*.".to_owned(), language: None };
    let note = author_replies::send(&site.app, draft).await.expect("an answer");
    site.publish().await;
    (article, site.app.urls.note(note.uuid))
}

#[tokio::test]
async fn programs_read_the_note_and_people_the_page_a21() {
    let site = Site::new().await;
    let (article, id) = answered(&site, None).await;
    let note = site.document(&id).await;
    assert_eq!((&note["id"], &note["url"]), (&id.as_str().into(), &id.as_str().into()));
    assert_eq!(note["inReplyTo"], site.app.urls.article(article.uuid).as_str());
    assert_eq!(note["contentMap"]["nl"], "<p>It <em>sails</em>.</p>", "the language of the article");
    let page = site.get(&id, &BROWSER).await;
    assert_eq!(page.status, StatusCode::FOUND);
    let (place, anchor) = page.header("location").split_once('#').expect("the answer's own place");
    assert_eq!(place, format!("{ORIGIN}/@ann/{}", article.uuid));
    assert!(site.get(place, &BROWSER).await.text().contains(&format!("<li id=\"{anchor}\"")), "{anchor}");
    for part in ["replies", "likes", "shares"] {
        let collection = site.document(&format!("{id}/{part}")).await;
        assert_eq!((&collection["id"], &collection["type"]), (&note[part]["id"], &"Collection".into()));
        assert_eq!(collection["totalItems"], 0);
    }
    assert_eq!(site.get(&format!("{id}/replies?from=x"), &AS2).await.status, StatusCode::BAD_REQUEST);
    let outbox = site.document(&site.app.urls.outbox(site.ann.uuid)).await;
    assert_eq!(outbox["totalItems"], 2);
    assert_eq!(site.document(&site.app.urls.article(article.uuid)).await["replies"]["first"]["items"][0], id.as_str());
    let unknown = site.app.urls.note(Ids::uuid());
    for address in [unknown.clone(), format!("{unknown}/replies"), format!("{id}/"), format!("{id}/shares/x")] {
        assert_eq!(site.get(&address, &AS2).await.status, StatusCode::NOT_FOUND, "{address}");
    }
}

#[tokio::test]
async fn an_answer_is_gone_with_its_article_before_anybody_says_so_a23() {
    let site = Site::new().await;
    let (article, id) = answered(&site, None).await;
    site.take_down(&article).await;
    for address in [id.clone(), format!("{id}/replies"), format!("{id}/likes")] {
        assert_eq!(site.get(&address, &AS2).await.status, StatusCode::GONE, "{address}");
    }
    let tombstone = site.get(&id, &AS2).await.json();
    assert_eq!((&tombstone["type"], &tombstone["formerType"]), (&"Tombstone".into(), &"Note".into()));
    site.publish().await;
    assert_eq!(site.document(&site.app.urls.outbox(site.ann.uuid)).await["totalItems"], 0);
}
