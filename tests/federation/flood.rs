//! Strangers who ask too much, on real sockets of this machine: honest requests are answered throughout (interop G8, G9).

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clock::Clock;
use harness::SignOptions;
use http::Request;
use http::header::LOCATION;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;
use veerpont::federation::remote::fetch::{self, FetchError};
use veerpont::{inbox, server};

use crate::world::{MAREN, World, on_each_engine, on_each_engine_at};

/// Requests that one address may send to the inboxes, since the clock stands still.
const BURST: usize = 25;

const LIMITS: &str = "[limits]\ninbox_per_source = 25\nconnections = 60\nconnections_per_address = 20\n[delivery]";

/// Each of this machine's loopback addresses is somebody else.
const HONEST: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const SLOW: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 3);
const DEEP: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);
const LARGE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 5);
const FORGED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 6);

async fn connect(from: Ipv4Addr, to: SocketAddr) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind((from, 0).into()).ok()?;
    socket.connect(to).await.ok()
}

/// Sends a request and reads the status of its answer; `None` when the connection is closed without one.
async fn ask(from: Ipv4Addr, to: SocketAddr, request: &Request<Bytes>) -> Option<u16> {
    let mut stream = connect(from, to).await?;
    let target = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\nconnection: close\r\n", request.method());
    for (name, value) in request.headers() {
        write!(head, "{name}: {}\r\n", value.to_str().expect("text")).expect("written");
    }
    write!(head, "content-length: {}\r\n\r\n", request.body().len()).expect("written");
    stream.write_all(head.as_bytes()).await.ok()?;
    // The server may answer before it has all, and close.
    let _ = stream.write_all(request.body()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()
}

fn get(address: &str) -> Request<Bytes> {
    let request =
        Request::get(address).header("host", "social.example.org").header("accept", "application/activity+json");
    request.body(Bytes::new()).expect("a request")
}

/// Well-formed in all that can be seen without the key, which nobody has.
fn forged(number: usize, date: &str, body: Bytes) -> Request<Bytes> {
    let hash = STANDARD.encode(digest(&SHA256, &body));
    let signature = format!(
        r#"keyId="https://forged-{number}.test/users/x#main-key",algorithm="rsa-sha256",headers="(request-target) host date digest",signature="AAAA""#
    );
    Request::post("/ap/inbox")
        .header("host", "social.example.org")
        .header("date", date)
        .header("content-type", "application/activity+json")
        .header("digest", format!("SHA-256={hash}"))
        .header("signature", signature)
        .body(body)
        .expect("a request")
}

/// Sends each request from one address, a few at a time; gives back the statuses.
fn send_all(
    from: Ipv4Addr,
    to: SocketAddr,
    requests: Vec<Request<Bytes>>,
) -> tokio::task::JoinHandle<Vec<Option<u16>>> {
    tokio::spawn(async move {
        let mut answers = Vec::new();
        for few in requests.chunks(8) {
            let asked = few.iter().map(|request| ask(from, to, request));
            answers.extend(futures::future::join_all(asked).await);
        }
        answers
    })
}

/// Connections that say nothing, and those whose body never ends; dropping them ends them.
fn hold(to: SocketAddr, count: usize, silent: bool, header: &str) -> JoinSet<()> {
    let mut all = JoinSet::new();
    for number in 0..count {
        let head = format!(
            "POST /ap/inbox HTTP/1.1\r\nhost: social.example.org\r\ncontent-type: application/activity+json\r\n\
             {header}content-length: 100000\r\n\r\n"
        );
        all.spawn(async move {
            let Some(mut stream) = connect(SLOW, to).await else { return };
            let speaks = !silent || number % 2 == 0;
            if speaks {
                let _ = stream.write_all(head.as_bytes()).await;
            }
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if speaks && stream.write_all(b"[").await.is_err() {
                    return;
                }
            }
        });
    }
    all
}

