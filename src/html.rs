//! Strangers' and sites' HTML, cleaned.

/// Plain text as HTML text.
#[must_use]
pub fn escape(text: &str) -> String {
    ammonia::clean_text(text)
}
