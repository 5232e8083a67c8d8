//! A certificate that is replaced while it is served, and pairs that do not hold.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use http::Request;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::super::connections::OpenConnections;
use super::super::listener::{self, Acceptor};
use super::*;
use crate::config::{ConnectTo, Limits, Network};
use crate::net::client::{self, Client, SendError};

/// A pair of files, written anew at each call; gives back the certificate.
fn write_pair(files: &config::Tls) -> String {
    let made = rcgen::generate_simple_self_signed(vec!["us.test".to_owned()]).expect("a certificate");
    fs::write(&files.cert, made.cert.pem()).expect("written");
    fs::write(&files.key, made.signing_key.serialize_pem()).expect("written");
    made.cert.pem()
}

fn files(folder: &tempfile::TempDir) -> config::Tls {
    config::Tls { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") }
}

/// What somebody who trusts this certificate alone is answered.
async fn ask(folder: &tempfile::TempDir, trusted: &str, target: SocketAddr) -> Result<String, SendError> {
    let ca = folder.path().join("trusted.pem");
    fs::write(&ca, trusted).expect("written");
    let connect_to = vec![ConnectTo { host: "us.test".to_owned(), port: 443, target }];
    let network = Network { extra_ca_file: Some(ca), connect_to, ..Network::default() };
    let client = Client::network(&network, "test/1".to_owned()).expect("a client");
    let request = Request::get("https://us.test/").body(bytes::Bytes::new()).expect("a request");
    let limits = client::Limits { total: Duration::from_secs(20), wanted: client::Wanted::Whole(100) };
    let reply = client.send(request, limits).await?;
    Ok(String::from_utf8_lossy(&reply.body).into_owned())
}

#[tokio::test]
async fn a_replaced_certificate_is_served_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(&folder);
    let first = write_pair(&files);
    let certificates = Certificates::open(&files).expect("a pair");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let version = async |request: http::Request<axum::body::Body>| format!("{:?}", request.version());
    let acceptor = Acceptor {
        router: Router::new().route("/", get(version)),
        open_connections: OpenConnections::new(&Limits::default(), &[]),
        tls: Some(certificates.acceptor().expect("TLS")),
    };
    let stop = CancellationToken::new();
    let served = tokio::spawn(listener::keep(listener, acceptor, stop.clone()));

    assert_eq!(ask(&folder, &first, address).await.expect("an answer"), "HTTP/2.0", "by ALPN");
    let second = write_pair(&files);
    assert_eq!(ask(&folder, &first, address).await.expect("not looked at yet"), "HTTP/2.0");
    certificates.look_again();
    let error = ask(&folder, &first, address).await.expect_err("the old one is gone");
    assert!(matches!(error, SendError::Tls(_)), "{error:?}");
    assert_eq!(ask(&folder, &second, address).await.expect("an answer"), "HTTP/2.0");

    // The key of another certificate, and then no file at all.
    let kept = fs::read(&files.cert).expect("the second");
    write_pair(&files);
    fs::write(&files.cert, kept).expect("written");
    certificates.look_again();
    fs::remove_file(&files.key).expect("removed");
    certificates.look_again();
    assert_eq!(ask(&folder, &second, address).await.expect("the old one stays"), "HTTP/2.0");
    stop.cancel();
    served.await.expect("a graceful end");
}

#[test]
fn what_is_wrong_with_the_files_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = files(&folder);
    let say = || format!("{:#}", Certificates::open(&files).expect_err("refused"));
    assert!(say().contains("tls_cert") && say().contains("cannot be read; name a PEM file"), "{}", say());
    write_pair(&files);
    let key = fs::read(&files.key).expect("a key");
    write_pair(&files);
    fs::write(&files.key, key).expect("written");
    assert!(say().contains("is not the key of tls_cert"), "{}", say());
    fs::write(&files.key, "-----BEGIN PRIVATE KEY-----\n%secret%\n-----END PRIVATE KEY-----\n").expect("written");
    assert!(say().contains("holds no private key") && !say().contains("secret"), "{}", say());
    fs::write(&files.cert, "nothing").expect("written");
    assert!(say().contains("holds no certificate in PEM"), "{}", say());
}
