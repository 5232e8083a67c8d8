//! Our own files that pages load: each under a name with its hash, so that browsers may keep it for ever; and the web
//! component that sites load, with its integrity hash.

use std::sync::LazyLock;

use activitypub_federation::config::Data;
use aws_lc_rs::digest::{SHA256, SHA384, digest};
use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HeaderName};
use serde_json::json;

use super::answer::Document;
use super::error::Failure;
use super::redirect::lead_to;
use crate::app::App;
use crate::base::hex::hex;

const HASH: usize = 8;

const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// Lets pages of every origin load an answer, whatever their isolation.
pub(super) const FOR_ALL: (HeaderName, HeaderValue) =
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));

#[derive(Debug)]
pub(super) struct Asset {
    /// Its name without the hash.
    plain: &'static str,
    /// Its name.
    file: String,
    media_type: &'static str,
    body: &'static [u8],
    /// For Subresource Integrity (W3C).
    pub(super) integrity: String,
}

impl Asset {
    fn new(plain: &'static str, media_type: &'static str, body: &'static [u8]) -> Self {
        let (stem, extension) = plain.split_once('.').unwrap_or((plain, ""));
        let hash = hex(digest(&SHA256, body).as_ref().iter().take(HASH));
        let file = format!("{stem}.{hash}.{extension}");
        let integrity = format!("sha384-{}", STANDARD.encode(digest(&SHA384, body)));
        Self { plain, file, media_type, body, integrity }
    }

    pub(super) fn path(&self) -> String {
        format!("/assets/{}", self.file)
    }
}

/// The style of pages.
pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("veerpont.css", "text/css; charset=utf-8", include_bytes!("pages/style.css")));

/// Keeps the name of the reader's server on the reader's device.
pub(super) static REMEMBER: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("remember.js", "text/javascript; charset=utf-8", include_bytes!("pages/remember.js")));

/// The avatar of who has none.
pub(super) static FACE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("face.svg", "image/svg+xml", include_bytes!("pages/face.svg")));

/// The icon in tabs and bookmarks.
pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", include_bytes!("pages/icon.svg")));

/// The web component.
pub(super) static COMPONENT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("veerpont.js", "text/javascript; charset=utf-8", include_bytes!("component/veerpont.js"))
});

fn all() -> [&'static Asset; 5] {
    [&STYLE, &REMEMBER, &FACE, &ICON, &COMPONENT]
}

pub(super) fn routes() -> Router {
    Router::new()
        .route("/assets/veerpont.json", get(pins))
        .route("/assets/{file}", get(file))
        .route("/favicon.ico", get(icon))
}

/// The present address of the web component, and its integrity hash.
async fn pins(data: Data<App>) -> Response {
    let pins = json!({
        "script": format!("{}{}", data.urls.origin(), COMPONENT.path()),
        "integrity": COMPONENT.integrity,
    });
    (shared(), Document::json("application/json", &pins)).into_response()
}

/// Where browsers look for the icon of an answer that is no page.
async fn icon() -> Result<Response, Failure> {
    lead_to(&ICON.path())
}

async fn file(Path(file): Path<String>) -> Result<Response, Failure> {
    if let Some(asset) = all().into_iter().find(|asset| asset.file == file) {
        let mut response = (shared(), Document::text(asset.media_type, asset.body)).into_response();
        response.headers_mut().insert(CACHE_CONTROL, FOR_EVER);
        return Ok(response);
    }
    let asset = all().into_iter().find(|asset| asset.plain == file);
    let asset = asset.ok_or(Failure::NotFound("No file of ours has this name; after an upgrade it has another."))?;
    Ok((shared(), lead_to(&asset.path())?).into_response())
}

fn shared() -> [(HeaderName, HeaderValue); 2] {
    [(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")), FOR_ALL]
}
