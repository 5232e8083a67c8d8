//! What a host said with its answer, as far as people are shown it.

use http::header::{CONTENT_TYPE, LOCATION};

use crate::net::client::Reply;

/// Longest part shown, in characters.
const SHOWN: usize = 200;

/// The first words of an answer that is no success, on one line, and where it redirects to; `None` where it says
/// nothing.
pub(crate) fn reason(reply: &Reply) -> Option<String> {
    if reply.status.is_success() {
        return None;
    }
    let header = |name| reply.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if reply.status.is_redirection() && !header(LOCATION).is_empty() {
        return shown(&format!("it redirects to {}", header(LOCATION)));
    }
    let text = String::from_utf8_lossy(&reply.body);
    if header(CONTENT_TYPE).to_ascii_lowercase().contains("html") { shown(&html::text(&text)) } else { shown(&text) }
}

fn shown(text: &str) -> Option<String> {
    let straight = html::straight(text);
    let line = straight.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_matches(char::REPLACEMENT_CHARACTER);
    let mut first: String = line.chars().take(SHOWN).collect();
    if line.chars().nth(SHOWN).is_some() {
        first.push('…');
    }
    (!first.is_empty()).then_some(first)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    fn said(status: u16, headers: &[(http::HeaderName, &'static str)], body: &[u8]) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name, HeaderValue::from_static(value));
        }
        let status = StatusCode::from_u16(status).expect("a status");
        reason(&Reply { status, headers: map, body: bytes::Bytes::copy_from_slice(body) })
    }

    #[test]
    fn the_first_words_are_told_clean_and_short() {
        let json = r#"{"error":"missing field `actor`"}"#;
        assert_eq!(said(400, &[], json.as_bytes()).as_deref(), Some(json));
        assert_eq!(said(202, &[], b"queued"), None, "a success needs no reason");
        assert_eq!(said(404, &[], b" \n "), None);
        let page =
            b"<html><head><style>p{}</style></head><body><h1>Not\nhere</h1><script>alert(1)</script></body></html>";
        assert_eq!(said(404, &[(CONTENT_TYPE, "text/HTML; charset=utf-8")], page).as_deref(), Some("Not here"));
        let hostile = "a\u{1b}[31m\u{202e}b\r\n\tc\u{0}";
        assert_eq!(said(500, &[], hostile.as_bytes()).as_deref(), Some("a[31mb c"));
        let long = said(500, &[], "é".repeat(1000).as_bytes()).expect("words");
        assert_eq!(long.chars().count(), SHOWN + 1);
        // The limit of what is read may cut a character in two.
        assert_eq!(said(500, &[], &"é".as_bytes()[..1]), None);
        let moved = said(308, &[(LOCATION, "https://peer.test/inbox")], b"<p>Moved</p>");
        assert_eq!(moved.as_deref(), Some("it redirects to https://peer.test/inbox"));
    }
}
