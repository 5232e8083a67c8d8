//! A herd asks for one article: what is asked for again is given without a statement, whatever form of it, and to whom.

use http::{Request, StatusCode};

use crate::statements::Counting;
use crate::threads::article;
use crate::world::{World, on_each_engine};

const ORIGIN: &str = "https://social.example.org";
const AS2: &str = "application/activity+json";
const HTML: &str = "text/html";

/// How often each is asked for once it is prepared.
const TIMES: usize = 20;

struct Answer {
    status: StatusCode,
    headers: http::HeaderMap,
    body: bytes::Bytes,
}

async fn get(world: &World, address: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(Request::get(address), |request, (name, value)| request.header(*name, *value));
    let request = request.body(bytes::Bytes::new()).expect("a request");
    let (head, body) = world.net.dispatch(request).await.expect("an answer").into_parts();
    let body = axum::body::to_bytes(body, 1_000_000).await.expect("a body");
    Answer { status: head.status, headers: head.headers, body }
}

#[tokio::test]
async fn what_is_prepared_costs_no_statement() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let uuid = article.rsplit('/').next().expect("a name").to_owned();
        let actor = get(world, &article, &[("accept", AS2)]).await;
        let document: serde_json::Value = serde_json::from_slice(&actor.body).expect("JSON");
        let actor = document["attributedTo"][0].as_str().or(document["attributedTo"].as_str()).expect("its author");
        let webfinger = format!("{ORIGIN}/.well-known/webfinger?resource=acct:maren@example.org");
        let page = format!("{ORIGIN}/@maren/{uuid}");
        let conversation = format!("{ORIGIN}/api/v1/conversation?id={article}");
        let asked = [
            (article.clone(), AS2),
            (article.clone(), HTML),
            (actor.to_owned(), AS2),
            (format!("{actor}/outbox"), AS2),
            (format!("{actor}/followers"), AS2),
            (format!("{article}/replies"), AS2),
            (format!("{article}/likes"), AS2),
            (webfinger, "*/*"),
            (format!("{ORIGIN}/nodeinfo/2.1"), "*/*"),
            (page, HTML),
            (format!("{ORIGIN}/@maren"), HTML),
            (format!("{ORIGIN}/@maren/feed.atom"), "*/*"),
            (format!("{ORIGIN}/"), HTML),
            (conversation, "*/*"),
        ];
        let counting = Counting::begin();
        for (address, accept) in &asked {
            let first = get(world, address, &[("accept", accept)]).await;
            assert!(first.status == StatusCode::OK || first.status == StatusCode::FOUND, "{address}: {}", first.status);
            counting.take();
            for _ in 0..TIMES {
                let again = get(world, address, &[("accept", accept)]).await;
                assert_eq!((again.status, &again.body), (first.status, &first.body), "{address}");
            }
            let statements = counting.take().but_looks();
            assert_eq!(statements.len(), 0, "{address}: {}", statements.breakdown());
            let Some(tag) = first.headers.get("etag") else { continue };
            let known = [("accept", *accept), ("if-none-match", tag.to_str().expect("text"))];
            let unchanged = get(world, address, &known).await;
            assert_eq!((unchanged.status, unchanged.body.len()), (StatusCode::NOT_MODIFIED, 0), "{address}");
            for encoding in ["gzip", "br"] {
                let small = get(world, address, &[("accept", accept), ("accept-encoding", encoding)]).await;
                let named = small.headers.get("content-encoding").map(|name| name.to_str().expect("text"));
                assert_eq!(named, Some(encoding), "{address}");
                assert!(small.body.len() < first.body.len(), "{address}");
                assert_eq!(small.headers["etag"].to_str().ok(), Some(&*format!("W/{}", tag.to_str().expect("text"))));
                let vary: Vec<_> = small.headers.get_all("vary").iter().map(|value| value.to_str().ok()).collect();
                assert!(vary.contains(&Some("accept-encoding")), "{address}: {vary:?}");
            }
            let statements = counting.take().but_looks();
            assert_eq!(statements.len(), 0, "{address}: {}", statements.breakdown());
        }
    })
    .await;
}

#[tokio::test]
async fn a_herd_has_one_answer_made() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let counting = Counting::begin();
        world.write_post("terns", "The terns", "Counted at dawn.", &["maren"]);
        world.publish().await;
        counting.take();
        get(world, &article, &[("accept", AS2)]).await;
        let alone = counting.take().but_looks().len();
        world.write_post("tides", "The tides", "High at noon.", &["maren"]);
        world.publish().await;
        counting.take();
        let asked = (0..200).map(|_| get(world, &article, &[("accept", AS2)]));
        let answers = futures::future::join_all(asked).await;
        assert!(answers.iter().all(|answer| answer.status == StatusCode::OK && answer.body == answers[0].body));
        let statements = counting.take().but_looks();
        assert!(alone > 0 && statements.len() <= alone, "{alone}: {}", statements.breakdown());
    })
    .await;
}
