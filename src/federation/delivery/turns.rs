//! Turns: of one host, a thing goes to one inbox first and to the others once that has taken it. Two inboxes of one `WordPress`
//! that got a note at the same moment made two comments of it (interop U11).

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Waiting;

/// What an activity is about: a note of ours, an article, or itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Thing {
    Note(i64),
    Article(i64),
    Activity(i64),
}

impl Thing {
    fn of(waiting: &Waiting) -> Self {
        match (waiting.said, waiting.article) {
            (Some(note), _) => Self::Note(note.0),
            (None, Some(article)) => Self::Article(article.0),
            (None, None) => Self::Activity(waiting.activity.0),
        }
    }
}

/// The right to bring a thing to a host that nobody there is known to have taken.
pub(super) struct First(OwnedMutexGuard<bool>);

impl First {
    /// It was taken: the others need not wait for each other.
    pub(super) fn taken(mut self) {
        *self.0 = true;
    }
}

/// Who goes first, for each thing, while a host is served.
#[derive(Default)]
pub(super) struct Turns(Mutex<HashMap<Thing, Arc<Mutex<bool>>>>);

impl Turns {
    /// Waits until nobody goes first with what this is about; `None` once somebody has brought it.
    pub(super) async fn take(&self, waiting: &Waiting) -> Option<First> {
        let turn = self.0.lock().await.entry(Thing::of(waiting)).or_default().clone();
        let turn = turn.lock_owned().await;
        (!*turn).then_some(First(turn))
    }
}
