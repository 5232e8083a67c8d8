//! The addresses of a simulated server, and several servers behind one listener.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::peer::{Peer, PeerShape};
use super::{ACTIVITY_JSON, ACTIVITYSTREAMS, verify};

const NODEINFO: &str = "http://nodeinfo.diaspora.software/ns/schema/2.0";

/// Several servers behind one listener: `Host` says which is meant, and 421 that none is.
pub fn by_host(peers: Vec<Peer>) -> Router {
    let routers: HashMap<String, Router> =
        peers.into_iter().map(|peer| (peer.host().to_owned(), peer.router())).collect();
    Router::new().fallback(dispatch).with_state(Arc::new(routers))
}

async fn dispatch(State(routers): State<Arc<HashMap<String, Router>>>, request: Request<Body>) -> Response {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let router = named.and_then(|host| routers.get(&host.to_ascii_lowercase())).cloned();
    match router {
        Some(router) => router.oneshot(request).await.into_response(),
        None => StatusCode::MISDIRECTED_REQUEST.into_response(),
    }
}

impl Peer {
    /// What answers for this server: discovery, actors, collections, posts of its users and inboxes. On a real socket it belongs behind
    /// `harness::serve`, which knows how to hang up.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/.well-known/webfinger", get(webfinger))
            .route("/.well-known/nodeinfo", get(nodeinfo_links))
            .route("/nodeinfo/2.0", get(nodeinfo))
            .route("/actor", get(instance))
            .route("/inbox", post(shared_inbox))
            // The inbox of the instance actor takes what any other does, as Mastodon's.
            .route("/actor/inbox", post(shared_inbox))
            .route("/users/{user}", get(actor))
            .route("/users/{user}/inbox", post(personal_inbox))
            .route("/users/{user}/{part}", get(part))
            .route("/users/{user}/statuses/{number}", get(status))
            .route("/users/{user}/statuses/{number}/replies", get(replies))
            .with_state(self.clone())
    }

    /// Whether a GET may see an actor: on a strict server only with a good signature (C2).
    async fn allows(&self, request: Request<Body>) -> Result<(), Response> {
        if self.shape() == PeerShape::Mastodon {
            return Ok(());
        }
        let (parts, _) = request.into_parts();
        let verified = async {
            let claim = verify::inspect(&parts, &Bytes::new(), self.host(), self.clock().now())?;
            let (_, pem) = self.key_owner(&claim.key_id, false).await.map_err(super::peer::Unread::into_text)?;
            claim.verify(&pem)
        };
        verified.await.map_err(|why| (StatusCode::UNAUTHORIZED, why).into_response())
    }

    /// The status of a user who is not here, or no longer.
    fn absent(&self, user: &str) -> Option<Response> {
        if self.memory().deleted_users.contains(user) {
            return Some(StatusCode::GONE.into_response());
        }
        (!self.has_user(user)).then(|| StatusCode::NOT_FOUND.into_response())
    }
}

