//! The address at which a reader follows or answers from their own account: from their server's WebFinger (FEP-3b86,
//! the older
//! `subscribe` template of `OStatus`), or the usual one.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use url::Url;

use crate::base::ids::{Host, split_handle};

/// What the reader wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intent {
    Follow,
    Reply,
}

impl Intent {
    /// The relations of links, the preferred first, and the variable that takes the object's id.
    const fn links(self) -> [(&'static str, &'static str); 3] {
        const OBJECT: (&str, &str) = ("https://w3id.org/fep/3b86/Object", "object");
        const SUBSCRIBE: (&str, &str) = ("http://ostatus.org/schema/1.0/subscribe", "uri");
        match self {
            Self::Follow => [("https://w3id.org/fep/3b86/Follow", "object"), OBJECT, SUBSCRIBE],
            // Mastodon's Create takes a text alone, and would lose what is answered: only one with this variable
            // counts.
            Self::Reply => [("https://w3id.org/fep/3b86/Create", "inReplyTo"), OBJECT, SUBSCRIBE],
        }
    }
}

/// Longest text read, in bytes: what a reader enters, or a template.
const TEXT_MAX: usize = 2048;

/// What URI templates leave unescaped in a value (RFC 6570 section 3.2.1).
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a reader entered: a handle, or a server alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reader {
    pub(crate) user: Option<String>,
    /// Their server's root.
    pub(crate) server: Url,
}

impl Reader {
    /// Reads `@user@server`, `server`, or the address of a profile, however people write them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() > TEXT_MAX || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("https://") || lower.starts_with("http://") {
            return Self::of_profile(&Url::parse(text).ok()?);
        }
        let name = lower.strip_prefix("acct:").map_or(text, |_| text.get(5..).unwrap_or_default());
        let (user, host) = match split_handle(name) {
            (user, Some(host)) => (Some(user), host),
            (host, None) => (None, host),
        };
        if user.is_some_and(|user| user.is_empty() || user.contains('@')) || host.contains(['/', '?', '#', '\\']) {
            return None;
        }
        let server = root(&Url::parse(&format!("https://{host}")).ok()?)?;
        // A name without a dot is no server, but somebody's user name.
        (user.is_some() || server.host_str()?.contains('.')).then(|| Self { user: user.map(str::to_owned), server })
    }

    /// `https://server/@user` says both; of another address only the server counts.
    fn of_profile(url: &Url) -> Option<Self> {
        let user = url.path().strip_prefix("/@").filter(|user| !user.is_empty() && !user.contains(['/', '@']));
        Some(Self { user: user.map(str::to_owned), server: root(url)? })
    }

    /// The `resource` of a WebFinger query about them.
    pub(crate) fn resource(&self) -> Option<String> {
        Some(format!("acct:{}@{}", self.user.as_ref()?, Host::of(&self.server)?))
    }
}

/// Scheme, host and port.
fn root(url: &Url) -> Option<Url> {
    let host = Host::of(url)?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    Url::parse(&format!("{}://{host}/", url.scheme())).ok()
}

/// A WebFinger answer, and where it was found.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) document: Value,
    /// After redirects.
    pub(crate) at: Url,
}

/// Where the reader is redirected: by their WebFinger where it has a template, else to the usual address of Mastodon
/// and most others. A template counts only if it leads to the reader's server, to the one that answered for it, or to
/// the host of their account.
pub(crate) fn target(reader: &Reader, finding: Option<&Finding>, intent: Intent, object: &str) -> Option<Url> {
    let account =
        finding.and_then(|finding| link(&finding.document, "self", "href")).and_then(|href| Url::parse(href).ok());
    let homes: Vec<Host> = [Some(&reader.server), finding.map(|finding| &finding.at), account.as_ref()]
        .into_iter()
        .flatten()
        .filter_map(Host::of)
        .collect();
    let lead = |(rel, variable): (&str, &str)| {
        let template = link(&finding?.document, rel, "template")?;
        let url = expand(template, variable, object)?;
        Host::of(&url).is_some_and(|host| homes.contains(&host)).then_some(url)
    };
    let usual = || {
        let home = account.as_ref().and_then(root).unwrap_or_else(|| reader.server.clone());
        let value = utf8_percent_encode(object, VALUE);
        home.join(&format!("/authorize_interaction?uri={value}")).ok()
    };
    intent.links().into_iter().find_map(lead).or_else(usual)
}

/// A member of the first link with this relation.
fn link<'a>(document: &'a Value, rel: &str, member: &str) -> Option<&'a str> {
    let links = document.get("links")?.as_array()?;
    links
        .iter()
        .filter(|link| link.get("rel").and_then(Value::as_str) == Some(rel))
        .find_map(|link| link.get(member)?.as_str())
        .filter(|text| text.len() <= TEXT_MAX)
}

