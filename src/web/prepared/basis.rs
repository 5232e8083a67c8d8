//! What an answer was made from: it may be given until any of that changes.

use axum::response::{IntoResponse, Response};
use clock::Timestamp;

use crate::app::App;
use crate::base::ids::ArticleId;
use crate::db::{Stamp, Topic};

/// What an answer is made from, noted before that is read.
#[derive(Clone, Debug, Default)]
pub(in crate::web) struct Basis {
    topics: Vec<(Topic<'static>, Stamp)>,
    /// It changes then by itself.
    until: Option<Timestamp>,
    /// Whoever has the answer has a copy of this article.
    pub(in crate::web) article: Option<ArticleId>,
}

impl Basis {
    pub(in crate::web) fn of(app: &App, topics: &[Topic<'static>]) -> Self {
        let mut basis = Self::default();
        for topic in topics {
            basis.add(app, *topic);
        }
        basis
    }

    pub(in crate::web) fn add(&mut self, app: &App, topic: Topic<'static>) {
        self.topics.push((topic, app.db.stamp(&[topic])));
    }

    /// It may be given until `at`, if that is a time.
    pub(in crate::web) fn until(&mut self, at: Option<Timestamp>) {
        self.until = [self.until, at].into_iter().flatten().min();
    }

    /// Marks an answer as made from this.
    pub(in crate::web) fn mark(self, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        response.extensions_mut().insert(self);
        response
    }

    /// Whether nothing of it has changed.
    pub(super) fn is_fresh(&self, app: &App) -> bool {
        self.topics.iter().all(|(topic, stamp)| app.db.stamp(&[*topic]) == *stamp)
            && self.until.is_none_or(|until| app.clock.now() < until)
    }
}
