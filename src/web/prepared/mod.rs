//! Answers that are made once for all who ask alike, and again only when something changed that they were made from: until then
//! they are given as the bytes that they are, without reading or rendering anything.

mod answer;
mod basis;
mod encodings;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use activitypub_federation::config::Data;
use axum::Extension;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::Method;
use moka::future::Cache;

pub(super) use self::answer::{Answer, Finished};
pub(super) use self::basis::Basis;

use super::error::Failure;
use crate::app::App;
use crate::base::figures;
use crate::base::ids::ArticleId;
use crate::db::{Cached, Topic};

/// What is asked for: the same for all whose answers are the same.
#[derive(Clone, Debug)]
pub(super) struct Asked(pub(super) String);

/// How often an answer is made once more, because it changed while it was made for another who asked.
const TRIES: usize = 3;

/// The prepared answers. Cheap to clone.
#[derive(Clone)]
pub(super) struct Prepared {
    answers: Cache<String, Arc<Answer>>,
    /// Bodies that many answers share: how they are asked for differs, and what they show does not.
    bodies: Cached<String, Bytes>,
}

/// An answer, prepared for all or made for this one alone.
pub(super) enum Made {
    Prepared(Arc<Answer>),
    Alone(Response),
}

impl Made {
    /// The article of which whoever has the answer has a copy.
    pub(super) fn article(&self) -> Option<ArticleId> {
        match self {
            Self::Prepared(answer) => answer.basis.article,
            Self::Alone(response) => response.extensions().get::<Basis>().and_then(|basis| basis.article),
        }
    }

    /// For a client that sent these headers.
    pub(super) async fn respond(self, asked: &http::request::Parts) -> Response {
        match self {
            Self::Prepared(answer) => answer.respond(&asked.headers, asked.method == Method::HEAD).await,
            Self::Alone(response) => response,
        }
    }
}

/// An answer that is not kept: the one who made it takes it, who waited for it makes their own.
struct Passing(Mutex<Option<Result<Response, Failure>>>);

impl Passing {
    fn new(result: Result<Response, Failure>) -> Self {
        Self(Mutex::new(Some(result)))
    }

    fn take(&self) -> Option<Result<Response, Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Prepared {
    pub(super) fn new(app: &App) -> Self {
        let most = u64::from(app.config.limits.prepared_mib.get()) * 1024 * 1024;
        let answers = Cache::builder()
            .max_capacity(most / 4 * 3)
            .weigher(|key: &String, answer: &Arc<Answer>| weight(key.len() + answer.weight()))
            .build();
        let bodies = Cached::weighed(most / 4, |key: &String, body: &Bytes| weight(key.len() + body.len()));
        Self { answers, bodies }
    }

    /// The answer to this, if there is one that is fresh.
    pub(super) async fn fresh(&self, app: &App, asked: &str) -> Option<Arc<Answer>> {
        let answer = self.answers.get(asked).await?;
        if answer.basis.is_fresh(app) {
            figures::prepared("hit");
            return Some(answer);
        }
        self.answers.invalidate(asked).await;
        None
    }

    /// The answer to this, made by `make` where there is none that is fresh; who asks the same meanwhile waits for it. It is kept
    /// if `make` says with a [`Basis`] what it was made from.
    pub(super) async fn get<M>(&self, app: &App, asked: &str, make: impl Fn() -> M + Sync) -> Result<Made, Failure>
    where
        M: Future<Output = Result<Response, Failure>> + Send,
    {
        for _ in 0..TRIES {
            if let Some(answer) = self.fresh(app, asked).await {
                return Ok(Made::Prepared(answer));
            }
            let ours = AtomicBool::new(false);
            let init = async {
                ours.store(true, Ordering::Relaxed);
                figures::prepared("miss");
                let response = make().await.map_err(|failure| Passing::new(Err(failure)))?;
                Answer::of(response).await.map(Arc::new).map_err(Passing::new)
            };
            match self.answers.try_get_with(asked.to_owned(), init).await {
                // What changed since one asked is not missed: whoever made it began after that.
                Ok(answer) if ours.into_inner() || answer.basis.is_fresh(app) => return Ok(Made::Prepared(answer)),
                Ok(_) => {}
                Err(passing) => {
                    if let Some(result) = passing.take() {
                        return result.map(Made::Alone);
                    }
                    break;
                }
            }
        }
        make().await.map(Made::Alone)
    }

    /// A body that is made of `topics` alone, and the same however it is asked for.
    pub(super) async fn body(
        &self,
        app: &App,
        key: String,
        topics: &[Topic<'_>],
        make: impl Future<Output = Result<Bytes, Failure>> + Send,
    ) -> Result<Bytes, Failure> {
        // One failure is the answer for all that waited.
        self.bodies.get(&app.db, key, topics, make).await.map_err(|failure| match &*failure {
            Failure::Gone(why) => Failure::Gone(why),
            Failure::NotFound(why) => Failure::NotFound(why),
            Failure::Database(error) => Failure::Database(sqlx::Error::Protocol(error.to_string())),
            Failure::Broken(why) => Failure::Broken(why.clone()),
            other => Failure::Broken(format!("cannot prepare an answer: {other:?}")),
        })
    }
}

fn weight(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Cleans or renders on a blocking thread, since that may take long.
pub(super) async fn rendered(
    render: impl FnOnce() -> Result<String, Failure> + Send + 'static,
) -> Result<Bytes, Failure> {
    let done = tokio::task::spawn_blocking(render).await;
    done.map_err(|error| Failure::Broken(format!("cannot render: {error}")))?.map(Bytes::from)
}

/// Around routes that answer all who ask alike the same: their answers are prepared.
pub(super) async fn keep(
    data: Data<App>,
    Extension(prepared): Extension<Prepared>,
    request: Request,
    next: Next,
) -> Response {
    let Some(Asked(asked)) = request.extensions().get::<Asked>().cloned() else { return next.run(request).await };
    let (head, _) = request.into_parts();
    let run = || {
        let mut head = head.clone();
        // Of which a HEAD is answered without its body.
        head.method = Method::GET;
        let next = next.clone();
        async move { Ok(next.run(Request::from_parts(head, Body::empty())).await) }
    };
    match prepared.get(&data, &asked, run).await {
        Ok(made) => made.respond(&head).await,
        Err(failure) => failure.into_response(),
    }
}
