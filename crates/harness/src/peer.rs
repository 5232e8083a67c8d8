//! A simulated server: its settings, what it remembers, and its own identity.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use clock::Clock;
use http::{HeaderValue, Method, Response};
use serde_json::Value;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use uuid::Uuid;

use super::fault::Fault;
use super::key::PeerKey;
use super::records::{Following, Received, Status};
use super::signing::{SignOptions, signed_request};
use super::timeline::Timeline;
use super::wire::Wire;
use super::{ACTIVITY_JSON, origin, require, verify};

/// Whose habits a simulated server has where they differ in what we can see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeerShape {
    /// Keys are fragments of the actor, and actors are shown to anybody.
    #[default]
    Mastodon,
    /// Keys are documents of their own, a stub at `/main-key` (C7); actors are shown to signed requests alone (C2),
    /// and no shared inbox is advertised. A known key changes only by an Update signed with it (R6).
    GoToSocial,
}

/// How a simulated server is set up.
#[derive(Clone)]
pub struct PeerSettings {
    /// Where it lives: `http://peer.test`, without a path.
    pub origin: String,
    /// The names of its users.
    pub users: Vec<String>,
    /// Whether its actors name a shared inbox.
    pub shared_inbox: bool,
    /// What time it believes it is.
    pub clock: Clock,
    /// What carries its requests.
    pub wire: Arc<dyn Wire>,
    /// The key of all its actors; a new one if absent. Peers may share one, to save time.
    pub key: Option<PeerKey>,
    /// Whose habits it has.
    pub shape: PeerShape,
    /// Longest body its inboxes take, in bytes; longer ones are answered 413. Mastodon's is 1,000,000, Misskey's
    /// 65,536 (R3).
    pub body_limit: usize,
}

impl PeerSettings {
    /// A server in Mastodon's shape with a shared inbox.
    #[must_use]
    pub fn new(origin: &str, users: &[&str], clock: Clock, wire: Arc<dyn Wire>) -> Self {
        Self {
            origin: origin.to_owned(),
            users: users.iter().map(ToString::to_string).collect(),
            shared_inbox: true,
            clock,
            wire,
            key: None,
            shape: PeerShape::Mastodon,
            body_limit: 1_000_000,
        }
    }
}

/// A simulated server; clones are the same server.
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    settings: PeerSettings,
    host: String,
    key: PeerKey,
    memory: Mutex<Memory>,
}

/// What a peer remembers.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) fault: Fault,
    /// POSTs to inboxes since the fault was set.
    pub(super) posts: u64,
    /// POSTs to inboxes in all.
    pub(super) arrivals: u64,
    pub(super) received: BTreeMap<u64, Received>,
    /// Who is told of each POST as it is answered.
    pub(super) listener: Option<UnboundedSender<Received>>,
    pub(super) problems: Vec<String>,
    /// By user and the followed actor's id.
    pub(super) follows: HashMap<(String, String), Following>,
    /// Documents of actors, by the address they came from.
    pub(super) actors: HashMap<String, Value>,
    /// Activities that took effect, by id (D12).
    pub(super) seen: HashSet<String>,
    pub(super) deleted_users: HashSet<String>,
    pub(super) timeline: Timeline,
    /// What the users wrote, by id.
    pub(super) statuses: BTreeMap<String, Status>,
    /// How many likes and boosts they gave.
    pub(super) opinions: usize,
}

impl Peer {
    /// Sets a server up; `router` or `by_host` then answers for it.
    ///
    /// # Errors
    /// When the origin is no `http` or `https` address without a path, or no key can be made.
    pub fn new(settings: PeerSettings) -> Result<Self, String> {
        let is_origin = origin(&settings.origin).as_deref() == Some(settings.origin.as_str());
        require(is_origin, format!("`{}` is no origin such as http://peer.test", settings.origin))?;
        let host = settings.origin.split("://").nth(1).unwrap_or_default().to_owned();
        let key = settings.key.clone().map_or_else(PeerKey::generate, Ok)?;
        Ok(Self(Arc::new(Inner { settings, host, key, memory: Mutex::default() })))
    }

    /// `host[:port]`: what `Host` says in requests meant for this server.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// The id of a user's actor.
    #[must_use]
    pub fn actor_id(&self, user: &str) -> String {
        format!("{}/users/{user}", self.origin())
    }

    /// The id of the key with which a user signs.
    #[must_use]
    pub fn key_id(&self, user: &str) -> String {
        let separator = if self.shape() == PeerShape::GoToSocial { '/' } else { '#' };
        format!("{}{separator}main-key", self.actor_id(user))
    }

