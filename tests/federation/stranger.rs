//! A server put together by hand for one test: its documents, keys, signatures and answers, each in another software's
//! shape. It shares no protocol code with the bridge.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use clock::Clock;
use harness::{MemoryNet, PeerKey};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::world::{World, shared_key};

pub(crate) const CONTEXT: &str = "https://www.w3.org/ns/activitystreams";

/// A key with which a stranger signs.
#[derive(Clone)]
pub(crate) enum Key {
    Rsa(PeerKey),
    Ed25519(Arc<Ed25519KeyPair>),
}

impl Key {
    pub(crate) fn ed25519() -> Self {
        Self::Ed25519(Arc::new(Ed25519KeyPair::generate().expect("a key")))
    }

    fn sign(&self, text: &str) -> String {
        match self {
            Self::Rsa(key) => key.sign(text.as_bytes()).expect("signs"),
            Self::Ed25519(pair) => STANDARD.encode(pair.sign(text.as_bytes()).as_ref()),
        }
    }

    /// PEM, or the multibase of an Ed25519 key.
    pub(crate) fn public(&self) -> String {
        match self {
            Self::Rsa(key) => key.public_pem().to_owned(),
            Self::Ed25519(pair) => {
                let bytes = [&[0xed, 0x01], pair.public_key().as_ref()].concat();
                format!("z{}", bs58::encode(bytes).into_string())
            }
        }
    }
}

/// A request that a stranger was sent.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    /// The scheme of its signature, and with which key.
    pub(crate) fn scheme(&self) -> &'static str {
        let text = |name: &str| self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match (text("signature-input"), text("signature")) {
            (input, _) if input.contains("alg=\"ed25519\"") && input.contains("#ed25519-key\"") => "ed25519",
            (input, _) if input.contains("alg=\"rsa-v1_5-sha256\"") && input.contains("#main-key\"") => "rfc9421",
            ("", signature) if signature.contains("keyId=") => "cavage",
            _ => "unsigned",
        }
    }
}

type Answer = Box<dyn Fn(&Seen) -> u16 + Send>;

struct State {
    documents: HashMap<String, (String, String)>,
    moved: HashMap<String, String>,
    seen: Vec<Seen>,
    answer: Answer,
}

/// The server; clones are the same one.
#[derive(Clone)]
pub(crate) struct Stranger {
    pub(crate) host: String,
    clock: Clock,
    net: MemoryNet,
    state: Arc<Mutex<State>>,
}

