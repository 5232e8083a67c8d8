//! The client on real sockets of this machine, and above a wire in memory.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustls::pki_types::{PrivateKeyDer, pem::PemObject};

use super::*;
use crate::config::{ConnectTo, Network};

const LIMITS: Limits = Limits { total: Duration::from_secs(20), wanted: Wanted::Whole(10_000) };

/// `hello`, compressed.
const GZIP: &[u8] = &[31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 203, 72, 205, 201, 201, 7, 0, 134, 166, 16, 54, 5, 0, 0, 0];
const ZLIB: &[u8] = &[120, 156, 203, 72, 205, 201, 201, 7, 0, 6, 44, 2, 21];
const BROTLI: &[u8] = b"\x0b\x02\x80hello\x03";

/// Answers every connection with the same bytes and keeps it open; passes on the heads of the requests.
fn serve(answer: Vec<u8>) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let (heads, seen) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (heads, answer) = (heads.clone(), answer.clone());
            thread::spawn(move || answer_once(stream, &answer, |head| drop(heads.send(head))));
        }
    });
    (address, seen)
}

fn answer_once(mut stream: impl Read + Write, answer: &[u8], seen: impl FnOnce(String)) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    seen(String::from_utf8(head).expect("text"));
    // The client may hang up in the middle, as it should over the limit.
    if stream.write_all(answer).and_then(|()| stream.flush()).is_ok() {
        drop(stream.read(&mut byte));
    }
}

fn http(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    [format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n").as_bytes(), body].concat()
}

fn open_network() -> Network {
    Network { allow_http: true, allow_addresses: vec!["127.0.0.0/8".parse().expect("a range")], ..Network::default() }
}

fn client(network: &Network) -> Client {
    Client::network(network, "test/1".to_owned()).expect("a client")
}

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).expect("a request")
}

async fn fetch(url: &str) -> Result<Reply, SendError> {
    client(&open_network()).send(get(url), LIMITS).await
}

#[tokio::test]
async fn a_private_address_is_refused_unless_opened() {
    let (address, seen) = serve(http("200 OK", b"hello"));
    let closed = client(&Network { allow_http: true, ..Network::default() });
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/x", address.port());
        let error = closed.send(get(&url), LIMITS).await.expect_err("refused");
        assert!(matches!(error, SendError::Refused(_)), "{error:?}");
    }
    let reply = fetch(&format!("http://{address}/x")).await.expect("opened");
    assert_eq!((reply.status, reply.body.as_ref()), (StatusCode::OK, b"hello".as_slice()));
    let head = seen.recv().expect("one request").to_lowercase();
    assert!(head.starts_with("get /x http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nhost: {address}\r\n")), "with its port (C16): {head}");
    assert!(head.contains("\r\nuser-agent: test/1\r\n"), "{head}");
    assert!(seen.try_recv().is_err(), "the refused ones never connected");
}

#[tokio::test]
async fn the_form_of_an_address_is_checked_first() {
    let closed = client(&Network::default());
    for url in ["http://a.example/", "https://a.example:444/", "https://u@a.example/", "https://[::1]/", "/path"] {
        let error = closed.send(get(url), LIMITS).await.expect_err("refused");
        assert!(matches!(error, SendError::Refused(_)), "{url}: {error:?}");
    }
}

#[tokio::test]
async fn connect_to_says_where_a_name_is_and_skips_the_check() {
    let (target, seen) = serve(http("200 OK", b"hello"));
    let at = |port| ConnectTo { host: "peer.test".to_owned(), port, target };
    let network = Network { allow_http: true, connect_to: vec![at(80), at(8123)], ..Network::default() };
    let client = client(&network);
    for (url, host) in [("http://peer.test/", "peer.test"), ("http://Peer.Test:8123/", "peer.test:8123")] {
        client.send(get(url), LIMITS).await.expect("an answer");
        let head = seen.recv().expect("a request").to_lowercase();
        assert!(head.contains(&format!("\r\nhost: {host}\r\n")), "{head}");
    }
}