async fn webfinger(State(peer): State<Peer>, Query(query): Query<HashMap<String, String>>) -> Response {
    let Some(resource) = query.get("resource") else { return StatusCode::BAD_REQUEST.into_response() };
    let account = resource.strip_prefix("acct:").and_then(|account| account.rsplit_once('@'));
    let user = match account {
        Some((user, host)) if host.eq_ignore_ascii_case(peer.host()) => user.trim_start_matches('@').to_lowercase(),
        Some(_) => return StatusCode::NOT_FOUND.into_response(),
        None => resource.strip_prefix(&peer.actor_id("")).unwrap_or_default().to_owned(),
    };
    if let Some(absent) = peer.absent(&user) {
        return absent;
    }
    let id = peer.actor_id(&user);
    let document = json!({
        "subject": format!("acct:{user}@{}", peer.host()),
        "aliases": [id],
        "links": [{ "rel": "self", "type": ACTIVITY_JSON, "href": id }],
    });
    let headers = [(header::CONTENT_TYPE, "application/jrd+json"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, document.to_string()).into_response()
}

async fn nodeinfo_links(State(peer): State<Peer>) -> Response {
    let href = format!("{}/nodeinfo/2.0", peer.origin());
    json_answer("application/json", &json!({ "links": [{ "rel": NODEINFO, "href": href }] }))
}

async fn nodeinfo(State(peer): State<Peer>) -> Response {
    let document = json!({
        "version": "2.0",
        "software": peer.software(),
        "protocols": ["activitypub"],
        "services": { "inbound": [], "outbound": [] },
        "openRegistrations": false,
        "usage": { "users": {} },
        "metadata": {},
    });
    json_answer("application/json", &document)
}

async fn instance(State(peer): State<Peer>) -> Response {
    json_answer(ACTIVITY_JSON, &peer.instance_document())
}

async fn actor(State(peer): State<Peer>, Path(user): Path<String>, request: Request<Body>) -> Response {
    if let Some(absent) = peer.absent(&user) {
        return absent;
    }
    match peer.allows(request).await {
        Ok(()) => json_answer(ACTIVITY_JSON, &peer.actor_document(&user)),
        Err(refusal) => refusal,
    }
}

/// A key stub, or an empty collection.
async fn part(
    State(peer): State<Peer>,
    Path((user, part)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    if let Some(absent) = peer.absent(&user) {
        return absent;
    }
    match part.as_str() {
        "main-key" if peer.shape() == PeerShape::GoToSocial => json_answer(ACTIVITY_JSON, &peer.key_document(&user)),
        "outbox" | "followers" | "following" => match peer.allows(request).await {
            Ok(()) => {
                let id = format!("{}/{part}", peer.actor_id(&user));
                let collection =
                    json!({ "@context": ACTIVITYSTREAMS, "id": id, "type": "OrderedCollection", "totalItems": 0 });
                json_answer(ACTIVITY_JSON, &collection)
            }
            Err(refusal) => refusal,
        },
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A user's post; 404 for one that was deleted, as Mastodon has it.
async fn status(
    State(peer): State<Peer>,
    Path((user, number)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    let id = format!("{}/statuses/{number}", peer.actor_id(&user));
    shown(&peer, &user, &id, request, Some).await
}

/// What is known of the answers to a user's post (B18).
async fn replies(
    State(peer): State<Peer>,
    Path((user, number)): Path<(String, String)>,
    request: Request<Body>,
) -> Response {
    let id = format!("{}/statuses/{number}", peer.actor_id(&user));
    let collection = |_: Value| {
        let mut collection = peer.replies_of(&id);
        collection.as_object_mut()?.insert("@context".to_owned(), ACTIVITYSTREAMS.into());
        Some(collection)
    };
    shown(&peer, &user, &id, request, collection).await
}

/// What is made of a user's post, for whoever may see it.
async fn shown(
    peer: &Peer,
    user: &str,
    id: &str,
    request: Request<Body>,
    make: impl FnOnce(Value) -> Option<Value>,
) -> Response {
    if let Some(absent) = peer.absent(user) {
        return absent;
    }
    if let Err(refusal) = peer.allows(request).await {
        return refusal;
    }
    match peer.status_document(id).and_then(make) {
        Some(document) => json_answer(ACTIVITY_JSON, &document),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn shared_inbox(State(peer): State<Peer>, request: Request<Body>) -> Response {
    to_the_end(peer.take(None, request)).await
}

async fn personal_inbox(State(peer): State<Peer>, Path(user): Path<String>, request: Request<Body>) -> Response {
    if let Some(absent) = peer.absent(&user) {
        return absent;
    }
    to_the_end(peer.take(Some(user), request)).await
}

/// Runs on even when the sender goes away, so that nothing is taken by halves.
async fn to_the_end(work: impl Future<Output = Response> + Send + 'static) -> Response {
    tokio::spawn(work).await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn json_answer(media: &'static str, document: &Value) -> Response {
    ([(header::CONTENT_TYPE, media)], document.to_string()).into_response()
}
