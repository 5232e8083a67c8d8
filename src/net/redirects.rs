//! Follows redirects one by one: each address is requested, and checked, like the first.

use http::header::LOCATION;
use url::Url;

use super::client::Reply;

/// Most redirects followed (interop G5); a handle's domain alone has one (A3).
const MOST: usize = 3;

/// The answer at the end of the redirects.
#[derive(Clone, Debug)]
pub(crate) struct Followed {
    /// Its address.
    pub(crate) at: Url,
    /// Whether a redirect on the way left the origin that was asked.
    pub(crate) left_origin: bool,
    pub(crate) reply: Reply,
}

/// Why the redirects lead to no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RedirectError {
    /// The next address is not valid.
    #[error("`{0}` redirects to nowhere")]
    Nowhere(Url),
    /// They may go on for ever.
    #[error("`{0}` redirects more than {MOST} times")]
    TooMany(Url),
}

/// Requests `first` and goes on to the location of each answer that `is_redirect`. `ask` must check each address
/// itself: the client does, and who signs signs anew (interop C17).
///
/// # Errors
/// Those of `ask`, or when the redirects do not end.
pub(crate) async fn follow<E: From<RedirectError>, F: Future<Output = Result<Reply, E>>>(
    first: &Url,
    is_redirect: impl Fn(&Reply) -> bool,
    ask: impl Fn(Url) -> F,
) -> Result<Followed, E> {
    let (mut at, mut left_origin) = (first.clone(), false);
    for _ in 0..=MOST {
        let reply = ask(at.clone()).await?;
        if !is_redirect(&reply) {
            return Ok(Followed { at, left_origin, reply });
        }
        at = at.join(location(&reply).unwrap_or_default()).map_err(|_| RedirectError::Nowhere(at))?;
        left_origin |= at.origin() != first.origin();
    }
    Err(RedirectError::TooMany(first.clone()).into())
}

/// The `Location` of a redirect.
pub(crate) fn location(reply: &Reply) -> Option<&str> {
    reply.headers.get(LOCATION).and_then(|location| location.to_str().ok())
}