#[tokio::test]
async fn https_trusts_the_extra_ca_and_names_the_host() {
    let made = rcgen::generate_simple_self_signed(vec!["peer.test".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a server");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let target = listener.local_addr().expect("its address");
    let (names, seen) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tls = rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let names = names.clone();
            thread::spawn(move || {
                let mut stream = rustls::StreamOwned::new(tls, stream);
                if stream.conn.complete_io(&mut stream.sock).is_ok() {
                    drop(names.send(stream.conn.server_name().map(str::to_owned)));
                    answer_once(&mut stream, &http("200 OK", b"hello"), drop);
                }
            });
        }
    });

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, made.cert.pem()).expect("written");
    let at = |host: &str| ConnectTo { host: host.to_owned(), port: 443, target };
    let stranger = Network { connect_to: vec![at("peer.test"), at("other.test")], ..Network::default() };
    let error = client(&stranger).send(get("https://peer.test/"), LIMITS).await.expect_err("not trusted");
    assert!(matches!(error, SendError::Tls(_)), "{error:?}");

    let trusted = client(&Network { extra_ca_file: Some(file), ..stranger });
    let reply = trusted.send(get("https://peer.test/"), LIMITS).await.expect("trusted");
    assert_eq!(reply.body.as_ref(), b"hello");
    assert_eq!(seen.recv().expect("a handshake").as_deref(), Some("peer.test"));
    let error = trusted.send(get("https://other.test/"), LIMITS).await.expect_err("another name");
    assert!(matches!(error, SendError::Tls(_)), "{error:?}");
}

#[test]
fn a_bad_ca_file_is_one_clear_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    let network = Network { extra_ca_file: Some(file.clone()), ..Network::default() };
    let say = || Client::network(&network, "test/1".to_owned()).expect_err("refused").to_string();
    assert!(say().contains("cannot be read"), "{}", say());
    std::fs::write(&file, "nothing").expect("written");
    assert!(say().contains("holds no certificate"), "{}", say());
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").expect("written");
    assert!(say().contains("cannot be read"), "{}", say());
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read_to_its_end() {
    let (address, _seen) = serve(http("200 OK", &[b'x'; 10_001]));
    let url = format!("http://{address}/");
    assert_eq!(fetch(&url).await.expect_err("too large"), SendError::TooLarge { limit: 10_000 });
    let reply = client(&open_network())
        .send(get(&url), Limits { wanted: Wanted::Whole(10_001), ..LIMITS })
        .await
        .expect("fits");
    assert_eq!(reply.body.len(), 10_001);
    // No length announced: it counts what comes.
    let endless = [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &vec![b'x'; 100_000]].concat();
    let (address, _seen) = serve(endless);
    let error = fetch(&format!("http://{address}/")).await.expect_err("too large");
    assert_eq!(error, SendError::TooLarge { limit: 10_000 });
}

/// Gzip written by hand: one literal, then `repeats` times "the last byte 258 times more" in 13 bits each (RFC 1951,
/// fixed codes).
fn gzip_bomb(repeats: usize) -> Vec<u8> {
    let mut bits = vec![true, true, false]; // last block, fixed codes
    let code = |bits: &mut Vec<bool>, value: u32, len: u32| bits.extend((0..len).rev().map(|n| value >> n & 1 == 1));
    code(&mut bits, 0x30 + u32::from(b'x'), 8);
    for _ in 0..repeats {
        code(&mut bits, 0b1100_0101, 8); // length 258
        code(&mut bits, 0, 5); // distance 1
    }
    code(&mut bits, 0, 7); // end
    let bytes = bits.chunks(8).map(|byte| byte.iter().enumerate().map(|(n, bit)| u8::from(*bit) << n).sum());
    [31, 139, 8, 0, 0, 0, 0, 0, 2, 3].into_iter().chain(bytes).collect()
}

#[tokio::test]
async fn the_limit_counts_what_comes_out_of_compression() {
    let bomb = gzip_bomb(4_000);
    assert!(bomb.len() < 10_000, "{} bytes that become a million", bomb.len());
    let (address, _seen) = serve(http("200 OK\r\ncontent-encoding: gzip", &bomb));
    let error = fetch(&format!("http://{address}/")).await.expect_err("a bomb");
    assert_eq!(error, SendError::TooLarge { limit: 10_000 });
}

#[tokio::test]
async fn compressed_answers_are_read_over_both_transports() {
    struct Fixed(&'static str, &'static [u8]);
    impl Wire for Fixed {
        fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Body>, SendError>> {
            let seen = |name| request.headers().get(name).cloned();
            assert_eq!(seen(HOST).expect("a host"), "a.example");
            assert_eq!(seen(USER_AGENT).expect("a name"), "test/1");
            assert_eq!(request.body().as_ref(), b"asked");
            let answer = Response::builder().header("content-encoding", self.0).body(Body::from(self.1));
            Box::pin(async { Ok(answer.expect("an answer")) })
        }
    }
    for (encoding, bytes) in [("gzip", GZIP), ("deflate", ZLIB), ("br", BROTLI)] {
        let (address, _seen) = serve(http(&format!("200 OK\r\ncontent-encoding: {encoding}"), bytes));
        let reply = fetch(&format!("http://{address}/")).await.expect("an answer");
        assert_eq!(reply.body.as_ref(), b"hello", "{encoding}");

        let wire = Arc::new(Fixed(encoding, bytes));
        let memory = Client::memory(wire, &Network::default(), "test/1".to_owned()).expect("a client");
        let ask = |url: &str| Request::post(url).body(Bytes::from_static(b"asked")).expect("a request");
        let reply = memory.send(ask("https://a.example/"), LIMITS).await.expect("an answer");
        assert_eq!(reply.body.as_ref(), b"hello", "{encoding}");
        let refused = memory.send(ask("http://a.example/"), LIMITS).await.expect_err("refused");
        assert!(matches!(refused, SendError::Refused(_)), "the gate stands before the wire too");
    }
}

