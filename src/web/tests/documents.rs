//! Every id answers at exactly itself, in the form that was asked for, and says when nothing changed.

use std::collections::BTreeSet;

use http::{Method, StatusCode};

use super::{AS2, BROWSER, ORIGIN, Site};
use crate::base::ids::Ids;

#[tokio::test]
async fn the_form_is_negotiated_a21() {
    let site = Site::new().await;
    let article = site.write("post/one", 1, None).await;
    let (actor, article_id) = (site.ann.url(&site.app.urls), site.app.urls.article(article.uuid));
    let profile = format!("{ORIGIN}/@ann");
    for accept in [
        "application/activity+json",
        "Application/Activity+JSON",
        "application/ld+json",
        r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams""#,
        r#"application/ld+json;profile="https://www.w3.org/ns/activitystreams", text/html;q=0.1"#,
        "application/activity+json, application/ld+json, text/html;q=0.1",
        "text/html, application/activity+json;q=0.5",
    ] {
        for id in [&actor, &article_id] {
            let answer = site.get(id, &[("accept", accept)]).await;
            assert_eq!(answer.status, StatusCode::OK, "{accept}");
            assert_eq!(answer.header("content-type"), "application/activity+json; charset=utf-8");
            assert_eq!(answer.header("vary"), "accept");
            assert_eq!(answer.header("cache-control"), "public, max-age=60");
            assert_eq!(answer.json()["id"], id.as_str());
        }
        let page = site.get(&profile, &[("accept", accept)]).await;
        assert_eq!((page.status, page.header("location")), (StatusCode::FOUND, actor.as_str()), "{accept}");
    }
    for accept in ["", "*/*", "text/html", "application/json", "application/activity+jsonx", BROWSER[0].1] {
        for (id, page) in [(&actor, &profile), (&article_id, &article.url)] {
            let answer = site.get(id, &[("accept", accept)]).await;
            assert_eq!((answer.status, answer.header("location")), (StatusCode::FOUND, page.as_str()), "{accept}");
            assert_eq!(answer.header("vary"), "accept");
        }
    }
    // What has no page is JSON for everybody.
    let followers = site.get(&site.app.urls.followers(site.ann.uuid), &BROWSER).await;
    assert_eq!(followers.header("content-type"), "application/activity+json; charset=utf-8");
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again_d13() {
    let site = Site::new().await;
    let actor = site.ann.url(&site.app.urls);
    let first = site.get(&actor, &AS2).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() == 34, "{tag}");
    let (weak, listed) = (format!("W/{tag}"), format!("\"x\", {tag}"));
    for known in [tag.as_str(), &weak, &listed, "*"] {
        let answer = site.get(&actor, &[AS2[0], ("if-none-match", known)]).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
        assert_eq!(answer.header("etag"), tag);
        assert_eq!(answer.header("cache-control"), "public, max-age=60");
        assert_eq!(answer.header("vary"), "accept");
    }
    let other = site.get(&actor, &[AS2[0], ("if-none-match", "\"x\"")]).await;
    assert_eq!((other.status, &other.body), (StatusCode::OK, &first.body));
    let head = site.with(Method::HEAD, &actor, &AS2).await;
    assert_eq!((head.status, head.header("etag"), head.body.len()), (StatusCode::OK, tag.as_str(), 0));
    let group = site.get(&site.group().await.url(&site.app.urls), &AS2).await;
    assert_ne!(group.header("etag"), tag);
}

#[tokio::test]
async fn an_outbox_is_read_to_its_end_f11() {
    let site = Site::new().await;
    for number in 0..45 {
        site.write(&format!("post/{number}"), number, None).await;
    }
    site.publish().await;
    for (who, kind) in [(site.ann.clone(), "Create"), (site.group().await, "Announce")] {
        let id = site.app.urls.outbox(who.uuid);
        let outbox = site.document(&id).await;
        assert_eq!((&outbox["id"], &outbox["totalItems"]), (&id.as_str().into(), &45.into()));
        let mut next = outbox["first"].as_str().map(str::to_owned);
        let (mut sizes, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some(address) = next {
            let page = site.document(&address).await;
            assert_eq!((&page["id"], &page["partOf"]), (&address.as_str().into(), &id.as_str().into()));
            let items = page["orderedItems"].as_array().expect("items");
            assert!(items.iter().all(|item| item["type"] == kind), "{kind}");
            seen.extend(items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()));
            sizes.push(items.len());
            next = page["next"].as_str().map(str::to_owned);
        }
        assert_eq!((sizes, seen.len()), (vec![20, 20, 5], 45), "{kind}");
        for id in seen.iter().take(3) {
            assert_eq!(site.document(id).await["id"], id.as_str());
        }
        for bad in ["x", "-1", "007", "", "99999999999999999999"] {
            let answer = site.get(&format!("{id}?before={bad}"), &AS2).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad}");
        }
    }
}

