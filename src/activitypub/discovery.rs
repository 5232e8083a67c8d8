//! Discovery documents: WebFinger, NodeInfo, host-meta (interop A1 to A5, G1 to G3).

use activitypub_federation::FEDERATION_CONTENT_TYPE;
use activitypub_federation::fetch::webfinger::{Webfinger, WebfingerLink};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::{Local, Urls, put};
use crate::base::ids::{Handle, Host, split_handle};

/// Media type of WebFinger and of the list of NodeInfo documents.
pub(crate) const JRD: &str = "application/jrd+json";

/// Media type of host-meta.
pub(crate) const XRD: &str = "application/xrd+xml; charset=utf-8";

/// Longest `resource` read, in bytes.
const RESOURCE_MAX: usize = 2048;

/// The `resource` of a WebFinger query, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    /// `acct:user@host`, also with `@` before the user.
    Acct {
        user: String,
        /// Normalised; `None` where it is no host name.
        host: Option<Host>,
    },
    /// An http(s) address: an actor's id or its page.
    Address(String),
}

/// Why a text is no `resource`: to be answered 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ask with ?resource=acct:name@host, or with the http(s) address of an actor")]
pub(crate) struct NotAResource;

/// Reads the `resource` of a WebFinger query, percent-decoded by the caller (interop A4).
///
/// # Errors
/// When it is neither an `acct:` name nor an http(s) address.
pub(crate) fn parse_resource(text: &str) -> Result<Resource, NotAResource> {
    let text = text.trim();
    if text.len() > RESOURCE_MAX || text.contains(char::is_control) {
        return Err(NotAResource);
    }
    let scheme = text.split_once(':').map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    match scheme {
        Some((scheme, _)) if scheme == "http" || scheme == "https" => {
            Url::parse(text).map(|_| Resource::Address(text.to_owned())).map_err(|_| NotAResource)
        }
        Some((scheme, rest)) if scheme == "acct" => acct(rest),
        // Some ask with a bare `@name@host`.
        _ if text.starts_with('@') => acct(text),
        _ => Err(NotAResource),
    }
}

fn acct(name: &str) -> Result<Resource, NotAResource> {
    let (user, Some(host)) = split_handle(name) else { return Err(NotAResource) };
    if user.is_empty() || host.is_empty() {
        return Err(NotAResource);
    }
    let clean = !host.contains(['/', '?', '#', '\\']);
    let host = Url::parse(&format!("https://{host}")).ok().filter(|_| clean).and_then(|url| Host::of(&url));
    Ok(Resource::Acct { user: user.to_owned(), host })
}

impl Resource {
    /// The object of ours that it may name: an actor's id, or a handle on any host of ours in any case. `None` is to be
    /// answered 404.
    pub(crate) fn local(&self, urls: &Urls) -> Option<Local> {
        match self {
            Self::Acct { user, host } => {
                urls.hosts().contains(&host.as_ref()?).then_some(())?;
                Handle::parse(user).ok().map(Local::Profile)
            }
            Self::Address(address) => {
                match address.strip_prefix(urls.origin()).and_then(|path| path.strip_prefix("/@")) {
                    Some(handle) => Handle::parse(handle).ok().map(Local::Profile),
                    None => urls.local(address).filter(|local| matches!(local, Local::Instance | Local::Actor(_))),
                }
            }
        }
    }
}

/// The WebFinger answer about an actor; `None` as `actor` is the instance. The same on each of our hosts, so that both
/// look-ups of a split domain end at one name (interop A3). Without a follow template: nobody logs in here.
pub(crate) fn webfinger(urls: &Urls, actor: Option<Uuid>, handle: &Handle) -> Value {
    let id = actor.map_or_else(|| urls.instance(), |uuid| urls.actor(uuid));
    let profile = urls.profile(handle);
    let link = |rel: &str, kind: &str, href: &str| WebfingerLink {
        rel: Some(rel.to_owned()),
        kind: Some(kind.to_owned()),
        href: Url::parse(href).ok(),
        ..WebfingerLink::default()
    };
    let answer = Webfinger {
        subject: format!("acct:{}", urls.acct(handle)),
        links: vec![
            link("http://webfinger.net/rel/profile-page", "text/html", &profile),
            link("self", FEDERATION_CONTENT_TYPE, &id),
        ],
        aliases: [&id, &profile].into_iter().filter_map(|address| Url::parse(address).ok()).collect(),
        ..Webfinger::default()
    };
    without_nulls(json!(answer))
}

/// The library writes `null` for absent members of a link, which RFC 7033 does not allow.
fn without_nulls(mut answer: Value) -> Value {
    for link in answer.get_mut("links").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(members) = link.as_object_mut() {
            members.retain(|_, member| !member.is_null());
        }
    }
    answer
}

/// The two versions of NodeInfo that we serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeinfoVersion {
    /// What everybody reads.
    V2_0,
    /// With the address of the program's source.
    V2_1,
}

