//! The inboxes of a simulated server: what came is checked, remembered and applied.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::request::Parts;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};

use super::fault::{Fault, Spoilt};
use super::json::{addresses, text};
use super::peer::{Peer, PeerShape, Unread};
use super::records::{FollowState, Received};
use super::shape::object_id;
use super::timeline::Entry;
use super::wire::HangUp;
use super::{ACTIVITYSTREAMS, require, shape, verify};

/// Longest body that is read at all, in bytes, so that one over the peer's own limit can still be recorded.
const READ_MAX: usize = 8 << 20;

/// Why an activity is not taken.
struct Refusal {
    status: u16,
    why: String,
    /// Whether the sender is to blame.
    problem: bool,
}

impl Refusal {
    fn new(status: u16, why: impl Into<String>) -> Self {
        Self { status, why: why.into(), problem: true }
    }

    fn unread(unread: Unread) -> Self {
        match unread {
            // Not the sender's mistake, and worth another try (C10).
            Unread::Unreachable(why) => Self { status: 503, why, problem: false },
            Unread::Gone(why) | Unread::Wrong(why) => Self::new(401, why),
        }
    }
}

impl Peer {
    /// What one of the users sees of those they follow: articles and answers in the order in which they came, gone ones included.
    #[must_use]
    pub fn timeline(&self, user: &str) -> Vec<Entry> {
        let memory = self.memory();
        let accepted = memory.follows.iter().filter(|(_, follow)| follow.state == FollowState::Accepted);
        let follows = accepted.filter(|((who, _), _)| who == user).map(|((_, actor), _)| actor.clone()).collect();
        memory.timeline.seen_by(&follows)
    }

    /// What calls one of the users by name, in the order in which it came, gone ones included (B11).
    #[must_use]
    pub fn mentions(&self, user: &str) -> Vec<Entry> {
        self.memory().timeline.mentioning(&self.actor_id(user))
    }