/// A template with one of its variables filled in, and the others empty; `None` where it has not got that one.
fn expand(template: &str, variable: &str, value: &str) -> Option<Url> {
    let value = utf8_percent_encode(value, VALUE).to_string();
    let (mut filled, mut text, mut rest) = (false, String::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        text.push_str(before);
        if name == variable {
            text.push_str(&value);
            filled = true;
        }
        rest = after;
    }
    text.push_str(rest);
    Url::parse(&text).ok().filter(|_| filled)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const ARTICLE: &str = "https://social.example.org/ap/articles/1?a=b&c";

    fn reader(text: &str) -> Option<(Option<String>, String)> {
        Reader::parse(text).map(|reader| (reader.user, reader.server.to_string()))
    }

    #[test]
    fn readers_say_who_they_are_in_many_ways() {
        let you = |server: &str| Some((Some("you".to_owned()), format!("https://{server}/")));
        for text in
            ["@you@m.example", "you@m.example", " acct:you@M.example ", "https://m.example/@you", "@you@m.example."]
        {
            assert_eq!(reader(text), you("m.example"), "{text}");
        }
        assert_eq!(reader("you@bücher.example"), you("xn--bcher-kva.example"));
        for text in ["m.example", "@m.example", "https://m.example/about", "https://m.example/@you@elsewhere.example"] {
            assert_eq!(reader(text), Some((None, "https://m.example/".to_owned())), "{text}");
        }
        for text in [
            "",
            "you",
            "@you",
            "you@",
            "@@m.example",
            "a@b@m.example",
            "you@m.example/x",
            "you @m.example",
            "javascript:alert(1)",
            "https://u:p@m.example/",
        ] {
            assert_eq!(reader(text), None, "{text}");
        }
    }

    fn sent(links: &Value, intent: Intent) -> String {
        let reader = Reader::parse("you@m.example").expect("a reader");
        let at = Url::parse("https://m.example/.well-known/webfinger").expect("an address");
        let finding = Finding { document: json!({ "links": links }), at };
        target(&reader, Some(&finding), intent, ARTICLE).expect("a target").to_string()
    }

    #[test]
    fn each_kind_of_server_is_led_to_its_own_way() {
        let id = "https%3A%2F%2Fsocial.example.org%2Fap%2Farticles%2F1%3Fa%3Db%26c";
        let subscribe = json!({ "rel": "http://ostatus.org/schema/1.0/subscribe", "template": "https://m.example/authorize_interaction?uri={uri}" });
        let object =
            json!({ "rel": "https://w3id.org/fep/3b86/Object", "template": "https://m.example/object?o={object}" });
        let share =
            json!({ "rel": "https://w3id.org/fep/3b86/Create", "template": "https://m.example/share?text={content}" });
        let create = json!({ "rel": "https://w3id.org/fep/3b86/Create",
            "template": "https://m.example/new?re={inReplyTo}&text={content}&back={on-success}" });
        let follow =
            json!({ "rel": "https://w3id.org/fep/3b86/Follow", "template": "https://m.example/follow?who={object}" });
        for (links, intent, expected) in [
            (json!([subscribe]), Intent::Follow, format!("https://m.example/authorize_interaction?uri={id}")),
            (json!([subscribe, object]), Intent::Follow, format!("https://m.example/object?o={id}")),
            (json!([subscribe, object, follow]), Intent::Follow, format!("https://m.example/follow?who={id}")),
            (json!([subscribe, share, object]), Intent::Reply, format!("https://m.example/object?o={id}")),
            (json!([subscribe, create]), Intent::Reply, format!("https://m.example/new?re={id}&text=&back=")),
            (json!([]), Intent::Reply, format!("https://m.example/authorize_interaction?uri={id}")),
            (json!(null), Intent::Reply, format!("https://m.example/authorize_interaction?uri={id}")),
            // A domain of handles alone: the account lives elsewhere.
            (
                json!([{ "rel": "self", "href": "https://social.m.example/users/you" }]),
                Intent::Reply,
                format!("https://social.m.example/authorize_interaction?uri={id}"),
            ),
        ] {
            assert_eq!(sent(&links, intent), expected);
        }
    }

    #[test]
    fn nobody_is_led_to_a_third_server() {
        for template in [
            "https://evil.example/x?u={uri}",
            "https://m.example@evil.example/?u={uri}",
            "//evil.example/{uri}",
            "javascript:{uri}",
            "https://{uri}/",
            "https://m.example/{uri",
        ] {
            let links = json!([{ "rel": "http://ostatus.org/schema/1.0/subscribe", "template": template }]);
            assert!(
                sent(&links, Intent::Follow).starts_with("https://m.example/authorize_interaction?uri="),
                "{template}"
            );
        }
    }

    proptest! {
        #[test]
        fn whatever_is_entered_leads_nowhere_else(text in "\\PC*", template in "(https://m\\.example/)?\\PC*") {
            if let Some(reader) = Reader::parse(&text) {
                let at = reader.server.clone();
                let finding = Finding { document: json!({ "links": [{ "rel": "https://w3id.org/fep/3b86/Object", "template": template }] }), at };
                let url = target(&reader, Some(&finding), Intent::Reply, ARTICLE).expect("a target");
                prop_assert_eq!(Host::of(&url), Host::of(&reader.server));
            }
        }
    }
}
