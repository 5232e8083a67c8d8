//! Servers elsewhere, and the site's own, behind one TLS listener: people with faces and names, pictures, and what each
//! server says of how its users follow and answer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use clock::Clock;
use harness::{Peer, PeerKey, PeerSettings, Wire};
use http::{Request, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::SITE;

/// Its webfinger has the `subscribe` template of `OStatus`, as Mastodon's.
pub(crate) const LIGHTHOUSE: &str = "lighthouse.example";
/// Its webfinger has the intents of FEP-3b86.
pub(crate) const SHORE: &str = "shore.example";
/// Its webfinger says nothing of either.
pub(crate) const HARBOUR: &str = "harbour.example";
/// Where whoever means ill lives.
pub(crate) const EVIL: &str = "evil.example";

/// All simulated servers.
pub(crate) const HOSTS: [&str; 4] = [LIGHTHOUSE, SHORE, HARBOUR, EVIL];

const ACTIVITY_JSON: &str = "application/activity+json";

/// Pictures that are there, by name.
const PICTURES: [(&str, &[u8]); 7] = [
    ("bob.png", include_bytes!("pictures/bob.png")),
    ("chioma.png", include_bytes!("pictures/chioma.png")),
    ("layla.png", include_bytes!("pictures/layla.png")),
    ("mia.png", include_bytes!("pictures/mia.png")),
    ("boat.png", include_bytes!("pictures/boat.png")),
    ("landing.png", include_bytes!("pictures/landing.png")),
    ("gull.png", include_bytes!("pictures/gull.png")),
];

/// A simulated server; clones are the same one.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) peer: Peer,
    /// What each user's actor says beside what all say.
    people: Arc<HashMap<&'static str, Value>>,
}

/// The address of a picture on a server.
pub(crate) fn picture(host: &str, name: &str) -> String {
    format!("https://{host}/pictures/{name}")
}

/// What an actor with a name and a face says of them.
pub(crate) fn looks(host: &str, name: &str, face: Option<&str>) -> Value {
    let icon = face.map(|file| json!({ "type": "Image", "url": picture(host, file) }));
    json!({ "name": name, "icon": icon })
}

impl Server {
    /// A server whose users are `people`.
    pub(crate) fn new(host: &str, people: HashMap<&'static str, Value>, key: &PeerKey, wire: &Arc<dyn Wire>) -> Self {
        let users: Vec<&str> = people.keys().copied().collect();
        let mut settings = PeerSettings::new(&format!("https://{host}"), &users, Clock::system(), Arc::clone(wire));
        settings.key = Some(key.clone());
        Self { peer: Peer::new(settings).expect("a server"), people: Arc::new(people) }
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/users/{user}", get(actor))
            .route("/.well-known/webfinger", get(webfinger))
            .route("/authorize_interaction", get(welcome))
            .route("/intents/{what}", get(welcome))
            .with_state(self.clone())
            .merge(pictures())
            .fallback_service(self.peer.router())
    }
}

async fn actor(State(server): State<Server>, Path(user): Path<String>) -> Response {
    let Some(looks) = server.people.get(user.as_str()) else { return StatusCode::NOT_FOUND.into_response() };
    let (peer, id) = (&server.peer, server.peer.actor_id(&user));
    let mut document = json!({
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "id": id, "type": "Person", "preferredUsername": user, "url": format!("https://{}/@{user}", peer.host()),
        "inbox": format!("{id}/inbox"), "outbox": format!("{id}/outbox"), "followers": format!("{id}/followers"),
        "endpoints": { "sharedInbox": format!("https://{}/inbox", peer.host()) },
        "publicKey": { "id": peer.key_id(&user), "owner": id, "publicKeyPem": peer.key().public_pem() },
    });
    for (key, value) in looks.as_object().into_iter().flatten() {
        document[key] = value.clone();
    }
    ([(header::CONTENT_TYPE, ACTIVITY_JSON)], document.to_string()).into_response()
}