    /// Takes a POST to an inbox; `user` is `None` for the shared one.
    pub(super) async fn take(self, user: Option<String>, request: Request<Body>) -> Response {
        let (fault, number) = self.next_post();
        let at = self.clock().now();
        match &fault {
            Fault::Down => return hang_up(),
            Fault::Slow(delay) => tokio::time::sleep(*delay).await,
            _ => {}
        }
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, READ_MAX).collect().await.map(http_body_util::Collected::to_bytes) else {
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        };
        let activity = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let judged = self.judge(&parts, &body, &activity).await;
        if let Err(Refusal { why, problem: true, .. }) = &judged {
            self.problem(format!("{} {}: {why}", parts.uri.path(), text(&activity, "type").unwrap_or("?")));
        }
        let refused_by_fault = answer_of(&fault);
        let taken = judged.is_ok() && refused_by_fault.as_ref().is_none_or(|answer| takes(&fault, answer));
        if taken {
            self.apply(&activity, user.as_deref()).await;
        }
        let answer = refused_by_fault.unwrap_or_else(|| match &judged {
            Ok(()) => StatusCode::ACCEPTED.into_response(),
            Err(refusal) => {
                let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::UNAUTHORIZED);
                (status, refusal.why.clone()).into_response()
            }
        });
        let answered = !matches!(fault, Fault::DropAfterAccepting);
        let field = |key: &str| text(&activity, key).unwrap_or_default().to_owned();
        let received = Received {
            at,
            inbox: parts.uri.path().to_owned(),
            kind: field("type"),
            id: field("id"),
            object_id: object_id(&activity).unwrap_or_default().to_owned(),
            verified: judged.map_err(|refusal| refusal.why),
            taken,
            status: answered.then(|| answer.status().as_u16()),
            activity,
        };
        let mut memory = self.memory();
        if let Some(listener) = &memory.listener {
            // Whoever listened may have gone.
            let _ = listener.send(received.clone());
        }
        memory.received.insert(number, received);
        drop(memory);
        if answered { answer } else { hang_up() }
    }

    /// The fault the next POST suffers, and the POST's place in the order of arrival.
    fn next_post(&self) -> (Fault, u64) {
        let mut memory = self.memory();
        memory.posts += 1;
        memory.arrivals += 1;
        (memory.fault.at(memory.posts), memory.arrivals)
    }

    /// Holds a POST to every rule: transport, signature, signer, document.
    async fn judge(&self, parts: &Parts, body: &Bytes, activity: &Value) -> Result<(), Refusal> {
        if body.len() > self.body_limit() {
            let why = format!("R3: the body has {} bytes", body.len());
            return Err(Refusal { status: 413, why, problem: false });
        }
        let unauthorized = |why: String| Refusal::new(401, why);
        if parts.headers.contains_key("signature-input") {
            // As most servers: RFC 9421 is unknown here, and a sender may try it (C14).
            let why = "C14: this server reads draft-cavage alone".to_owned();
            return Err(Refusal { status: 401, why, problem: false });
        }
        let claim = verify::inspect(parts, body, self.host(), self.clock().now()).map_err(unauthorized)?;
        let actor = text(activity, "actor").unwrap_or_default();
        if text(activity, "type") == Some("Delete") && object_id(activity) == Some(actor) && !self.knows_actor(actor) {
            // Nothing is fetched for it (E11).
            return Err(Refusal { status: 202, why: format!("E11: {actor} is unknown here"), problem: false });
        }
        let (mut owner, pem) = self.key_owner(&claim.key_id, false).await.map_err(Refusal::unread)?;
        if claim.verify(&pem).is_err() {
            require(self.shape() != PeerShape::GoToSocial, "R6: the key is not the one that is known here")
                .map_err(unauthorized)?;
            // The key may have changed since it was fetched (C8).
            let (fresh_owner, fresh_pem) = self.key_owner(&claim.key_id, true).await.map_err(Refusal::unread)?;
            claim.verify(&fresh_pem).map_err(unauthorized)?;
            owner = fresh_owner;
        }
        require(owner == actor, format!("C9: {owner} signed what {actor} says")).map_err(unauthorized)?;
        shape::check(activity).map_err(|why| Refusal::new(400, why))
    }

    /// What a verified activity does; what it cannot do becomes a problem. A repeated id does nothing (D12).
    async fn apply(&self, activity: &Value, user: Option<&str>) {
        let id = text(activity, "id").unwrap_or_default().to_owned();
        if !self.memory().seen.insert(id.clone()) {
            return;
        }
        if let Err(why) = self.effect(activity, user).await {
            self.problem(format!("{id}: {why}"));
        }
    }

    async fn effect(&self, activity: &Value, user: Option<&str>) -> Result<(), String> {
        let actor = text(activity, "actor").unwrap_or_default();
        match text(activity, "type").unwrap_or_default() {
            "Accept" => self.answered(activity, FollowState::Accepted),
            "Reject" => self.answered(activity, FollowState::Rejected),
            "Follow" => self.accept(activity),
            "Create" => {
                if !self.related(activity, user)? {
                    // Taken with 202, and shown to nobody; nor is what follows it.
                    self.memory().timeline.ignore(object_id(activity).unwrap_or_default());
                    return Ok(());
                }
                let Some(object) = self.whole_object(activity).await? else { return Ok(()) };
                self.check_conversation(&object)?;
                self.memory().timeline.create(actor, &object)
            }
            "Update" if object_id(activity) == Some(actor) => {
                let mut memory = self.memory();
                memory.actors.remove(actor);
                if let (PeerShape::GoToSocial, Some(object)) = (self.shape(), activity.get("object")) {
                    // The only way to a new key (R6).
                    memory.actors.insert(actor.to_owned(), object.clone());
                }
                Ok(())
            }
            "Update" => {
                let Some(object) = self.whole_object(activity).await? else { return Ok(()) };
                self.memory().timeline.update(actor, &object)
            }
            "Delete" if object_id(activity) == Some(actor) => {
                self.memory().timeline.delete_author(actor);
                Ok(())
            }
            "Delete" => self.memory().timeline.delete(actor, object_id(activity).unwrap_or_default()),
            "Announce" => self.announced(activity).await,
            _ => Ok(()),
        }
    }

    /// An Accept or Reject of one of our follows, matched by its id, else by who follows whom (D8).
    fn answered(&self, answer: &Value, state: FollowState) -> Result<(), String> {
        let follow = answer.get("object").unwrap_or(&Value::Null);
        let actor = text(answer, "actor").unwrap_or_default();
        let mut memory = self.memory();
        let ours = memory.follows.iter_mut().find(|((user, followed), following)| {
            followed == actor
                && (text(&following.activity, "id") == text(follow, "id")
                    || text(follow, "actor") == Some(&self.actor_id(user)))
        });
        let (_, following) = ours.ok_or(format!("D8: {actor} answers a Follow that was never sent"))?;
        let whole = ["id", "type", "actor", "object"].iter().all(|key| following.activity.get(key) == follow.get(key));
        // An answer to an earlier Follow may cross a later one or an Undo.
        if following.state != FollowState::Undone {
            following.state = state;
        }
        require(whole || state == FollowState::Rejected, "D8: the embedded Follow is not the one that was sent")
    }

    /// Our users let themselves be followed by anybody: an Accept goes out beside the answer.
    fn accept(&self, follow: &Value) -> Result<(), String> {
        let followed = text(follow, "object").unwrap_or_default();
        let user = followed.strip_prefix(&self.actor_id("")).unwrap_or_default().to_owned();
        require(self.has_user(&user), format!("E2: nobody here is {followed}"))?;
        let asker = text(follow, "actor").unwrap_or_default().to_owned();
        let mut embedded = follow.clone();
        if let Some(map) = embedded.as_object_mut() {
            map.shift_remove("@context");
        }
        let accept = json!({
            "@context": ACTIVITYSTREAMS, "id": self.new_id(), "type": "Accept", "actor": followed, "object": embedded,
        });
        let peer = self.clone();
        tokio::spawn(async move {
            let sent = async {
                let document = peer.document(&asker).await.map_err(Unread::into_text)?;
                let inbox = text(&document, "inbox").ok_or(format!("A7: {asker} has no inbox"))?;
                peer.deliver(&user, inbox, &accept).await
            };
            if let Err(why) = sent.await {
                peer.problem(why);
            }
        });
        Ok(())
    }

    /// Whether Mastodon would keep a Create: somebody here follows its actor, or it is meant for somebody here (B9).
    fn related(&self, activity: &Value, user: Option<&str>) -> Result<bool, String> {
        let actor = text(activity, "actor").unwrap_or_default();
        let addressed = addresses(activity).any(|one| one.starts_with(&self.actor_id("")));
        let states: Vec<FollowState> = {
            let memory = self.memory();
            memory.follows.iter().filter(|((_, who), _)| who == actor).map(|(_, follow)| follow.state).collect()
        };
        if user.is_some() || addressed || states.contains(&FollowState::Accepted) {
            return Ok(true);
        }
        if let Some(answered) = activity.pointer("/object/inReplyTo").and_then(Value::as_str) {
            return Ok(self.has_status(answered) || self.follows_author_of(answered));
        }
        // An article may cross the end of the follow on its way.
        require(states.contains(&FollowState::Undone), format!("B9: nobody here follows {actor}"))?;
        Ok(false)
    }

    /// Whether somebody here follows the author of a known post.
    fn follows_author_of(&self, id: &str) -> bool {
        let memory = self.memory();
        let author = memory.timeline.object(id).and_then(|object| text(object, "attributedTo"));
        let mut follows = memory.follows.iter().filter(|(_, follow)| follow.state == FollowState::Accepted);
        author.is_some_and(|author| follows.any(|((_, followed), _)| followed == author))
    }

    /// An answer to a known post stands in the same conversation (B20).
    fn check_conversation(&self, object: &Value) -> Result<(), String> {
        let Some(answered) = text(object, "inReplyTo") else { return Ok(()) };
        let Some(context) = self.context_of(answered) else { return Ok(()) };
        let id = text(object, "id").unwrap_or_default();
        require(object.get("context") == Some(&context), format!("B20: {id} leaves the conversation of {answered}"))
    }

    /// The object of a Create or Update: embedded, or fetched where only its id came (R3); `None` if it is gone.
    async fn whole_object(&self, activity: &Value) -> Result<Option<Value>, String> {
        let Some(id) = text(activity, "object") else { return Ok(activity.get("object").cloned()) };
        match self.document(id).await {
            Ok(object) => shape::check_post(&object).map(|()| Some(object)),
            Err(Unread::Gone(_)) => Ok(None),
            Err(unread) => Err(unread.into_text()),
        }
    }

    /// The object of an Announce is never believed, always fetched from its own address (E12, A22).
    async fn announced(&self, announce: &Value) -> Result<(), String> {
        let id = text(announce, "object").unwrap_or_default();
        let fetched = if self.memory().timeline.wants(id) {
            match self.document(id).await {
                Ok(object) => Some(object),
                // Gone since it was announced: a reader never sees it.
                Err(Unread::Gone(_)) => return Ok(()),
                Err(Unread::Unreachable(_)) => None,
                Err(Unread::Wrong(why)) => return Err(why),
            }
        } else {
            None
        };
        self.memory().timeline.announce(announce, fetched.as_ref())
    }
}

