//! The answers to rejected requests: with the right status, and never a 404 or 410.

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::request::Builder;
use http::{Request, StatusCode};

use super::{Answer, Site};
use crate::base::ids::Ids;
use crate::web::federation::inbox::BODY_MAX;

const FOLLOW: &str = r#"{"@context":"https://www.w3.org/ns/activitystreams","id":"https://peer.example/1","type":"Follow","actor":"https://peer.example/u","object":"https://social.example.org/ap/instance"}"#;

fn post(path: &str) -> Builder {
    Request::post(path).header("host", "social.example.org").header("content-type", "application/activity+json")
}

async fn send(site: &Site, request: Builder, body: impl Into<Body>) -> Answer {
    site.ask(request.body(body.into()).expect("a request")).await
}

fn assert_refused(answer: &Answer, status: StatusCode) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["status"], status.as_u16());
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
}

#[tokio::test]
async fn each_inbox_refuses_alike_r5_t22() {
    let site = Site::new().await;
    let deleted = super::person(&site.app, "bob", "Bob").await;
    let (id, now) = (deleted.id, site.app.clock.now());
    let delete = site
        .app
        .db
        .write(move |conn| Box::pin(async move { crate::model::author::store::set_deleted(conn, id, now).await }));
    delete.await.expect("deleted");
    for path in [
        "/ap/inbox".to_owned(),
        "/inbox".to_owned(),
        format!("/ap/actors/{}/inbox", site.ann.uuid),
        format!("/ap/actors/{}/inbox", deleted.uuid),
        format!("/ap/actors/{}/inbox", Ids::uuid()),
        "/ap/actors/no-uuid/inbox".to_owned(),
    ] {
        assert_refused(&send(&site, post(&path), FOLLOW).await, StatusCode::UNAUTHORIZED);
        for media_type in ["application/json", "application/ld+json", "text/html"] {
            let request = Request::post(&path).header("content-type", media_type);
            assert_refused(&send(&site, request, FOLLOW).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let too_long = vec![b' '; BODY_MAX + 1];
        assert_refused(&send(&site, post(&path), too_long).await, StatusCode::PAYLOAD_TOO_LARGE);
        // A browser's Accept changes nothing here.
        let person = post(&path).header("accept", "text/html");
        assert_refused(&send(&site, person, FOLLOW).await, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_body_announced_as_too_long_is_not_read() {
    let site = Site::new().await;
    let unread = stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
        panic!("somebody read the body")
    });
    let request = post("/ap/inbox").header("content-length", BODY_MAX + 1);
    assert_refused(&send(&site, request, Body::from_stream(unread)).await, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_read_no_further_than_the_limit() {
    let site = Site::new().await;
    let chunk = Bytes::from(vec![b' '; 64 * 1024]);
    let endless = stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
    assert_refused(&send(&site, post("/ap/inbox"), Body::from_stream(endless)).await, StatusCode::PAYLOAD_TOO_LARGE);
    // Exactly the limit is read, and refused for what it is: unsigned.
    let longest = vec![b' '; BODY_MAX];
    assert_refused(&send(&site, post("/ap/inbox"), longest).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let site = Site::new().await;
    // The time is tokio's, which leaps on when everybody waits.
    tokio::time::pause();
    let begun = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]).chain(stream::pending());
    assert_refused(&send(&site, post("/ap/inbox"), Body::from_stream(begun)).await, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn http_2_names_the_host_in_the_address() {
    let site = Site::new().await;
    let hash = STANDARD.encode(digest(&SHA256, FOLLOW.as_bytes()));
    let signed = |address: &str| {
        Request::post(address)
            .header("content-type", "application/activity+json")
            .header("date", site.app.clock.now().http_date())
            .header("digest", format!("SHA-256={hash}"))
            .header(
                "signature",
                r#"keyId="https://peer.example/u#main-key",algorithm="rsa-sha256",headers="(request-target) host date digest",signature="AAAA""#,
            )
    };
    // With the host known, the next thing wanted is the key, which nobody serves.
    let answer = send(&site, signed("https://social.example.org/ap/inbox"), FOLLOW).await;
    assert_refused(&answer, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().contains("your key cannot be fetched"), "{}", answer.text());
    assert_refused(&send(&site, signed("/ap/inbox"), FOLLOW).await, StatusCode::UNAUTHORIZED);
    let foreign = send(&site, signed("https://elsewhere.example/ap/inbox"), FOLLOW).await;
    assert_refused(&foreign, StatusCode::UNAUTHORIZED);
}