#[tokio::test]
async fn collections_have_their_shapes() {
    let site = Site::new().await;
    let article = site.write("post/one", 1, None).await;
    let urls = &site.app.urls;
    let (ann, one) = (site.ann.uuid, article.uuid);
    let ordered = [urls.followers(ann), urls.following(ann), urls.featured(ann), urls.outbox(ann)];
    for id in ordered.into_iter().chain([format!("{ORIGIN}/ap/instance/outbox")]) {
        let collection = site.document(&id).await;
        assert_eq!(collection["id"], id.as_str());
        assert_eq!((&collection["type"], &collection["totalItems"]), (&"OrderedCollection".into(), &0.into()));
        // Mastodon reads `first` as "not hidden" (interop A17).
        assert!(collection.get("first").is_none(), "{id}");
    }
    for id in [urls.replies(one), urls.likes(one), urls.shares(one)] {
        let collection = site.document(&id).await;
        assert_eq!((&collection["id"], &collection["type"]), (&id.as_str().into(), &"Collection".into()));
    }
    let replies = site.document(&urls.replies(one)).await;
    assert_eq!(replies["first"]["items"].as_array().map(Vec::len), Some(0));
    let context = site.document(&urls.context(article.context_uuid)).await;
    assert_eq!(context["orderedItems"][0], urls.article(one).as_str());
    assert_eq!(context["attributedTo"], urls.actor(ann).as_str());
}

#[tokio::test]
async fn the_instance_answers_at_its_own_address_alone() {
    let site = Site::new().await;
    let instance = site.document("/ap/instance").await;
    assert_eq!((&instance["id"], &instance["type"]), (&format!("{ORIGIN}/ap/instance").into(), &"Application".into()));
    let mut conn = site.app.db.read().await.expect("a connection");
    let row = crate::model::author::store::instance(&mut conn).await.expect("a row").expect("the instance");
    drop(conn);
    let urls = &site.app.urls;
    for id in [urls.actor(row.uuid), urls.outbox(row.uuid), urls.followers(row.uuid)] {
        assert_eq!(site.get(&id, &AS2).await.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn nearly_an_id_is_none_a22() {
    let site = Site::new().await;
    let actor = site.ann.url(&site.app.urls);
    let unknown = Ids::uuid();
    for path in [
        format!("{actor}/"),
        actor.replace('-', ""),
        format!("{ORIGIN}/ap/actors/{}", site.ann.uuid.to_string().to_uppercase() + "A"),
        format!("{ORIGIN}/ap/actors/{unknown}"),
        format!("{ORIGIN}/ap/actors/{unknown}/outbox"),
        format!("{ORIGIN}/ap/articles/{unknown}"),
        format!("{ORIGIN}/ap/articles/{unknown}/replies"),
        format!("{ORIGIN}/ap/activities/{unknown}"),
        format!("{ORIGIN}/ap/contexts/{unknown}"),
        format!("{ORIGIN}/ap/actors/no-uuid"),
        format!("{ORIGIN}/nowhere"),
    ] {
        let answer = site.get(&path, &AS2).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        let problem = answer.json();
        assert_eq!((&problem["type"], &problem["status"]), (&"about:blank".into(), &404.into()));
        assert!(problem["title"].is_string() && problem["detail"].is_string());
    }
}

#[tokio::test]
async fn a_failing_database_is_never_a_404_a22() {
    let site = Site::new().await;
    assert_eq!(site.get("/readyz", &[]).await.status, StatusCode::OK);
    site.app.db.close().await;
    let finger = "/.well-known/webfinger?resource=acct:ann@example.org".to_owned();
    for path in [site.ann.url(&site.app.urls), finger, "/@ann".into(), "/readyz".into(), "/nodeinfo/2.0".into()] {
        let answer = site.get(&path, &AS2).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(site.get("/healthz", &[]).await.status, StatusCode::OK);
}
