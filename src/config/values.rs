//! How each kind of value in the file is read.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::Url;

use super::error::Fault;
use super::{AuthorChoice, ConnectTo, MovedAway, Pictures, SourceKind};
use crate::base::ids::Host;

pub(super) fn listen(text: &str) -> Result<SocketAddr, Fault> {
    text.parse().map_err(|_| {
        Fault::new(
            format!("\"{text}\" is not an address to listen on"),
            "write an IP address and a port, as \"127.0.0.1:8080\" or \"[::1]:8080\"",
        )
    })
}

/// The origin is in every id, so nothing may stand in it that could change its spelling (docs/architecture.md#identity).
pub(super) fn origin(text: &str, allow_http: bool) -> Result<Url, Fault> {
    const FORM: &str = "write scheme and host only, as \"https://social.example.org\"";
    let url = Url::parse(text).map_err(|error| Fault::new(format!("the origin is not an address ({error})"), FORM))?;
    match url.scheme() {
        "https" => {}
        "http" if allow_http => {}
        "http" => {
            return Err(Fault::new(
                "the origin is http",
                "use https, or set `allow_http = true` in [network] for development",
            ));
        }
        other => return Err(Fault::new(format!("the origin's scheme is \"{other}\""), FORM)),
    }
    let extra = if !url.username().is_empty() || url.password().is_some() {
        Some("a user name or password")
    } else if url.query().is_some() {
        Some("a query")
    } else if url.fragment().is_some() {
        Some("a fragment")
    } else if url.path() != "/" {
        Some("a path")
    } else if url.host_str().is_some_and(|host| host.ends_with('.')) {
        Some("a dot at its end")
    } else {
        None
    };
    match extra {
        Some(extra) => Err(Fault::new(format!("the origin has {extra}"), FORM)),
        None => Ok(url),
    }
}

pub(super) fn handle_domain(text: &str) -> Result<String, Fault> {
    host_and_port(text).ok_or_else(|| {
        Fault::new(
            format!("\"{text}\" is not a domain"),
            "write a host name only, as \"example.org\", or leave handle_domain out to use the origin's",
        )
    })
}

pub(super) fn host(text: &str) -> Result<String, Fault> {
    host_and_port(text).ok_or_else(|| {
        let fault = format!("\"{text}\" is not a host");
        Fault::new(fault, "write a name, and a port where there is one, as \"example.org\" or \"127.0.0.1:8080\"")
    })
}

fn host_and_port(text: &str) -> Option<String> {
    if text.contains(['/', '@', '?', '#', '\\']) || text.chars().any(char::is_whitespace) {
        return None;
    }
    Host::of(&Url::parse(&format!("https://{text}/")).ok()?).map(|host| host.to_string())
}

pub(super) fn duration(text: &str) -> Result<Duration, Fault> {
    humantime::parse_duration(text).map_err(|error| {
        Fault::new(
            format!("\"{text}\" is not a length of time ({error})"),
            "write a number and a unit, as \"50ms\", \"30s\", \"5m\", \"24h\" or \"7d\"",
        )
    })
}

pub(super) fn positive_duration(text: &str) -> Result<Duration, Fault> {
    match duration(text)? {
        Duration::ZERO => Err(Fault::new("this length of time is zero", "write one above zero, as \"1m\"")),
        length => Ok(length),
    }
}

/// Longer than anything is on its way.
pub(super) fn a_month_at_least(text: &str) -> Result<Duration, Fault> {
    let length = duration(text)?;
    if length < Duration::from_hours(30 * 24) {
        return Err(Fault::new("this length of time is shorter than 30 days", "write \"30d\" or more, as \"180d\""));
    }
    Ok(length)
}

pub(super) fn not_blank(text: &str) -> Result<String, Fault> {
    match text.trim() {
        "" => Err(Fault::new("this text is empty", "write something, or leave the key out where it may be")),
        text => Ok(text.to_owned()),
    }
}

pub(super) fn path(text: &str, base: &Path) -> Result<PathBuf, Fault> {
    not_blank(text).map(|path| base.join(path))
}