#[tokio::test]
async fn a_redirect_is_handed_back() {
    let (address, seen) = serve(http("302 Found\r\nlocation: /elsewhere", b""));
    let reply = fetch(&format!("http://{address}/")).await.expect("an answer");
    assert_eq!((reply.status, reply.headers["location"].as_bytes()), (StatusCode::FOUND, b"/elsewhere".as_slice()));
    assert_eq!(seen.try_iter().count(), 1);
}

/// A body that is not wanted decides nothing: neither that of any answer to a delivery, nor that of an answer without the
/// document which was asked for.
#[tokio::test]
async fn the_status_counts_whatever_becomes_of_the_body() {
    let long = http("", &vec![b'x'; 70_000]);
    let body_of = |answer: &[u8]| String::from_utf8_lossy(answer).split_once('\n').expect("a line").1.to_owned();
    let spoilt = [
        body_of(&long),
        body_of(&http("\r\ncontent-encoding: gzip", b"no gzip")),
        // It pauses, it says that more comes, and it ends before it says where it ends.
        "content-length: 500\r\n\r\nhel".to_owned(),
        "transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n".to_owned(),
        "transfer-encoding: chunked\r\n\r\nno length".to_owned(),
    ];
    let status_alone = Limits { wanted: Wanted::Status, ..LIMITS };
    for (status, limits) in
        [(202, status_alone), (200, status_alone), (404, status_alone), (404, LIMITS), (302, LIMITS)]
    {
        for rest in &spoilt {
            let (address, _seen) = serve(format!("HTTP/1.1 {status} Told\r\n{rest}").into_bytes());
            let told = client(&open_network()).send(get(&format!("http://{address}/")), limits).await;
            let what = rest.chars().take(60).collect::<String>();
            let reply = told.unwrap_or_else(|error| panic!("{status} and {what:?}: {error}"));
            assert_eq!(reply.status.as_u16(), status, "{what:?}");
            assert!(reply.body.len() <= GLANCE, "{} bytes", reply.body.len());
        }
    }
    // Of a document that was asked for every byte counts.
    for rest in &spoilt {
        let (address, _seen) = serve(format!("HTTP/1.1 200 OK\r\n{rest}").into_bytes());
        let short = Limits { total: Duration::from_secs(1), ..LIMITS };
        client(&open_network()).send(get(&format!("http://{address}/")), short).await.expect_err("no document");
    }
}

#[tokio::test]
async fn what_is_announced_before_an_answer_is_none() {
    let hints = [b"HTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n".as_slice(), &http("202 Accepted", b"")].concat();
    let (address, _seen) = serve(hints);
    assert_eq!(fetch(&format!("http://{address}/")).await.expect("an answer").status.as_u16(), 202);
}

#[tokio::test]
async fn slowness_brokenness_and_absence_are_told_apart() {
    let short = Limits { total: Duration::from_millis(200), ..LIMITS };
    for begun in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel"] {
        let (address, _seen) = serve(begun.into());
        let slow = client(&open_network()).send(get(&format!("http://{address}/")), short).await;
        assert_eq!(slow.expect_err("slow"), SendError::Timeout, "after {begun:?}");
    }
    let (address, _seen) = serve(b"SMTP ready\r\n\r\n".to_vec());
    let error = fetch(&format!("http://{address}/")).await.expect_err("no HTTP");
    assert!(matches!(error, SendError::Broken(_)), "{error:?}");
    let (address, _seen) = serve(http("200 OK\r\ncontent-encoding: gzip", b"no gzip"));
    let error = fetch(&format!("http://{address}/")).await.expect_err("no gzip");
    assert!(matches!(error, SendError::Broken(_)), "{error:?}");

    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let error = fetch(&format!("http://{free}/")).await.expect_err("nobody there");
    assert!(matches!(error, SendError::Connect(_)), "{error:?}");
    let error = fetch("http://no-such-name.invalid/").await.expect_err("no such name");
    assert!(matches!(error, SendError::Connect(_)), "{error:?}");
}
