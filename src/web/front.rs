//! Before all routes: what is prepared is given at once.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Uri};
use tower::{Service, ServiceExt};

use super::answer::Form;
use super::pages;
use super::prepared::{Asked, Prepared};
use crate::app::App;

/// Longest address whose answer is prepared.
const LONGEST: usize = 512;

/// How late what other processes changed may be noticed.
const LATE: Duration = Duration::from_secs(1);

/// The routes, behind what is prepared. Cheap to clone.
#[derive(Clone)]
pub(super) struct Front {
    app: App,
    prepared: Prepared,
    routes: Router,
}

impl Front {
    pub(super) fn new(app: App, prepared: Prepared, routes: Router) -> Self {
        Self { app, prepared, routes }
    }

    async fn answer(self, mut request: Request) -> Result<Response, Infallible> {
        let is_head = request.method() == Method::HEAD;
        if (is_head || request.method() == Method::GET)
            && let Some(asked) = asked(request.uri(), request.headers())
            && self.app.db.catch_up(LATE).await.is_ok()
        {
            if !self.names_its_reader(&request)
                && let Some(answer) = self.prepared.fresh(&self.app, &asked.0).await
            {
                return Ok(answer.respond(request.headers(), is_head).await);
            }
            request.extensions_mut().insert(asked);
        }
        self.routes.oneshot(request).await
    }

    /// Whether the answer depends on who asks, or who asks is to be remembered: their documents are given behind that.
    fn names_its_reader(&self, request: &Request) -> bool {
        let signed = request.headers().contains_key("signature");
        (signed || self.app.config.federation.require_signed_fetch) && is_document(request.uri())
    }
}

/// What tells requests apart whose answers may differ: the form, the language and the address. `None` for an address that is too
/// long to be kept.
fn asked(uri: &Uri, headers: &HeaderMap) -> Option<Asked> {
    let address = uri.path_and_query().map_or("/", |address| address.as_str());
    if address.len() > LONGEST {
        return None;
    }
    let is_page = Form::wanted(headers) == Form::Page;
    let language = if is_page && (address == "/" || address.starts_with("/@") || address.starts_with("/?")) {
        pages::language(headers)
    } else {
        ""
    };
    let form = if is_page { "page" } else { "document" };
    Some(Asked([form, language, address].join(" ")))
}

fn is_document(uri: &Uri) -> bool {
    uri.path().starts_with("/ap/")
}

impl Service<Request> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.clone().answer(request).boxed()
    }
}
