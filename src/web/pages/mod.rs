//! Pages for people: the home page, profiles, posts with their conversation, the two dialogs, feeds, and errors.

mod account_card;
pub(super) mod content;
mod dialog;
mod feeds;
mod follow;
mod home;
mod listed;
pub(super) mod post;
mod profile;
mod reply;
mod words;

use askama::Template;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CONTENT_LANGUAGE, LINK};
use http::{HeaderMap, HeaderValue};

use self::words::Words;
use super::answer::{Document, Spoken};
use super::assets;
use super::error::{ErrorDetail, Failure};
use super::prepared::keep;
use crate::app::App;

/// The media type of pages.
pub(super) const HTML: &str = "text/html; charset=utf-8";

pub(super) fn routes() -> Router {
    let prepared = Router::new()
        .route("/", get(home::show))
        .route("/@{handle}", get(profile::show))
        .route("/@{handle}/feed.atom", get(feeds::atom))
        .route("/@{handle}/feed.json", get(feeds::json))
        .route("/@{handle}/{uuid}", get(post::show))
        .layer(from_fn(keep));
    prepared.merge(dialogs())
}

fn dialogs() -> Router {
    Router::new()
        .route("/follow/{handle}", get(follow::show).post(follow::go))
        .route("/reply", get(reply::show).post(reply::go))
        .layer(DefaultBodyLimit::max(dialog::FORM_MAX))
}

/// The language in which pages answer a request.
pub(super) fn language(asked: &HeaderMap) -> &'static str {
    Words::wanted(asked).map_or("", |words| &words.lang)
}

/// What all pages share.
struct Frame<'a> {
    /// The reader's language.
    say: &'static Words,
    /// The instance's handle domain.
    place: &'a str,
    icon: String,
    style: String,
    style_integrity: &'static str,
}

impl<'a> Frame<'a> {
    fn new(app: &'a App, asked: &HeaderMap) -> Result<Self, Failure> {
        Ok(Self { place: app.urls.handle_domain().as_str(), ..Self::bare(asked).ok_or_else(speechless)? })
    }

    /// Without a domain, for errors.
    fn bare(asked: &HeaderMap) -> Option<Self> {
        let say = Words::wanted(asked)?;
        let (icon, style) = (assets::ICON.path(), assets::STYLE.path());
        Some(Self { say, place: "", icon, style, style_integrity: &assets::STYLE.integrity })
    }
}

fn speechless() -> Failure {
    Failure::Broken("there are no words for pages".to_owned())
}

/// A page from a template; a cache may give it for a minute to all who read the same language.
fn page(frame: &Frame<'_>, template: &impl Template) -> Result<Response, Failure> {
    Ok(spoken(frame.say, Document::text(HTML, template.render()?)))
}

/// A page in the reader's language.
fn spoken(say: &Words, page: Document) -> Response {
    let mut response = page.into_response();
    if let Ok(language) = HeaderValue::try_from(&say.lang) {
        response.headers_mut().insert(CONTENT_LANGUAGE, language);
    }
    response.extensions_mut().insert(Spoken);
    response
}

/// A page of an object with an id: linked in a header too, since some look at that alone (`WordPress`'s reply block,
/// interop U11).
fn of_id(mut response: Response, id: &str) -> Response {
    if let Ok(link) = HeaderValue::try_from(format!(r#"<{id}>; rel="alternate"; type="application/activity+json""#)) {
        response.headers_mut().insert(LINK, link);
    }
    response
}

#[derive(Template)]
#[template(path = "error.html", config = "src/web/pages/askama.toml")]
struct ErrorPage<'a> {
    frame: Frame<'a>,
    title: String,
    why: String,
    /// The English text for programs; none where it says no more than `why`.
    detail: Option<&'a str>,
}

/// An error page; `None` where there are no translations at all.
pub(super) fn error(told: &ErrorDetail, asked: &HeaderMap) -> askama::Result<String> {
    let frame = Frame::bare(asked).ok_or(askama::Error::Fmt)?;
    let say = frame.say;
    let (title, why) = match told.status.as_u16() {
        400 => (say.say("error-400"), say.say("error-400-why")),
        404 => (say.say("error-404"), say.say("error-404-why")),
        410 => (say.say("error-410"), say.say("error-410-why")),
        429 => (say.say("error-429"), say.say("error-429-why")),
        _ => (say.say("error-other"), say.say("error-other-why")),
    };
    let is_told = matches!(told.status.as_u16(), 404 | 410 | 429);
    ErrorPage { frame, title, why, detail: (!is_told).then_some(told.detail.as_str()) }.render()
}