/// A range, or a single address as a range of one.
pub(super) fn address_range(text: &str) -> Result<IpNet, Fault> {
    text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from)).map_err(|_| {
        Fault::new(
            format!("\"{text}\" is not a range of addresses"),
            "write it as \"127.0.0.0/8\" or \"fd00::/8\", or one address",
        )
    })
}

/// Where a proxy on the same machine speaks from.
pub(super) fn this_machine() -> Vec<IpNet> {
    let loopback = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
    vec![loopback.into(), Ipv6Net::from(Ipv6Addr::LOCALHOST).into()]
}

/// A limit: zero would let nobody in.
pub(super) fn number(written: i64) -> Result<NonZeroU32, Fault> {
    u32::try_from(written).ok().and_then(NonZeroU32::new).ok_or_else(|| {
        Fault::new(
            format!("{written} is no limit"),
            format!("write a whole number from 1 to {}, or leave the key out for the usual one", u32::MAX),
        )
    })
}

/// Hosts that are delivered to at the same time; each takes a few connections, of about 50 kB.
pub(super) fn hosts_at_once(written: i64) -> Result<usize, Fault> {
    match usize::try_from(written) {
        Ok(number) if (1..=2000).contains(&number) => Ok(number),
        _ => Err(Fault::new(format!("`{written}` is not a number from 1 to 2000"), "leave it out for 500")),
    }
}

pub(super) fn connect_to(text: &str) -> Result<ConnectTo, Fault> {
    const FORM: &str = "write \"host:port=address:port\", as \"peer.test:443=127.0.0.1:9301\"";
    let fault = |what: &str| Fault::new(format!("\"{text}\": {what}"), FORM);
    let (name, target) = text.split_once('=').ok_or_else(|| fault("there is no `=`"))?;
    let (host, port) = name.trim().rsplit_once(':').ok_or_else(|| fault("the name has no port"))?;
    let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(|| fault("the port of the name is no number"))?;
    let host = handle_domain(host).map_err(|_| fault("the name is no host name"))?;
    let target = target
        .trim()
        .parse()
        .map_err(|_| fault("what stands after `=` is not an IP address and a port (a name is not looked up here)"))?;
    Ok(ConnectTo { host, port, target })
}

/// An absolute address of a site that ends with `/`, so that relative addresses join to it.
pub(super) fn public_url(text: &str) -> Result<Url, Fault> {
    const FORM: &str = "write the address where the public reads the site, as \"https://example.org/\"";
    let mut url =
        Url::parse(text).map_err(|error| Fault::new(format!("public_url is not an address ({error})"), FORM))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Fault::new(format!("public_url's scheme is \"{}\"", url.scheme()), FORM));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(Fault::new("public_url has a user name, query or fragment", FORM));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

pub(super) fn source_kind(text: &str) -> Result<SourceKind, Fault> {
    match text {
        "hugo" => Ok(SourceKind::Hugo),
        other => Err(Fault::new(format!("there is no source of kind \"{other}\""), "the kinds are: \"hugo\"")),
    }
}

pub(super) fn moved_away(text: &str) -> Result<MovedAway, Fault> {
    match text {
        "remove" => Ok(MovedAway::Remove),
        "keep" => Ok(MovedAway::Keep),
        other => Err(Fault::new(
            format!("moved_away is \"{other}\""),
            "write \"remove\", or \"keep\" for articles to stand on when a redirect rule leads from their page elsewhere",
        )),
    }
}

pub(super) fn pictures(text: &str) -> Result<Pictures, Fault> {
    match text {
        "proxy" => Ok(Pictures::Proxy),
        "none" => Ok(Pictures::None),
        other => Err(Fault::new(
            format!("pictures is \"{other}\""),
            "write \"proxy\" to show copies of pictures from elsewhere, or \"none\" to leave them out",
        )),
    }
}