async fn webfinger(State(server): State<Server>, Query(query): Query<HashMap<String, String>>) -> Response {
    let host = server.peer.host();
    let user = query.get("resource").and_then(|resource| resource.strip_prefix("acct:")?.strip_suffix(host));
    let user = user.and_then(|user| user.strip_suffix('@')).filter(|user| server.people.contains_key(user));
    let Some(user) = user else { return StatusCode::NOT_FOUND.into_response() };
    let mut links = vec![json!({ "rel": "self", "type": ACTIVITY_JSON, "href": server.peer.actor_id(user) })];
    let mut lead =
        |rel: &str, path: &str| links.push(json!({ "rel": rel, "template": format!("https://{host}{path}") }));
    match host {
        LIGHTHOUSE => lead("http://ostatus.org/schema/1.0/subscribe", "/authorize_interaction?uri={uri}"),
        SHORE => {
            lead("http://ostatus.org/schema/1.0/subscribe", "/authorize_interaction?uri={uri}");
            lead("https://w3id.org/fep/3b86/Follow", "/intents/follow?object={object}");
            lead("https://w3id.org/fep/3b86/Create", "/intents/create?inReplyTo={inReplyTo}&content={content}");
        }
        // Would lead its readers to a third server, if it were let.
        EVIL => lead("http://ostatus.org/schema/1.0/subscribe", "@tracker.example/?uri={uri}"),
        _ => {}
    }
    let document = json!({ "subject": format!("acct:{user}@{host}"), "links": links });
    ([(header::CONTENT_TYPE, "application/jrd+json")], document.to_string()).into_response()
}

/// Where readers arrive.
async fn welcome(State(server): State<Server>) -> Html<String> {
    let host = server.peer.host();
    Html(format!("<!doctype html><html lang=\"en\"><title>{host}</title><h1>Welcome to {host}</h1>"))
}

fn pictures() -> Router {
    Router::new()
        .route("/pictures/{name}", get(async |Path(name): Path<String>| shown(&name)))
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
}

/// A picture; `broken.png` is none, `script.png` is a page.
fn shown(name: &str) -> Response {
    let png = [(header::CONTENT_TYPE, "image/png")];
    match (name, PICTURES.iter().find(|(known, _)| *known == name)) {
        (_, Some((_, bytes))) => (png, *bytes).into_response(),
        ("broken.png", None) => (png, &b"\x89PNG\r\n\x1a\nand no more"[..]).into_response(),
        ("script.png", None) => Html("<script>pwned('picture')</script>").into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The site, as far as anybody asks for more than its files: the picture beside each post.
fn site() -> Router {
    Router::new().route("/post/{post}/{name}", get(async |Path((_, name)): Path<(String, String)>| shown(&name)))
}

/// A listener for all hosts, and what proves who they are.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    /// The certificate, in PEM.
    pub(crate) certificate: String,
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

/// Takes a port of this machine; nobody is served yet.
pub(crate) async fn listen() -> Listening {
    let names: Vec<String> = HOSTS.iter().chain([&SITE]).map(ToString::to_string).collect();
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).expect("a key");
    let certificates: Vec<CertificateDer<'static>> = vec![made.cert.der().clone()];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("a server");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    Listening {
        address: listener.local_addr().expect("its address"),
        certificate: made.cert.pem(),
        listener,
        acceptor: TlsAcceptor::from(Arc::new(config)),
    }
}

/// Serves them until the future is dropped; `Host` says who is meant.
pub(crate) async fn serve(listening: Listening, servers: Vec<Server>) {
    let mut routers: HashMap<String, Router> =
        servers.iter().map(|server| (server.peer.host().to_owned(), server.router())).collect();
    routers.insert(SITE.to_owned(), site());
    let (routers, mut connections) = (Arc::new(routers), JoinSet::new());
    loop {
        let (stream, _) = listening.listener.accept().await.expect("a connection");
        while connections.try_join_next().is_some() {}
        let (routers, acceptor) = (Arc::clone(&routers), listening.acceptor.clone());
        connections.spawn(async move {
            // Who does not finish the handshake is gone, and that is their affair.
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
                let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
                let router = host.and_then(|host| routers.get(host)).cloned().unwrap_or_default();
                router.oneshot(request)
            });
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