/// Whether a request is answered so, when it comes again a few times, as all do who are turned away in the first rush.
async fn comes_through(to: SocketAddr, request: &Request<Bytes>, status: u16) -> bool {
    for _ in 0..60 {
        if ask(HONEST, to, request).await == Some(status) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

async fn refused(world: &World) -> Vec<(String, i64)> {
    inbox::housekeeping::tidy(&world.app).await.expect("written");
    let mut conn = world.app.db.read().await.expect("a connection");
    let day = world.clock.now().date_time().format("%Y-%m-%d").to_string();
    let counted = inbox::store::rejections(&mut conn, &day, 1000).await.expect("counts");
    counted.into_iter().map(|(_, _, reason, times)| (reason, times)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_drowns_nobody_g8_g9() {
    const ROUNDS: usize = 20;
    // Loops run beside it, which compare our clock with the database's.
    on_each_engine_at(&Clock::system().now().rfc3339(), async |world| {
        world.publish().await;
        world.configure("node = \"test\"", "node = \"test\"\ntrusted_proxies = []").await;
        world.configure("[delivery]", LIMITS).await;
        let peer = world.peer("peer.test", &["ann"]);
        let maren = peer.lookup(MAREN).await.expect("an actor");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        // However long it took so far.
        world.clock.advance(Clock::system().now().since(world.clock.now()));
        let running = server::start_on(world.app.clone(), listener).await.expect("a bridge");
        let (at, date) = (running.address, world.clock.now().http_date());

        let held = hold(at, 60, true, "");
        let many = |times: usize, body: Bytes| (0..times).map(|_| forged(0, &date, body.clone())).collect::<Vec<_>>();
        let deep = send_all(DEEP, at, many(40, "[".repeat(10_000).into()));
        let garbage = many(15, vec![0xff; 1024 * 1024].into());
        let too_long = many(15, vec![b' '; 1024 * 1024 + 1].into());
        let large = send_all(LARGE, at, garbage.into_iter().chain(too_long).collect());
        let likes = (1..=100).map(|number| {
            let actor = format!("https://forged-{number}.test/users/x");
            let like = json!({ "@context": "https://www.w3.org/ns/activitystreams", "id": format!("{actor}/like"),
                "type": "Like", "actor": actor, "object": maren.actor_id });
            forged(number, &date, like.to_string().into())
        });
        let forgeries = send_all(FORGED, at, likes.collect());

        for number in 0..ROUNDS {
            let found = get("/.well-known/webfinger?resource=acct:maren@example.org");
            assert_eq!(ask(HONEST, at, &found).await, Some(200), "round {number}");
            assert_eq!(ask(HONEST, at, &get("/ap/instance")).await, Some(200), "round {number}");
            let like = json!({ "@context": "https://www.w3.org/ns/activitystreams", "type": "Like",
                "id": format!("https://peer.test/likes/{number}"), "actor": peer.actor_id("ann"), "object": maren.actor_id });
            let signed = peer.signed_post("ann", &maren.inbox, &like, &SignOptions::default()).expect("a request");
            assert_eq!(ask(HONEST, at, &signed).await, Some(202), "round {number}");
        }
        let count = |answers: &[Option<u16>], status: u16| answers.iter().filter(|one| **one == Some(status)).count();
        let (deep, large, forgeries) = (deep.await.expect("sent"), large.await.expect("sent"), forgeries.await.expect("sent"));
        assert_eq!((count(&deep, 400), count(&deep, 429)), (BURST, 15), "{deep:?}");
        assert_eq!((count(&large, 400), count(&large, 202)), (15, 0), "{large:?}");
        assert_eq!((count(&forgeries, 503), count(&forgeries, 429)), (BURST, 75), "{forgeries:?}");
        let fetched = world.requests("GET https://forged-");
        assert!(fetched <= BURST, "{fetched} requests were made for strangers");

        drop(held);
        assert_eq!(ask(HONEST, at, &get("/ap/instance")).await, Some(200), "alive afterwards");
        running.stop().await;
        world.restart().await;
        let refused = refused(world).await;
        let of = |reason: &str| refused.iter().filter(|(counted, _)| counted == reason).map(|(_, times)| times).sum::<i64>();
        assert!(of("too-many-of-source") >= 15 + 75, "{refused:?}");
        assert!(of("too-deep") >= 1 && of("not-json") == 15 && of("key-unreachable") >= 1, "{refused:?}");
        world.drain().await;
        assert_eq!(world.verdicts().await, [("declined".to_owned(), i64::try_from(ROUNDS).expect("few"))]);
    })
    .await;
}

/// Behind a proxy that passes bodies on as they come, all connections are its own, and yet nobody takes all of them (interop G9).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_bodies_behind_a_proxy_keep_nobody_out() {
    on_each_engine_at(&Clock::system().now().rfc3339(), async |world| {
        world.publish().await;
        world.configure("[delivery]", "[limits]\nconnections = 60\n[delivery]").await;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        world.clock.advance(Clock::system().now().since(world.clock.now()));
        let running = server::start_on(world.app.clone(), listener).await.expect("a bridge");
        let (at, date) = (running.address, world.clock.now().http_date());
        let held = hold(at, 100, false, "x-forwarded-for: 203.0.113.9\r\n");
        for number in 0..20 {
            let mut honest = forged(number, &date, Bytes::from_static(b"{}"));
            honest.headers_mut().insert("x-forwarded-for", http::HeaderValue::from_static("203.0.113.10"));
            assert!(comes_through(at, &honest, 400).await, "round {number}: read, and no activity");
            assert!(comes_through(at, &get("/ap/instance"), 200).await, "round {number}");
        }
        drop(held);
        running.stop().await;
        world.restart().await;
        let refused = refused(world).await;
        assert!(refused.iter().any(|(reason, times)| reason == "no-room" && *times >= 10), "{refused:?}");
    })
    .await;
}

/// A redirect is checked as a first address is, at each hop; the one to ourselves too (interop G5).
#[tokio::test]
async fn a_redirect_leads_nowhere_that_an_address_may_not() {
    on_each_engine(async |world| {
        let evil = Router::new().fallback(async |uri: http::Uri| {
            let to = percent(uri.query().unwrap_or_default());
            (http::StatusCode::FOUND, [(LOCATION, to)])
        });
        world.net.host("evil.test", evil);
        for (number, to) in [
            "http://evil.test/x",
            "https://127.0.0.1/",
            "//127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://evil.test:8443/",
            "https://user@evil.test/",
            "https://evil.test./",
            "ftp://evil.test/",
            "file:///etc/passwd",
            "https://social.example.org/ap/instance",
            "https://example.org/",
        ]
        .into_iter()
        .enumerate()
        {
            let from = format!("https://evil.test/{number}?{to}");
            let error = fetch::document(&world.app, &from).await.expect_err(to);
            assert!(matches!(error, FetchError::Refused(_)), "{to}: {error:?}");
            assert_eq!(world.requests(&format!("GET https://evil.test/{number}?")), 1, "{to}");
        }
        assert_eq!(world.requests("GET "), 15, "and nobody else was asked");
        let error = fetch::document(&world.app, "https://evil.test/loop?/loop").await.expect_err("endless");
        assert!(matches!(error, FetchError::Refused(_)), "{error:?}");
        // The first and three redirects: `/loop` without a query leads to itself.
        assert_eq!(world.requests("GET "), 15 + 4);
    })
    .await;
}

/// The query as the address to lead to; the brackets of IPv6 may come escaped.
fn percent(query: &str) -> String {
    query.replace("%5B", "[").replace("%5D", "]")
}
