//! To a host, an object goes to one inbox first and to the others once that has accepted it. Two inboxes of one
//! `WordPress` that got a note at the same moment made two comments of it (interop U11).

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Waiting;

/// What an activity is about: a note of ours, an article, or itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Subject {
    Note(i64),
    Article(i64),
    Activity(i64),
}

impl Subject {
    fn of(waiting: &Waiting) -> Self {
        match (waiting.said, waiting.article) {
            (Some(note), _) => Self::Note(note.0),
            (None, Some(article)) => Self::Article(article.0),
            (None, None) => Self::Activity(waiting.activity.0),
        }
    }
}

/// The right to deliver an object to a host where no inbox has accepted it yet.
pub(super) struct FirstDelivery(OwnedMutexGuard<bool>);

impl FirstDelivery {
    /// It was accepted: the others need not wait for each other.
    pub(super) fn taken(mut self) {
        *self.0 = true;
    }
}

/// Which objects some inbox has accepted, while a host is served.
#[derive(Default)]
pub(super) struct FirstDeliveries(Mutex<HashMap<Subject, Arc<Mutex<bool>>>>);

impl FirstDeliveries {
    /// Waits until no first delivery of this object is under way; `None` once one was accepted.
    pub(super) async fn take(&self, waiting: &Waiting) -> Option<FirstDelivery> {
        let lock = self.0.lock().await.entry(Subject::of(waiting)).or_default().clone();
        let lock = lock.lock_owned().await;
        (!*lock).then_some(FirstDelivery(lock))
    }
}
