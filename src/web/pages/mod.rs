//! Pages for people: the home page, profiles, and errors.

mod home;
mod profile;

use activitypub_federation::config::Data;
use askama::Template;
use axum::Router;
use axum::routing::get;

use super::answer::Document;
use super::error::{Failure, Told};
use crate::app::App;
use crate::clock::Timestamp;

/// The media type of pages.
pub(super) const HTML: &str = "text/html; charset=utf-8";

const STYLE: &str = include_str!("style.css");

pub(super) fn routes() -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/@{handle}", get(profile::show))
        .route("/assets/veerpont.css", get(async || Document::text("text/css; charset=utf-8", STYLE)))
}

/// A page of a template; anybody may keep it for a minute.
fn page(template: &impl Template) -> Result<Document, Failure> {
    Ok(Document::text(HTML, template.render()?))
}

/// A day as people write it.
fn day(at: Timestamp) -> String {
    at.date_time().format("%-d %B %Y").to_string()
}

#[derive(Template)]
#[template(path = "error.html", config = "src/web/pages/askama.toml")]
struct ErrorPage<'a> {
    title: &'a str,
    detail: &'a str,
}

/// An error for people.
pub(super) fn error(told: &Told) -> askama::Result<String> {
    let title = told.status.canonical_reason().unwrap_or("Error");
    ErrorPage { title, detail: &told.detail }.render()
}

/// The instance's own name: where its handles live.
fn place(app: &Data<App>) -> &str {
    app.urls.handle_domain().as_str()
}
