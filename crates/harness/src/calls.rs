//! What a simulated server's users do: follow, unfollow, leave; and requests that are wrong on purpose.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use super::found::Found;
use super::peer::Peer;
use super::records::{FollowState, Following};
use super::signing::{SignOptions, signed_request};
use super::{ACTIVITYSTREAMS, PUBLIC, require};

/// What a request was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, as far as it is text.
    pub body: String,
}

/// An activity that was sent and answered with success.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its id.
    pub id: String,
    /// The HTTP status.
    pub status: u16,
}

impl Peer {
    /// Follows an actor; its Accept shows in `follow_state` when it comes.
    ///
    /// # Errors
    /// When the inbox does not answer with success.
    pub async fn follow(&self, user: &str, found: &Found) -> Result<Sent, String> {
        let follow = json!({
            "@context": ACTIVITYSTREAMS,
            "id": self.new_id(),
            "type": "Follow",
            "actor": self.actor_id(user),
            "object": found.actor_id,
        });
        let following = Following {
            activity: follow.clone(),
            state: FollowState::Pending,
            inbox: found.shared_inbox.clone().unwrap_or_else(|| found.inbox.clone()),
        };
        self.memory().follows.insert((user.to_owned(), found.actor_id.clone()), following);
        self.deliver(user, &found.inbox, &follow).await
    }

    /// Takes a follow back, embedding it as Mastodon does (E14).
    ///
    /// # Errors
    /// When the user does not follow that actor, or the inbox does not answer with success.
    pub async fn unfollow(&self, user: &str, found: &Found) -> Result<Sent, String> {
        let key = (user.to_owned(), found.actor_id.clone());
        let mut follow = {
            let mut memory = self.memory();
            let following =
                memory.follows.get_mut(&key).ok_or_else(|| format!("{user} does not follow {}", found.actor_id))?;
            following.state = FollowState::Undone;
            following.activity.clone()
        };
        let id = format!("{}/undo", follow.get("id").and_then(Value::as_str).unwrap_or_default());
        if let Some(embedded) = follow.as_object_mut() {
            embedded.shift_remove("@context");
        }
        let actor = self.actor_id(user);
        let undo = json!({ "@context": ACTIVITYSTREAMS, "id": id, "type": "Undo", "actor": actor, "object": follow });
        self.deliver(user, &found.inbox, &undo).await
    }

    /// How far a user's follow of an actor has come; `None` if there never was one.
    #[must_use]
    pub fn follow_state(&self, user: &str, actor_id: &str) -> Option<FollowState> {
        self.memory().follows.get(&(user.to_owned(), actor_id.to_owned())).map(|following| following.state)
    }

    /// Ends an account as Mastodon does: Delete of the actor to every server it followed somebody on, and 410 for
    /// its documents at once (E11).
    ///
    /// # Errors
    /// When an inbox does not answer with success.
    pub async fn delete_account(&self, user: &str) -> Result<Vec<Sent>, String> {
        let actor = self.actor_id(user);
        let delete = json!({
            "@context": ACTIVITYSTREAMS,
            "id": format!("{actor}#delete"),
            "type": "Delete",
            "actor": actor,
            "to": [PUBLIC],
            "object": actor,
        });
        let inboxes: std::collections::BTreeSet<String> = {
            let mut memory = self.memory();
            memory.deleted_users.insert(user.to_owned());
            memory.follows.iter().filter(|((who, _), _)| who == user).map(|(_, follow)| follow.inbox.clone()).collect()
        };
        let mut sent = Vec::new();
        for inbox in inboxes {
            sent.push(self.deliver(user, &inbox, &delete).await?);
        }
        Ok(sent)
    }

    /// POSTs any JSON with a signature made as the options say.
    ///
    /// # Errors
    /// When the request cannot be built or nobody answers.
    pub async fn post_signed(
        &self,
        user: &str,
        address: &str,
        document: &Value,
        options: &SignOptions,
    ) -> Result<Answer, String> {
        let request = self.signed_post(user, address, document, options)?;
        self.exchange(request).await
    }

    /// POSTs any JSON, honestly signed and then tampered with.
    ///
    /// # Errors
    /// When the request cannot be built or nobody answers.
    pub async fn post_raw(
        &self,
        user: &str,
        address: &str,
        document: &Value,
        tamper: impl FnOnce(&mut Request<Bytes>) + Send,
    ) -> Result<Answer, String> {
        let mut request = self.signed_post(user, address, document, &SignOptions::default())?;
        tamper(&mut request);
        self.exchange(request).await
    }

    /// The signed request itself, for a test that sends it twice or later.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn signed_post(
        &self,
        user: &str,
        address: &str,
        document: &Value,
        options: &SignOptions,
    ) -> Result<Request<Bytes>, String> {
        let body = Bytes::from(document.to_string());
        let signer = self.key_id(user);
        signed_request((Method::POST, address, body), (&signer, self.key()), self.clock().now(), options)
    }

    /// Sends a request as it stands.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, String> {
        let answer = self.send(request).await?;
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        Ok(Answer { status: answer.status().as_u16(), body })
    }

    pub(super) async fn deliver(&self, user: &str, inbox: &str, activity: &Value) -> Result<Sent, String> {
        let answer = self.post_signed(user, inbox, activity, &SignOptions::default()).await?;
        let taken = (200..300).contains(&answer.status);
        require(taken, format!("{inbox} answers {}: {}", answer.status, answer.body))?;
        let id = activity.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Sent { id, status: answer.status })
    }
}
