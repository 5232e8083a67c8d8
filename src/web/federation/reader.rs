//! Who may read what (authorized fetch, interop C2, C3), and whose copies are remembered.

use http::StatusCode;
use http::request::Parts;

use super::super::answer::Form;
use super::super::error::Failure;
use super::super::source::source;
use crate::activitypub::urls::Local;
use crate::app::App;
use crate::base::ids::ArticleId;
use crate::federation::remote::Remote;
use crate::inbox::reader::{self, Reading};
use crate::inbox::rejection::{self, Rejected};

/// Who sent a GET.
pub(super) enum Reader {
    /// Anybody: no signature is required. With the request for a later check, if it is signed.
    Anyone(Option<Box<Reading>>),
    /// A verified actor, where a signature is required.
    Proved(Box<Remote>),
    /// A client without a signature, where one is required: may read the keys of actors, and nothing else.
    KeysAlone,
}

impl Reader {
    pub(super) fn is_personal(&self) -> bool {
        !matches!(self, Self::Anyone(_))
    }

    pub(super) fn sees_keys_alone(&self) -> bool {
        matches!(self, Self::KeysAlone)
    }

    /// Notes, after the answer, that this reader has a copy.
    pub(super) fn remember(&self, app: &App, article: ArticleId) {
        match self {
            Self::Anyone(Some(reading)) => reader::prove_and_remember(app, article, (**reading).clone()),
            Self::Proved(remote) => reader::remember(app, article, (**remote).clone()),
            Self::Anyone(None) | Self::KeysAlone => {}
        }
    }
}

/// Admits a reader, or answers 401: pages for people, the instance actor and keys are always open.
pub(super) async fn admit(app: &App, local: &Local, asked: &Parts) -> Result<Reader, Failure> {
    let headers = &asked.headers;
    let page =
        Form::wanted(headers) == Form::Page && matches!(local, Local::Actor(_) | Local::Article(_) | Local::Note(_));
    let open = page || matches!(local, Local::Instance | Local::InstanceOutbox);
    let signed = headers.contains_key("signature");
    let reading = || {
        let path_and_query = asked.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let from = source(&asked.extensions, headers, &app.config.server.trusted_proxies);
        Reading { method: asked.method.clone(), path_and_query, headers: headers.clone(), from }
    };
    if signed
        && !open
        && let Err(rejected) = reader::admit(app, &reading()).await
    {
        if rejected.status == StatusCode::FORBIDDEN && matches!(local, Local::Actor(_)) {
            // So that it can verify that its follows have ended.
            return Ok(Reader::KeysAlone);
        }
        rejection::refuse(app, &rejected).await;
        return Err(Failure::Rejected(rejected));
    }
    if open || !app.config.federation.require_signed_fetch {
        // Only copies of articles and answers matter.
        let remembers = signed && !page && matches!(local, Local::Article(_) | Local::Note(_));
        return Ok(Reader::Anyone(remembers.then(|| Box::new(reading()))));
    }
    if !signed && matches!(local, Local::Actor(_)) {
        return Ok(Reader::KeysAlone);
    }
    match reader::prove(app, &reading()).await {
        Ok(remote) => Ok(Reader::Proved(Box::new(remote))),
        Err(rejected) => Err(refused(app, rejected).await),
    }
}

async fn refused(app: &App, rejected: Rejected) -> Failure {
    let why = if rejected.status == StatusCode::UNAUTHORIZED {
        format!("this server shows its documents to signed requests alone: {}", rejected.why)
    } else {
        rejected.why.clone()
    };
    let rejected = Rejected { why, ..rejected };
    rejection::refuse(app, &rejected).await;
    Failure::Rejected(rejected)
}
