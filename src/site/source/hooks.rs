//! Webhooks of forges: whoever proves to know a source's secret makes it due (docs/hugo.md#how-often-it-looks).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

use super::{secret, store};
use crate::app::App;
use crate::config::WebhookSecret;

/// In bytes; no secret is longer.
const MAX_SECRET: u64 = 4 * 1024;

/// Headers in which GitHub, Gitea and Forgejo send the HMAC-SHA-256 of the body in hex, with the prefix of the value.
const SIGNATURES: [(&str, &str); 4] = [
    ("x-hub-signature-256", "sha256="),
    ("x-forgejo-signature", ""),
    ("x-gitea-signature", ""),
    ("x-gogs-signature", ""),
];

/// The header in which GitLab sends the secret itself.
const TOKEN: &str = "x-gitlab-token";

/// A call under way, as its headers tell.
pub(crate) struct Call {
    proof: Proof,
    secret: Option<Zeroizing<String>>,
    source: String,
}

enum Proof {
    /// Whether the secret itself was right.
    Secret(bool),
    /// The body must have this hash.
    Body { wanted: Vec<u8>, hash: Box<hmac::Context> },
}

impl Call {
    /// Reads the headers. A source that is not there, or that takes no calls, is treated like one with another secret,
    /// so that a stranger learns nothing from the answer.
    pub(crate) async fn begin(app: &App, source: &str, headers: &HeaderMap) -> Self {
        let configured = app.config.sources.iter().find(|known| known.name == source);
        let secret = match configured.and_then(|source| source.webhook.as_ref()) {
            None => None,
            Some(WebhookSecret::Value(secret)) => Some(secret.clone()),
            Some(WebhookSecret::File(file)) => match secret::read(file, MAX_SECRET).await {
                Ok(secret) => Some(secret),
                Err(why) => {
                    tracing::error!(source, file = %file.display(), why, "cannot read the webhook's secret; calls are refused");
                    None
                }
            },
        };
        let proof = Proof::of(headers, secret.as_ref().map_or("", |secret| secret.as_str()));
        Self { proof, secret, source: source.to_owned() }
    }

    /// Whether the body is needed for the proof.
    pub(crate) fn needs_body(&self) -> bool {
        matches!(self.proof, Proof::Body { .. })
    }

    /// Takes a part of the body.
    pub(crate) fn hear(&mut self, part: &[u8]) {
        if let Proof::Body { hash, .. } = &mut self.proof {
            hash.update(part);
        }
    }

    /// Makes the source due if the call is proved; returns whether it is. A repeated call does no harm.
    pub(crate) async fn end(self, app: &App) -> sqlx::Result<bool> {
        let right = match self.proof {
            Proof::Secret(right) => right,
            Proof::Body { wanted, hash } => verify_slices_are_equal(hash.sign().as_ref(), &wanted).is_ok(),
        };
        if !right || self.secret.is_none() {
            return Ok(false);
        }
        let (name, now) = (self.source, app.clock.now());
        app.db.write(move |conn| Box::pin(async move { store::request_scan(conn, &name, now).await })).await?;
        Ok(true)
    }
}

impl Proof {
    fn of(headers: &HeaderMap, secret: &str) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let same = |given: &str| Self::Secret(verify_slices_are_equal(given.as_bytes(), secret.as_bytes()).is_ok());
        let signature = SIGNATURES.iter().find_map(|(name, start)| from_hex(text(name)?.strip_prefix(start)?));
        if let Some(wanted) = signature {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            return Self::Body { wanted, hash: Box::new(hmac::Context::with_key(&key)) };
        }
        let bearer = || text(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
        text(TOKEN).or_else(bearer).map_or(Self::Secret(false), same)
    }
}

/// The 32 bytes of a SHA-256 in hex.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    (0..64).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