pub(super) fn sections(written: &[String]) -> Result<Vec<String>, Fault> {
    let names: Vec<String> = written.iter().map(|name| name.trim().trim_matches('/').to_owned()).collect();
    if names.is_empty() || names.iter().any(String::is_empty) {
        return Err(Fault::new(
            "sections names no folder",
            "name the top folders of the content that hold posts, as [\"post\"], or leave sections out",
        ));
    }
    Ok(names)
}

pub(super) fn languages(written: &[String]) -> Result<Vec<String>, Fault> {
    let keys: Vec<String> = written.iter().map(|key| key.trim().to_lowercase()).collect();
    if keys.is_empty() || keys.iter().any(String::is_empty) {
        return Err(Fault::new(
            "languages names no language",
            "write keys of the site's languages, as [\"en\"], or leave languages out to take all",
        ));
    }
    Ok(keys)
}

/// The name of a folder below the site's `config`.
pub(super) fn environment(text: &str) -> Result<String, Fault> {
    match text.trim() {
        name if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) => Err(Fault::new(
            format!("\"{text}\" is no name of an environment"),
            "write the name of a folder in the site's `config` folder, as \"production\"",
        )),
        name => Ok(name.to_owned()),
    }
}

pub(super) fn authors(written: &toml::Value) -> Result<AuthorChoice, Fault> {
    let fault = || {
        Fault::new(
            "authors says neither \"published\" nor a list of slugs",
            "write authors = \"published\", or a list as [\"ann\", \"ben\"]; [] lets the team account sign everything",
        )
    };
    match written {
        toml::Value::String(word) if word == "published" => Ok(AuthorChoice::Published),
        toml::Value::Array(slugs) => slugs
            .iter()
            .map(|slug| slug.as_str().map(str::trim).filter(|slug| !slug.is_empty()).map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .map(AuthorChoice::Listed)
            .ok_or_else(fault),
        _ => Err(fault()),
    }
}

/// Checks a database's address, and makes the path of an SQLite file absolute. Faults never quote it.
pub(super) fn database_url(text: &str, base: &Path) -> Result<String, Fault> {
    const FORM: &str = "write \"sqlite://data/veerpont.db\" or \"postgres://user:password@host/database\"";
    if let Some(rest) = text.strip_prefix("sqlite:") {
        return sqlite_url(rest.strip_prefix("//").unwrap_or(rest), base);
    }
    let url =
        Url::parse(text).map_err(|error| Fault::new(format!("the database url cannot be read ({error})"), FORM))?;
    match url.scheme() {
        "postgres" | "postgresql" => Ok(text.to_owned()),
        _ => Err(Fault::new("the database url is neither sqlite nor postgres", FORM)),
    }
}

fn sqlite_url(rest: &str, base: &Path) -> Result<String, Fault> {
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    if path.is_empty() || path == ":memory:" {
        return Err(Fault::new(
            "the sqlite url names no file, and nothing kept in memory would outlive the program",
            "name one, as \"sqlite://data/veerpont.db\"",
        ));
    }
    let absolute = if path.starts_with('/') {
        path.to_owned()
    } else {
        // The database library reads the path as percent-encoded and cuts it at `?`.
        let folder = base.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        format!("{}/{path}", folder.trim_end_matches('/'))
    };
    Ok(match query {
        Some(query) => format!("sqlite://{absolute}?{query}"),
        None => format!("sqlite://{absolute}"),
    })
}

/// The folder of an SQLite file.
pub(super) fn database_folder(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite://")?.split('?').next()?;
    // A file address spells what cannot stand in a path as the database's does.
    let file = Url::parse(&format!("file://{path}")).ok()?.to_file_path().ok()?;
    file.parent().map(Path::to_owned)
}

pub(super) fn redact_database_url(text: &str) -> String {
    if text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else {
        return "***".to_owned();
    };
    // PostgreSQL takes a password in the query too.
    if url.query_pairs().any(|(key, _)| key.contains("password")) {
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let hidden = pairs.iter().map(|(key, value)| (key, if key.contains("password") { "***" } else { value }));
        url.query_pairs_mut().clear().extend_pairs(hidden);
    }
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "***".to_owned();
    }
    url.into()
}
