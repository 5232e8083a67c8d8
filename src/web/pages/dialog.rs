//! The two dialogs: the reader names their server and is redirected there. Nothing is changed here, and nothing
//! remembered of them.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use activitypub_federation::config::Data;
use askama::Template;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use http_body_util::{BodyExt, Limited};
use url::{Url, form_urlencoded};

use super::Frame;
use crate::activitypub::intent::{self, Intent, Reader};
use crate::app::App;
use crate::base::ids::Host;
use crate::federation::remote::webfinger::{self, Missed};
use crate::net::throttle::counted_as;
use crate::web::assets;
use crate::web::error::Failure;
use crate::web::source::source;

/// Longest form read, in bytes.
pub(super) const FORM_MAX: usize = 4096;

/// For development, where servers without TLS are allowed too.
const OPEN_POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; \
     form-action 'self' https: http:; base-uri 'none'; frame-ancestors 'none'";

/// What is to be followed or answered.
pub(super) struct Subject {
    pub(super) intent: Intent,
    /// Its id.
    pub(super) object: String,
    pub(super) title: String,
    pub(super) lead: String,
    /// The address of the form.
    pub(super) action: String,
    /// The id or handle to paste by hand.
    pub(super) by_hand: String,
    pub(super) card: Card,
}

/// What the dialog shows of it, so that the reader sees that it is the right one.
pub(super) struct Card {
    pub(super) face: super::account_card::AccountCard,
    /// The beginning of its text.
    pub(super) excerpt: String,
    pub(super) language: Option<String>,
}

#[derive(Template)]
#[template(path = "dialog.html", config = "src/web/pages/askama.toml")]
struct Dialog<'a> {
    frame: Frame<'a>,
    subject: &'a Subject,
    /// What the reader entered.
    from: String,
    /// Why that is not possible.
    fault: Option<String>,
    script: String,
    script_integrity: &'static str,
}

/// Shows the form.
pub(super) fn ask(app: &App, frame: Frame<'_>, subject: &Subject) -> Result<Response, Failure> {
    show(app, frame, subject, String::new(), None)
}

fn show(
    app: &App,
    frame: Frame<'_>,
    subject: &Subject,
    from: String,
    fault: Option<String>,
) -> Result<Response, Failure> {
    let (script, script_integrity) = (assets::REMEMBER.path(), assets::REMEMBER.integrity.as_str());
    let dialog = Dialog { frame, subject, from, fault, script, script_integrity };
    let mut response = super::page(&dialog.frame, &dialog)?;
    if app.config.network.allow_http {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(OPEN_POLICY));
    }
    Ok(response)
}

/// The content of a form.
pub(super) async fn entered(request: Request) -> Result<(Parts, String), Failure> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, FORM_MAX).collect().await;
    let body: Bytes = body.map_err(|_| Failure::TooLarge { limit: FORM_MAX })?.to_bytes();
    let from = form_urlencoded::parse(&body).find(|(name, _)| name == "from").map(|(_, value)| value.into_owned());
    Ok((head, from.unwrap_or_default()))
}

/// Redirects the reader to their server, or shows why not.
pub(super) async fn lead(
    app: &Data<App>,
    frame: Frame<'_>,
    subject: &Subject,
    head: &Parts,
    from: String,
) -> Result<Response, Failure> {
    match way(app, &frame, subject, head, &from).await {
        Ok(target) => {
            let location = HeaderValue::try_from(target.as_str());
            let location = location.map_err(|_| Failure::Broken(format!("`{target}` is no address")))?;
            let headers = [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            Ok((StatusCode::SEE_OTHER, headers).into_response())
        }
        Err(stop) => {
            let mut response = show(app, frame, subject, from, Some(stop.told))?;
            *response.status_mut() = stop.status;
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            if let Some(wait) = stop.wait {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
            }
            Ok(response)
        }
    }
}

/// Why a reader is not redirected.
struct Stop {
    status: StatusCode,
    /// In the reader's language.
    told: String,
    wait: Option<Duration>,
}

impl Stop {
    fn new(told: String) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, told, wait: None }
    }
}

/// The address at the reader's server.
async fn way(app: &App, frame: &Frame<'_>, subject: &Subject, head: &Parts, from: &str) -> Result<Url, Stop> {
    let say = frame.say;
    let reader = Reader::parse(from).ok_or_else(|| Stop::new(say.say("unreadable")))?;
    let host = Host::of(&reader.server);
    if app.urls.hosts().iter().any(|ours| Some(*ours) == host.as_ref()) {
        return Err(Stop::new(say.say("ours")));
    }
    let server = host.map(|host| host.to_string()).unwrap_or_default();
    let unreachable = || Stop::new(say.with("unreachable", "server", &server));
    app.net.policy().check_url(&reader.server).map_err(|_| unreachable())?;
    if reader.user.is_some() {
        within_limits(app, head).map_err(|wait| Stop {
            status: StatusCode::TOO_MANY_REQUESTS,
            told: say.say("too-many"),
            wait: Some(wait),
        })?;
    }
    let finding = webfinger::find(app, &reader).await.map_err(|missed| match missed {
        Missed::Unknown => {
            let user = reader.user.as_deref().unwrap_or_default();
            Stop::new(say.with_both("unknown", ("server", &server), ("user", user)))
        }
        Missed::Unreachable(why) => {
            tracing::debug!(server, why, "a reader's server cannot be asked");
            unreachable()
        }
    })?;
    let target = intent::target(&reader, finding.as_ref(), subject.intent, &subject.object);
    // The client's own rules hold for readers as well: https, and no tricks in the address.
    target.filter(|target| app.net.policy().check_url(target).is_ok()).ok_or_else(unreachable)
}

/// Counts a query to another server; a reader without a known address is counted with all such.
fn within_limits(app: &App, head: &Parts) -> Result<(), Duration> {
    let asker = source(&head.extensions, &head.headers, &app.config.server.trusted_proxies);
    app.throttles.lookups.take(&asker.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), counted_as))
}