impl NodeinfoVersion {
    /// As in its address and in the document.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::V2_0 => "2.0",
            Self::V2_1 => "2.1",
        }
    }

    /// The name of its schema, which is also the relation of its link.
    fn schema(self) -> String {
        format!("http://nodeinfo.diaspora.software/ns/schema/{}", self.as_str())
    }

    pub(crate) fn media_type(self) -> String {
        format!("application/json; profile=\"{}#\"", self.schema())
    }
}

/// `/.well-known/nodeinfo`: where the documents are, and the instance actor (FEP-2677).
pub(crate) fn nodeinfo_links(urls: &Urls) -> Value {
    let link = |version: NodeinfoVersion| json!({ "rel": version.schema(), "href": format!("{}/nodeinfo/{}", urls.origin(), version.as_str()) });
    json!({ "links": [
        link(NodeinfoVersion::V2_0),
        link(NodeinfoVersion::V2_1),
        { "rel": "https://www.w3.org/ns/activitystreams#Application", "href": urls.instance() },
    ] })
}

/// The content of NodeInfo.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NodeinfoFacts<'a> {
    pub(crate) version: &'a str,
    /// In 2.1 alone; the AGPL wants it found.
    pub(crate) repository: Option<&'a str>,
    /// Authors with an actor.
    pub(crate) users: u64,
    /// Those who published within a month.
    pub(crate) active_month: u64,
    /// Those who published within half a year.
    pub(crate) active_half_year: u64,
    /// Articles.
    pub(crate) posts: u64,
    /// Comments written here.
    pub(crate) comments: u64,
}

pub(crate) fn nodeinfo(version: NodeinfoVersion, facts: &NodeinfoFacts<'_>) -> Value {
    let mut software = json!({ "name": "veerpont", "version": facts.version });
    if let Some(repository) = facts.repository.filter(|_| version == NodeinfoVersion::V2_1) {
        put(&mut software, "repository", repository);
    }
    json!({
        "version": version.as_str(),
        "software": software,
        "protocols": ["activitypub"],
        "services": { "inbound": [], "outbound": [] },
        "openRegistrations": false,
        "usage": {
            "users": {
                "total": facts.users,
                "activeMonth": facts.active_month,
                "activeHalfyear": facts.active_half_year,
            },
            "localPosts": facts.posts,
            "localComments": facts.comments,
        },
        "metadata": {},
    })
}

/// `/.well-known/host-meta`: where Mastodon looks when WebFinger answers 404 on a split domain (interop G3).
pub(crate) fn host_meta(urls: &Urls) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n  \
         <Link rel=\"lrdd\" type=\"{JRD}\" template=\"{}/.well-known/webfinger?resource={{uri}}\"/>\n\
         </XRD>\n",
        urls.origin()
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::activitypub::samples::{handle, urls, uuid};

    #[test]
    fn documents_of_discovery() {
        let urls = urls();
        let facts = NodeinfoFacts {
            version: "0.1.0",
            repository: Some("https://code.example/veerpont"),
            users: 17,
            active_month: 2,
            active_half_year: 5,
            posts: 30,
            comments: 0,
        };
        insta::assert_json_snapshot!(json!({
            "author": webfinger(&urls, Some(uuid(1)), &handle("ann")),
            "instance": webfinger(&urls, None, &handle("instance")),
            "nodeinfo": nodeinfo_links(&urls),
            "2.0": nodeinfo(NodeinfoVersion::V2_0, &facts),
            "2.1": nodeinfo(NodeinfoVersion::V2_1, &facts),
            "types": [NodeinfoVersion::V2_0.media_type(), NodeinfoVersion::V2_1.media_type()],
            "host-meta": host_meta(&urls).lines().collect::<Vec<_>>(),
        }));
    }

    #[test]
    fn every_form_of_a_resource_leads_to_the_actor() {
        let urls = urls();
        let ann = Some(Local::Profile(handle("ann")));
        let actor = urls.actor(uuid(1));
        for (resource, expected) in [
            ("acct:ann@example.org", ann.clone()),
            ("acct:@ann@example.org", ann.clone()),
            ("ACCT:Ann@Example.ORG", ann.clone()),
            ("acct:ann@social.example.org", ann.clone()),
            ("@ann@example.org", ann.clone()),
            ("https://social.example.org/@ann", ann.clone()),
            ("https://social.example.org/@Ann", ann),
            (actor.as_str(), Some(Local::Actor(uuid(1)))),
            ("https://social.example.org/ap/instance", Some(Local::Instance)),
            ("https://social.example.org/ap/inbox", None),
            ("acct:ann@elsewhere.example", None),
            ("acct:änn@example.org", None),
            ("acct:ann@not a host", None),
            ("https://elsewhere.example/@ann", None),
        ] {
            assert_eq!(parse_resource(resource).expect("a resource").local(&urls), expected, "{resource}");
        }
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        for bad in
            ["", "ann", "acct:ann", "acct:@example.org", "acct:ann@", "mailto:a@b", "https://", "ann@example.org"]
        {
            assert_eq!(parse_resource(bad), Err(NotAResource), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_resource_is_answered(text in "\\PC*", prefix in "(acct:|https://social.example.org/)?") {
            if let Ok(resource) = parse_resource(&format!("{prefix}{text}")) {
                let _ = resource.local(&urls());
            }
        }
    }
}