/// What the bridge answered.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Stranger {
    /// A server that takes every POST.
    pub(crate) fn new(world: &World, host: &str) -> Self {
        let state = State {
            documents: HashMap::new(),
            moved: HashMap::new(),
            seen: Vec::new(),
            answer: Box::new(|seen| if seen.method == Method::POST { 202 } else { 200 }),
        };
        let stranger = Self {
            host: host.to_owned(),
            clock: world.clock.clone(),
            net: world.net.clone(),
            state: Arc::new(Mutex::new(state)),
        };
        let serving = stranger.clone();
        let router = Router::new().fallback(move |request: Request<Body>| {
            let serving = serving.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.expect("a body").to_bytes();
                serving.respond(&Request::from_parts(head, body))
            }
        });
        world.net.host(host, router);
        stranger
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic")
    }

    fn respond(&self, request: &Request<Bytes>) -> Response {
        let seen = Seen {
            method: request.method().clone(),
            target: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            headers: request.headers().clone(),
            body: request.body().clone(),
        };
        let mut state = self.state();
        let status = StatusCode::from_u16((state.answer)(&seen)).expect("a status");
        let found = state.documents.get(&seen.target).cloned();
        let moved = state.moved.get(&seen.target).cloned();
        let method = seen.method.clone();
        state.seen.push(seen);
        match (found, moved) {
            _ if !status.is_success() || method == Method::POST => status.into_response(),
            (Some((media, text)), _) => ([("content-type", media)], text).into_response(),
            (None, Some(to)) => (StatusCode::FOUND, [("location", to)]).into_response(),
            (None, None) => StatusCode::NOT_FOUND.into_response(),
        }
    }

    pub(crate) fn id(&self, path: &str) -> String {
        format!("https://{}{path}", self.host)
    }

    /// Serves a document at a path.
    pub(crate) fn serve(&self, path: &str, document: &Value) {
        self.serve_as(path, "application/activity+json", &document.to_string());
    }

    pub(crate) fn serve_as(&self, path: &str, media: &str, text: &str) {
        self.state().documents.insert(path.to_owned(), (media.to_owned(), text.to_owned()));
    }

    /// Redirects from a path to an address.
    pub(crate) fn redirect(&self, path: &str, to: &str) {
        self.state().moved.insert(path.to_owned(), to.to_owned());
    }

    /// From now on answers each request with what this says; a success serves what there is.
    pub(crate) fn answering(&self, answer: impl Fn(&Seen) -> u16 + Send + 'static) {
        self.state().answer = Box::new(answer);
    }

    /// What it was sent since this was last asked.
    pub(crate) fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state().seen)
    }

    /// The schemes of the POSTs it was sent since this was last asked.
    pub(crate) fn take_schemes(&self) -> Vec<&'static str> {
        self.take_seen().iter().filter(|seen| seen.method == Method::POST).map(Seen::scheme).collect()
    }

    /// An actor with everything but a key.
    pub(crate) fn actor(&self, path: &str) -> Value {
        let id = self.id(path);
        json!({
            "@context": [CONTEXT, "https://w3id.org/security/v1"], "id": id, "type": "Person",
            "preferredUsername": "ann", "inbox": format!("{id}/inbox"), "outbox": format!("{id}/outbox"),
        })
    }

    /// Serves an actor whose `publicKey` is this key at `#main-key`, as Mastodon does; answers its id and the key's.
    pub(crate) fn serve_actor(&self, path: &str, key: &Key) -> (String, String) {
        let (mut actor, id) = (self.actor(path), self.id(path));
        let key_id = format!("{id}#main-key");
        actor["publicKey"] = json!({ "id": key_id, "owner": id, "publicKeyPem": key.public() });
        self.serve(path, &actor);
        (id, key_id)
    }

    /// A Like by an actor, each with its own id.
    pub(crate) fn like(&self, actor: &str, number: u32, object: &str) -> Value {
        json!({ "@context": CONTEXT, "id": self.id(&format!("/likes/{number}")), "type": "Like", "actor": actor, "object": object })
    }

    /// A POST signed as draft-cavage has it, over these headers in this order.
    pub(crate) fn cavage(&self, how: &Cavage<'_>, url: &str, body: &Value) -> Request<Bytes> {
        let body = Bytes::from(body.to_string());
        let uri: http::Uri = url.parse().expect("an address");
        let hash = STANDARD.encode(digest(&SHA256, &body));
        let headers = [
            ("host", uri.authority().expect("a host").to_string()),
            ("date", how.date.map_or_else(|| self.clock.now().http_date(), str::to_owned)),
            ("digest", how.digest.map_or_else(|| format!("SHA-256={hash}"), str::to_owned)),
            ("content-type", how.content_type.to_owned()),
            ("content-length", body.len().to_string()),
        ];
        let value = |name: &str| match name {
            "(request-target)" => format!("post {}", uri.path_and_query().expect("a path")),
            "(created)" => self.clock.now().seconds().to_string(),
            "(expires)" => (self.clock.now().seconds() + 300).to_string(),
            name => headers.iter().find(|(known, _)| *known == name).expect("a header").1.clone(),
        };
        let lines: Vec<String> = how.signed.split(' ').map(|name| format!("{name}: {}", value(name))).collect();
        let signature = how.key.sign(&lines.join("\n"));
        let times = if how.signed.contains("(created)") {
            format!("created={},expires={},", value("(created)"), value("(expires)"))
        } else {
            String::new()
        };
        let header = format!(
            r#"keyId="{}",algorithm="{}",{times}headers="{}",signature="{signature}""#,
            how.key_id, how.algorithm, how.signed
        );
        request(&uri, &headers, &[("signature", header)], body)
    }

    /// A POST signed as RFC 9421 has it: these components, and what follows them.
    pub(crate) fn message(&self, how: &Message<'_>, url: &str, body: &Value) -> Request<Bytes> {
        let body = Bytes::from(body.to_string());
        let uri: http::Uri = url.parse().expect("an address");
        let hash = STANDARD.encode(digest(&SHA256, &body));
        let headers = [
            ("host", uri.authority().expect("a host").to_string()),
            ("date", self.clock.now().http_date()),
            ("content-digest", format!("sha-256=:{hash}:")),
            ("content-type", "application/activity+json".to_owned()),
        ];
        let line = |name: &str| {
            let value = match name {
                "@method" => "POST".to_owned(),
                "@target-uri" => url.to_owned(),
                "@authority" => uri.authority().expect("a host").to_string(),
                name => headers.iter().find(|(known, _)| *known == name).expect("a header").1.clone(),
            };
            format!("\"{name}\": {value}\n")
        };
        let lines: String = how.signed.split(' ').map(line).collect();
        let names: Vec<String> = how.signed.split(' ').map(|name| format!("\"{name}\"")).collect();
        let input = format!(
            "({});created={};keyid=\"{}\"{}",
            names.join(" "),
            self.clock.now().seconds(),
            how.key_id,
            how.parameters
        );
        let signature = how.key.sign(&format!("{lines}\"@signature-params\": {input}"));
        let label = how.label;
        let signed = [("signature-input", format!("{label}={input}")), ("signature", format!("{label}=:{signature}:"))];
        request(&uri, &headers, &signed, body)
    }

    /// Asks for a document, unsigned.
    pub(crate) async fn ask(&self, url: &str) -> Told {
        let request = Request::get(url).header("accept", "application/activity+json").body(Bytes::new());
        self.send(request.expect("a request")).await
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Told {
        let (head, body) = self.net.dispatch(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Told { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Sends a Like of its actor in Mastodon's shape.
    pub(crate) async fn send_like(&self, number: u32, key: &Key, key_id: &str, to: &To<'_>) -> Told {
        let like = self.like(to.actor, number, to.object);
        let how = Cavage { key, key_id, ..Cavage::default() };
        self.send(self.cavage(&how, to.inbox, &like)).await
    }
}

/// Who does it to what, and where it is sent.
pub(crate) struct To<'a> {
    pub(crate) actor: &'a str,
    pub(crate) object: &'a str,
    pub(crate) inbox: &'a str,
}

/// How a request is signed after draft-cavage; the default is Mastodon's.
pub(crate) struct Cavage<'a> {
    pub(crate) key: &'a Key,
    pub(crate) key_id: &'a str,
    pub(crate) signed: &'a str,
    pub(crate) algorithm: &'a str,
    pub(crate) content_type: &'a str,
    /// In place of the clock's.
    pub(crate) date: Option<&'a str>,
    /// In place of the body's.
    pub(crate) digest: Option<&'a str>,
}

impl Default for Cavage<'_> {
    fn default() -> Self {
        static SHARED: std::sync::OnceLock<Key> = std::sync::OnceLock::new();
        Self {
            key: SHARED.get_or_init(|| Key::Rsa(shared_key())),
            key_id: "",
            signed: "(request-target) host date digest content-type",
            algorithm: "rsa-sha256",
            content_type: "application/activity+json",
            date: None,
            digest: None,
        }
    }
}

/// How a request is signed after RFC 9421.
pub(crate) struct Message<'a> {
    pub(crate) key: &'a Key,
    pub(crate) key_id: &'a str,
    pub(crate) label: &'a str,
    pub(crate) signed: &'a str,
    /// What follows `created` and `keyid`.
    pub(crate) parameters: &'a str,
}

fn request(
    uri: &http::Uri,
    headers: &[(&'static str, String)],
    signed: &[(&'static str, String)],
    body: Bytes,
) -> Request<Bytes> {
    let mut request = Request::post(uri.clone()).body(body).expect("a request");
    for (name, value) in headers.iter().chain(signed) {
        request.headers_mut().insert(HeaderName::from_static(name), HeaderValue::try_from(value).expect("a value"));
    }
    request
}