/// The answer of a fault that takes nothing; `None` for the others.
fn answer_of(fault: &Fault) -> Option<Response> {
    let status = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match fault {
        Fault::Status(code) => Some(status(*code).into_response()),
        Fault::RetryAfter { status: code, seconds } => {
            Some((status(*code), [(header::RETRY_AFTER, seconds.to_string())]).into_response())
        }
        Fault::Spoilt { status: code, body } => Some((status(*code), spoilt(*body)).into_response()),
        Fault::Redirect(to) => Some((StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to.clone())]).into_response()),
        _ => None,
    }
}

/// Whether the answer of a fault is that of a server which took the request all the same.
fn takes(fault: &Fault, answer: &Response) -> bool {
    matches!(fault, Fault::Spoilt { .. }) && answer.status().is_success()
}

fn spoilt(body: Spoilt) -> Response {
    let begun = || Ok::<_, std::io::Error>(Bytes::from_static(b"Well,"));
    match body {
        Spoilt::Long => "x".repeat(70_000).into_response(),
        Spoilt::Pausing => Body::from_stream(stream::iter([begun()]).chain(stream::pending())).into_response(),
        Spoilt::NoGzip => ([(header::CONTENT_ENCODING, "gzip")], "no gzip").into_response(),
        Spoilt::CutOff => {
            Body::from_stream(stream::iter([begun(), Err(std::io::ErrorKind::ConnectionReset.into())])).into_response()
        }
    }
}

/// An answer nobody gets: the connection is closed in its place.
fn hang_up() -> Response {
    let mut answer = StatusCode::BAD_GATEWAY.into_response();
    answer.extensions_mut().insert(HangUp);
    answer
}
