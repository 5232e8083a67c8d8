//! Feeds of authors and communities.

use http::StatusCode;

use super::Site;

#[tokio::test]
async fn an_author_and_a_community_have_feeds() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 5, None).await;
    let taken_down = site.write("post/gone", 6, None).await;
    site.publish().await;
    site.take_down(&taken_down).await;
    for who in ["ann", "sailors"] {
        let atom = site.get(&format!("/@{who}/feed.atom"), &[]).await;
        assert_eq!((atom.status, atom.header("content-type")), (StatusCode::OK, "application/atom+xml; charset=utf-8"));
        assert_eq!(atom.header("access-control-allow-origin"), "*");
        let feed: atom_syndication::Feed = atom.text().parse().expect("a feed that can be read");
        assert_eq!(feed.entries.len(), 1, "{who}");
        let entry = &feed.entries[0];
        assert_eq!(entry.id, site.app.urls.article(article.uuid));
        assert_eq!((entry.title.as_str(), entry.authors[0].name.as_str()), ("Vec<T> & co: post/ferry", "Ann de Vries"));
        assert_eq!(entry.links[0].href, "https://example.org/post/ferry/");
        assert_eq!(entry.content.as_ref().and_then(|content| content.value.as_deref()), Some("<p>Long.</p>"));
        let again = site.get(&format!("/@{who}/feed.atom"), &[("if-none-match", atom.header("etag"))]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        let json = site.get(&format!("/@{who}/feed.json"), &[]).await;
        assert_eq!(json.header("content-type"), "application/feed+json; charset=utf-8");
        let feed = json.json();
        assert_eq!(
            (feed["version"].as_str(), feed["items"].as_array().map(Vec::len)),
            (Some("https://jsonfeed.org/version/1.1"), Some(1))
        );
        assert_eq!(feed["items"][0]["url"], "https://example.org/post/ferry/");
        assert_eq!(feed["items"][0]["date_published"], "2026-08-07T05:00:00Z");
    }
    for (path, status) in [("/@bob/feed.atom", StatusCode::NOT_FOUND), ("/@instance/feed.json", StatusCode::NOT_FOUND)]
    {
        assert_eq!(site.get(path, &[]).await.status, status, "{path}");
    }
    site.delete_ann().await;
    assert_eq!(site.get("/@ann/feed.atom", &[]).await.status, StatusCode::GONE);
}
