//! Forges call, each in its own way; who does not know the secret learns nothing.

use std::time::Duration;

use aws_lc_rs::hmac;
use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, StatusCode};

use super::{Answer, Site};
use crate::site::source::store::{self, Scanned};
use crate::web::hooks::BODY_MAX;

const SECRET: &str = "a secret shared with the forge";
const PUSH: &str = r#"{"ref":"refs/heads/main","commits":[]}"#;

fn signed(secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    tag.as_ref().iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

impl Site {
    /// Its secret is set, and it was scanned just now.
    async fn scanned() -> Self {
        let site = Self::new().await;
        std::fs::write(site.folder.path().join("hook"), format!("{SECRET}\n")).expect("a secret");
        site.finish_scan().await;
        assert!(!site.is_due().await);
        site
    }

    async fn finish_scan(&self) {
        let now = self.app.clock.now();
        let scan = self.app.db.write(move |conn| {
            Box::pin(async move {
                let source = store::known(conn).await?.remove(0).id;
                let lease = store::claim(conn, source, "test", now).await?.expect("nobody scans it");
                let scanned =
                    Scanned { complete: true, error: None, next_attempt_at: now + Duration::from_mins(5), seen: None };
                store::finish(conn, &lease, &scanned, now).await
            })
        });
        assert!(scan.await.expect("a write"));
    }

    async fn is_due(&self) -> bool {
        let mut conn = self.app.db.read().await.expect("a connection");
        !store::due(&mut conn, self.app.clock.now()).await.expect("rows").is_empty()
    }

    async fn call(&self, source: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post(format!("/hooks/sources/{source}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(body.into()).expect("a request")).await
    }
}

#[tokio::test]
async fn each_forge_proves_itself_in_its_own_way_sources_1_9() {
    let site = Site::scanned().await;
    let hex = signed(SECRET, PUSH.as_bytes());
    let (github, bearer) = (format!("sha256={hex}"), format!("Bearer {SECRET}"));
    for (header, value) in [
        ("x-hub-signature-256", github.as_str()),
        ("x-gitea-signature", &hex),
        ("x-forgejo-signature", &hex),
        ("x-gitlab-token", SECRET),
        ("authorization", &bearer),
    ] {
        for _ in 0..2 {
            let answer = site.call("site", &[(header, value)], PUSH).await;
            assert_eq!(answer.status, StatusCode::ACCEPTED, "{header}: {}", answer.text());
            assert!(site.is_due().await, "{header}");
        }
        site.finish_scan().await;
        assert!(!site.is_due().await);
    }
}

#[tokio::test]
async fn who_does_not_know_the_secret_learns_nothing() {
    let site = Site::scanned().await;
    let (hex, other) = (signed(SECRET, PUSH.as_bytes()), signed("another", PUSH.as_bytes()));
    let empty = signed("", PUSH.as_bytes());
    let (github, wrong) = (format!("sha256={hex}"), format!("sha256={other}"));
    let mut answers = Vec::new();
    for (source, headers, body) in [
        ("site", vec![("x-hub-signature-256", wrong.as_str())], PUSH),
        ("site", vec![("x-hub-signature-256", &github)], "another body"),
        ("site", vec![("x-hub-signature-256", &hex)], PUSH),
        ("site", vec![("x-gitea-signature", &github)], PUSH),
        ("site", vec![("x-gitea-signature", "")], PUSH),
        ("site", vec![("x-gitea-signature", &hex[..62])], PUSH),
        ("site", vec![("x-gitea-signature", &empty)], PUSH),
        ("site", vec![("x-gitlab-token", "another")], PUSH),
        ("site", vec![("x-gitlab-token", "")], PUSH),
        ("site", vec![("authorization", "Bearer ")], PUSH),
        ("site", vec![("authorization", SECRET)], PUSH),
        ("site", vec![], PUSH),
        ("elsewhere", vec![("x-hub-signature-256", &github)], PUSH),
        ("elsewhere", vec![("x-gitea-signature", &empty)], PUSH),
        ("elsewhere", vec![("x-gitlab-token", "")], PUSH),
    ] {
        let answer = site.call(source, &headers, body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{source} {headers:?}");
        answers.push(answer.body);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "all alike");
    std::fs::remove_file(site.folder.path().join("hook")).expect("removed");
    for headers in [[("x-gitea-signature", empty.as_str())], [("x-gitlab-token", "")]] {
        assert_eq!(site.call("site", &headers, PUSH).await.status, StatusCode::FORBIDDEN, "without a secret");
    }
    assert!(!site.is_due().await);
}

#[tokio::test]
async fn a_call_is_read_to_its_bound_and_not_kept() {
    let site = Site::scanned().await;
    let chunk = Bytes::from(vec![b' '; 1024 * 1024]);
    let body = |chunks: usize| {
        let chunk = chunk.clone();
        Body::from_stream(stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())).take(chunks))
    };
    let whole = signed(SECRET, &vec![b' '; BODY_MAX]);
    let answer = site.call("site", &[("x-gitea-signature", &whole)], body(25)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "forges send as much");
    let answer = site.call("site", &[("x-gitea-signature", &whole)], body(26)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let unread = stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, std::io::Error>>> {
        panic!("somebody read the body")
    });
    let length = (BODY_MAX + 1).to_string();
    let answer = site.call("site", &[("content-length", &length)], Body::from_stream(unread)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn what_is_asked_for_during_a_scan_is_not_lost() {
    let site = Site::scanned().await;
    let now = site.app.clock.now();
    let scan = site.app.db.write(move |conn| {
        Box::pin(async move {
            let source = store::known(conn).await?.remove(0).id;
            let lease = store::claim(conn, source, "test", now).await?.expect("nobody scans it");
            store::request_scan(conn, "site", now).await?;
            let scanned =
                Scanned { complete: true, error: None, next_attempt_at: now + Duration::from_mins(5), seen: None };
            assert!(store::finish(conn, &lease, &scanned, now).await?);
            Ok::<_, sqlx::Error>(())
        })
    });
    scan.await.expect("a write");
    assert!(site.is_due().await);
}