    /// The key of all its actors.
    #[must_use]
    pub fn key(&self) -> &PeerKey {
        &self.0.key
    }

    /// What went wrong so far, in order: broken rules of what the bridge sent, and what a reader would not be shown.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        self.memory().problems.clone()
    }

    /// Every POST to an inbox that arrived, in order, whatever the answer.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.memory().received.values().cloned().collect()
    }

    /// From now on each POST to an inbox is also told here, as it is answered; who listened before is told no more.
    #[must_use]
    pub fn listen(&self) -> UnboundedReceiver<Received> {
        let (listener, told) = mpsc::unbounded_channel();
        self.memory().listener = Some(listener);
        told
    }

    /// From now on POSTs to the inboxes suffer this; counting starts anew.
    pub fn set_fault(&self, fault: Fault) {
        let mut memory = self.memory();
        memory.fault = fault;
        memory.posts = 0;
    }

    /// Forgets the actors and keys it fetched, as after a day.
    pub fn forget_actors(&self) {
        self.memory().actors.clear();
    }

    pub(super) fn origin(&self) -> &str {
        &self.0.settings.origin
    }

    pub(super) fn shape(&self) -> PeerShape {
        self.0.settings.shape
    }

    pub(super) fn shared_inbox(&self) -> Option<String> {
        let advertised = self.0.settings.shared_inbox && self.shape() == PeerShape::Mastodon;
        advertised.then(|| format!("{}/inbox", self.origin()))
    }

    pub(super) fn body_limit(&self) -> usize {
        self.0.settings.body_limit
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.settings.clock
    }

    pub(super) fn has_user(&self, user: &str) -> bool {
        self.0.settings.users.iter().any(|known| known == user)
    }

    #[expect(clippy::disallowed_methods, reason = "a simulated server is somebody else's, with its own names")]
    pub(super) fn new_id(&self) -> String {
        format!("{}/{}", self.origin(), Uuid::new_v4())
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn problem(&self, what: impl Into<String>) {
        self.memory().problems.push(what.into());
    }

    /// Sends as it is.
    pub(super) async fn send(&self, request: http::Request<Bytes>) -> Result<Response<Bytes>, String> {
        self.0.settings.wire.send(request).await
    }

    /// A GET signed by the server's own actor, so that two strict servers never wait for each other (C2, C3).
    pub(super) async fn signed_get(&self, address: &str) -> Result<Response<Bytes>, String> {
        self.signed_get_as(address, ACTIVITY_JSON).await
    }

    /// As [`Peer::signed_get`], asking for other media types.
    pub(super) async fn signed_get_as(&self, address: &str, accept: &'static str) -> Result<Response<Bytes>, String> {
        let key_id = format!("{}/actor#main-key", self.origin());
        let what = (Method::GET, address, Bytes::new());
        let mut request = signed_request(what, (&key_id, self.key()), self.clock().now(), &SignOptions::default())?;
        request.headers_mut().insert("accept", HeaderValue::from_static(accept));
        self.send(request).await
    }

    /// A document that must be served at exactly its own id (A22) in an ActivityPub media type (G6).
    pub(super) async fn document(&self, address: &str) -> Result<Value, Unread> {
        let answer = self.signed_get(address).await.map_err(Unread::Unreachable)?;
        let status = answer.status();
        if matches!(status.as_u16(), 404 | 410) {
            return Err(Unread::Gone(format!("{address} answers {status}")));
        }
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(Unread::Unreachable(format!("{address} answers {status}")));
        }
        let read = || {
            require(status.is_success(), format!("A22: {address} answers {status}"))?;
            let media = answer.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
            require(verify::is_activity_json(media), format!("G6: {address} is served as `{media}`"))?;
            let document: Value =
                serde_json::from_slice(answer.body()).map_err(|_| format!("A22: {address} is no JSON"))?;
            let id = document.get("id").and_then(Value::as_str).unwrap_or_default();
            require(id == address, format!("A22: {address} calls itself `{id}`"))?;
            Ok(document)
        };
        read().map_err(Unread::Wrong)
    }
}

/// Why a document could not be read.
#[derive(Debug)]
pub(super) enum Unread {
    /// Nobody answered, or not now.
    Unreachable(String),
    /// 404 or 410.
    Gone(String),
    /// It breaks a rule.
    Wrong(String),
}

impl Unread {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Unreachable(why) | Self::Gone(why) | Self::Wrong(why) => why,
        }
    }
}
