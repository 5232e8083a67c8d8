//! Figures for Prometheus: what was counted, and the queues as they are.

use axum::body::Body;
use harness::Fault;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use veerpont::server::metrics;

use crate::threads::{Person, article};
use crate::world::{MAREN, World, on_each_engine};

async fn figures(world: &World) -> String {
    let routes = metrics::routes(world.app.clone());
    let response =
        routes.oneshot(Request::get("/metrics").body(Body::empty()).expect("a request")).await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    String::from_utf8(body.to_vec()).expect("text")
}

/// A figure by its name and labels.
fn figure(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn prometheus_is_told_what_was_counted_and_what_waits() {
    on_each_engine(async |world| {
        let article = article(world).await;
        let person = Person::new(world, "peer.test");
        person.send(world, &person.activity("Like", "like/1", article)).await;
        let peer = world.peer("slow.test", &["ann"]);
        world.follow(&peer, "ann", MAREN).await;
        peer.set_fault(Fault::Status(503));
        world.write_post("tides", "The tides", "High at noon.", &["maren"]);
        world.publish().await;
        world.advance(std::time::Duration::from_mins(5));
        let text = figures(world).await;
        for name in [
            "veerpont_deliveries_total{class=\"2xx\"}",
            "veerpont_deliveries_total{class=\"5xx\"}",
            "veerpont_delivery_seconds_count",
            "veerpont_verdicts_total{verdict=\"accepted\"}",
            "veerpont_statements_total",
            "veerpont_transactions_total",
            "veerpont_prepared_total{result=\"miss\"}",
        ] {
            assert!(figure(&text, name).is_some_and(|number| number >= 1.0), "{name}: {text}");
        }
        assert!(text.contains("# TYPE veerpont_delivery_seconds histogram"), "{text}");
        // Tests beside this one look at queues of their own, into the same gauges.
        for queue in ["deliveries", "inbox", "outbox", "fetches"] {
            for name in ["veerpont_queue_depth", "veerpont_queue_oldest_seconds"] {
                assert!(figure(&text, &format!("{name}{{queue=\"{queue}\"}}")).is_some(), "{queue}: {text}");
            }
        }
        assert_eq!(figure(&text, "veerpont_queue_depth{queue=\"deliveries\"}"), Some(1.0));
        assert!(figure(&text, "veerpont_queue_oldest_seconds{queue=\"deliveries\"}").is_some_and(|age| age >= 300.0));
    })
    .await;
}
