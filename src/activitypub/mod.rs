//! Posts into documents, others' JSON into meaning: pure, without clock, network or database.

pub mod actor;
pub(crate) mod article;
pub(crate) mod collection;
pub(crate) mod discovery;
pub mod incoming;
pub(crate) mod intent;
pub(crate) mod note;
pub(crate) mod outgoing;
pub(crate) mod urls;

use hugo_content::Image;

pub use urls::Local;
pub(crate) use urls::Urls;

/// The address of the public (`ActivityPub` section 5.6; interop B8: this spelling and no other).
pub(crate) const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";

/// The context of ActivityStreams 2.0, which Mastodon compares as a string (interop A7).
pub(crate) const ACTIVITY_STREAMS: &str = "https://www.w3.org/ns/activitystreams";

/// Defines each term of an article beyond `ActivityStreams`; used on everything that embeds an article.
fn context() -> serde_json::Value {
    serde_json::json!([ACTIVITY_STREAMS, {
        "Hashtag": "as:Hashtag",
        "ostatus": "http://ostatus.org#",
        "conversation": "ostatus:conversation",
        "gts": "https://gotosocial.org/ns#",
        "interactionPolicy": { "@id": "gts:interactionPolicy", "@type": "@id" },
        "canQuote": { "@id": "gts:canQuote", "@type": "@id" },
        "automaticApproval": { "@id": "gts:automaticApproval", "@type": "@id" },
    }])
}

/// A picture as ONE object whose `url` is a plain string: Lemmy reads no other shape (interop A14, B13).
fn picture(image: &Image) -> serde_json::Value {
    let mut document = serde_json::json!({ "type": "Image", "mediaType": image.media_type, "url": image.url });
    if !image.alt.is_empty() {
        put(&mut document, "name", image.alt.as_str());
    }
    if let (Some(width), Some(height)) = (image.width, image.height) {
        put(&mut document, "width", width);
        put(&mut document, "height", height);
    }
    document
}

fn put(document: &mut serde_json::Value, key: &str, value: impl Into<serde_json::Value>) {
    if let Some(properties) = document.as_object_mut() {
        properties.insert(key.to_owned(), value.into());
    }
}

/// Plain text as HTML text.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod samples;
