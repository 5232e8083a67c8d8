//! Look-ups of every form find the one actor, and strangers find their way.

use http::StatusCode;
use serde_json::json;

use super::{AS2, BROWSER, ORIGIN, Site};
use crate::base::ids::Ids;

async fn finger(site: &Site, resource: &str) -> super::Answer {
    site.get(&format!("/.well-known/webfinger?resource={resource}"), &[]).await
}

#[tokio::test]
async fn every_form_of_a_name_finds_the_actor_a1_a4_t18() {
    let site = Site::new().await;
    let actor = site.ann.url(&site.app.urls);
    for resource in [
        "acct:ann@example.org",
        // T18: the look-up of a split domain at the actor's own host.
        "acct:ann@social.example.org",
        "acct%3Aann%40example.org",
        "acct:@ann@example.org",
        "acct:Ann@Example.ORG",
        "@ann@example.org",
        "https://social.example.org/@ann",
        "https%3A%2F%2Fsocial.example.org%2F%40ann",
        &actor,
    ] {
        let answer = finger(&site, resource).await;
        assert_eq!(answer.status, StatusCode::OK, "{resource}");
        assert_eq!(answer.header("content-type"), "application/jrd+json");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let jrd = answer.json();
        assert_eq!(jrd["subject"], "acct:ann@example.org", "{resource}");
        assert_eq!(jrd["aliases"], json!([actor, format!("{ORIGIN}/@ann")]));
        let links = jrd["links"].as_array().expect("links");
        let own: Vec<_> = links.iter().filter(|link| link["rel"] == "self").collect();
        assert_eq!(own, [&json!({ "rel": "self", "type": "application/activity+json", "href": actor })]);
    }
    // A2: from the document's own name back to the document.
    let name = site.document(&actor).await["webfinger"].as_str().expect("a name").to_owned();
    let found = finger(&site, &format!("acct:{name}")).await.json();
    assert!(found["links"].as_array().expect("links").iter().any(|link| link["href"] == actor.as_str()));
    for name in ["acct:instance@example.org", "https://social.example.org/ap/instance"] {
        let answer = finger(&site, name).await.json();
        assert_eq!(answer["subject"], "acct:instance@example.org");
        assert_eq!(answer["aliases"][0], format!("{ORIGIN}/ap/instance"));
    }
}

#[tokio::test]
async fn who_is_not_found_and_why_a4() {
    let site = Site::new().await;
    let unknown = format!("{ORIGIN}/ap/actors/{}", Ids::uuid());
    for (path, status) in [
        ("/.well-known/webfinger", StatusCode::BAD_REQUEST),
        ("/.well-known/webfinger?resource=", StatusCode::BAD_REQUEST),
        ("/.well-known/webfinger?resource=ann", StatusCode::BAD_REQUEST),
        ("/.well-known/webfinger?resource=mailto:ann@example.org", StatusCode::BAD_REQUEST),
        ("/.well-known/webfinger?resource=acct:bob@example.org", StatusCode::NOT_FOUND),
        ("/.well-known/webfinger?resource=acct:ann@elsewhere.example", StatusCode::NOT_FOUND),
        ("/.well-known/webfinger?resource=https://elsewhere.example/@ann", StatusCode::NOT_FOUND),
        (&format!("/.well-known/webfinger?resource={unknown}"), StatusCode::NOT_FOUND),
    ] {
        let answer = site.get(path, &[]).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
    site.delete_ann().await;
    assert_eq!(finger(&site, "acct:ann@example.org").await.status, StatusCode::GONE);
}

#[tokio::test]
async fn nodeinfo_has_the_shape_of_its_schema_t19() {
    let site = Site::new().await;
    site.write("post/one", 1, None).await;
    site.write("post/old", 24 * 90, None).await;
    let links = site.get("/.well-known/nodeinfo", &[]).await.json();
    for (version, index) in [("2.0", 0), ("2.1", 1)] {
        let link = &links["links"][index];
        assert_eq!(link["rel"], format!("http://nodeinfo.diaspora.software/ns/schema/{version}"));
        let answer = site.get(link["href"].as_str().expect("an address"), &[]).await;
        let profile = format!("profile=\"http://nodeinfo.diaspora.software/ns/schema/{version}#\"");
        assert!(answer.header("content-type").contains(&profile), "{}", answer.header("content-type"));
        let mut found = answer.json();
        let software = found["software"].take();
        assert_eq!((&software["name"], &software["version"]), (&json!("veerpont"), &json!(env!("CARGO_PKG_VERSION"))));
        assert_eq!(
            found,
            json!({
                "version": version,
                "software": null,
                "protocols": ["activitypub"],
                "services": { "inbound": [], "outbound": [] },
                "openRegistrations": false,
                "usage": {
                    "users": { "total": 1, "activeMonth": 1, "activeHalfyear": 1 },
                    "localPosts": 2,
                    "localComments": 0,
                },
                "metadata": {},
            })
        );
    }
}

#[tokio::test]
async fn host_meta_leads_to_webfinger_g3() {
    let site = Site::new().await;
    let answer = site.get("/.well-known/host-meta", &[]).await;
    assert_eq!(answer.header("content-type"), "application/xrd+xml; charset=utf-8");
    assert!(answer.text().contains("https://social.example.org/.well-known/webfinger?resource={uri}"));
}

#[tokio::test]
async fn a_page_of_the_site_leads_to_its_article() {
    let site = Site::new().await;
    let article = site.write("post/one", 1, None).await;
    let id = site.app.urls.article(article.uuid);
    for page in [
        "https://example.org/post/one/",
        "https://example.org/post/one",
        "https://example.org/post/one/%23part",
        "https://example.org/post/one/?utm_source=x",
        "https://example.org/post/one%3Futm_source=x%23part",
        "https%3A%2F%2Fexample.org%2Fpost%2Fone%2F",
    ] {
        for accept in [&AS2, &BROWSER] {
            let answer = site.get(&format!("/ap/resolve?url={page}"), accept).await;
            assert_eq!((answer.status, answer.header("location")), (StatusCode::FOUND, id.as_str()), "{page}");
        }
    }
    for (query, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("?url=", StatusCode::BAD_REQUEST),
        ("?url=https://example.org/post/", StatusCode::NOT_FOUND),
        ("?url=one", StatusCode::NOT_FOUND),
        ("?url=https://elsewhere.example/post/one/", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(site.get(&format!("/ap/resolve{query}"), &AS2).await.status, status, "{query}");
    }
    site.take_down(&article).await;
    let answer = site.get("/ap/resolve?url=https://example.org/post/one/", &AS2).await;
    assert_eq!(answer.status, StatusCode::GONE);
}
