//! From the file as written to a configuration that holds together.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use url::Url;
use zeroize::Zeroizing;

use super::error::{Fault, Page};
use super::file::{self, File, Text};
use super::{
    Community, Config, ConfigError, Database, Delivery, Federation, Limits, Network, Pages, Pictures, Publishing,
    Retention, Secrets, Server, Tls, values,
};
use crate::base::ids::{Handle, Host};

/// Handles nobody gets. `instance` is our own instance actor; the others let their owner speak as if for the server:
/// mailbox names with a fixed meaning (RFC 2142) and the words by which people address those who run a place.
pub(crate) const RESERVED_HANDLES: &[&str] = &[
    "abuse",
    "actor",
    "admin",
    "administrator",
    "all",
    "everyone",
    "here",
    "hostmaster",
    "info",
    "instance",
    "mailer-daemon",
    "mod",
    "moderator",
    "no-reply",
    "noreply",
    "postmaster",
    "relay",
    "root",
    "security",
    "server",
    "support",
    "system",
    "veerpont",
    "webmaster",
];

/// Whether nobody may have this handle.
pub(crate) fn is_reserved(handle: &Handle) -> bool {
    RESERVED_HANDLES.contains(&handle.as_str())
}

/// Hosts that are delivered to at the same time, where nothing else is configured.
const HOSTS_AT_ONCE: usize = 500;

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

pub(super) fn config(file: &File, base: &Path, page: Page<'_>, env: Env<'_>) -> Result<Config, ConfigError> {
    let reader = Reader { page, base, env };
    let network = reader.network(&file.network)?;
    let server = reader.server(&file.server, network.allow_http)?;
    let database = Database { url: reader.database_url(&file.database)? };
    let secrets = reader.secrets(&file.secrets)?;
    let publishing =
        Publishing { push_within: reader.duration(file.publishing.push_within.as_ref(), "7d", values::duration)? };
    let delivery = Delivery {
        first_retry: reader.duration(file.delivery.first_retry.as_ref(), "1m", values::positive_duration)?,
        hosts_at_once: reader.hosts_at_once(file.delivery.hosts_at_once.as_ref())?,
    };
    let federation = Federation {
        ed25519_hosts: reader.hosts(&file.federation.ed25519_hosts)?,
        require_signed_fetch: file.federation.require_signed_fetch,
    };
    let limits = reader.limits(&file.limits)?;
    let retention = Retention {
        settled: reader.duration(file.retention.settled.as_ref(), "30d", values::duration)?,
        deferred: reader.duration(file.retention.deferred.as_ref(), "14d", values::duration)?,
        rows: reader.duration(file.retention.rows.as_ref(), "180d", values::a_month_at_least)?,
    };

    let metrics = reader.metrics(&file.metrics)?;
    let moderation = reader.moderation(&file.moderation)?;
    let mut taken = Handles { page, owners: BTreeMap::new() };
    let communities =
        file.community.iter().map(|written| reader.community(written, &mut taken)).collect::<Result<Vec<_>, _>>()?;
    let mut names = BTreeSet::new();
    let data = values::database_folder(&database.url).unwrap_or_else(|| base.join("data"));
    let pages = reader.pages(&file.pages, &data)?;
    let sources = file
        .source
        .iter()
        .map(|written| reader.source(written, (&communities, &data), &mut names, &mut taken))
        .collect::<Result<Vec<_>, _>>()?;
    let comment_exports = reader.comment_exports(&file.comment_export, &sources)?;
    Ok(Config {
        server,
        database,
        secrets,
        network,
        publishing,
        delivery,
        federation,
        limits,
        retention,
        metrics,
        pages,
        moderation,
        communities,
        sources,
        comment_exports,
    })
}

#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) page: Page<'a>,
    pub(super) base: &'a Path,
    env: Env<'a>,
}

impl Reader<'_> {
    /// A variable that is set to nothing counts as not set: that is how container files spell it.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.env)(name).filter(|value| !value.trim().is_empty())
    }

    /// The environment's value, else the file's, else the default.
    fn setting<V>(
        &self,
        variable: &str,
        written: Option<&Text>,
        default: &str,
        read: impl Fn(&str) -> Result<V, Fault>,
    ) -> Result<V, ConfigError> {
        match (self.variable(variable), written) {
            (Some(value), _) => read(value.trim()).map_err(|fault| ConfigError::in_variable(variable, fault)),
            (None, Some(written)) => self.page.read(written, |text| read(text)),
            (None, None) => read(default).map_err(|fault| self.page.at(None, fault)),
        }
    }

    pub(super) fn duration(
        &self,
        written: Option<&Text>,
        default: &str,
        read: impl Fn(&str) -> Result<Duration, Fault>,
    ) -> Result<Duration, ConfigError> {
        match written {
            Some(written) => self.page.read(written, |text| read(text)),
            None => read(default).map_err(|fault| self.page.at(None, fault)),
        }
    }

    fn hosts_at_once(&self, written: Option<&Spanned<i64>>) -> Result<usize, ConfigError> {
        written.map_or(Ok(HOSTS_AT_ONCE), |written| self.page.read(written, |number| values::hosts_at_once(*number)))
    }

    pub(super) fn number(&self, written: Option<&Spanned<i64>>, usual: NonZeroU32) -> Result<NonZeroU32, ConfigError> {
        match written {
            Some(written) => self.page.read(written, |number| values::number(*number)),
            None => Ok(usual),
        }
    }

    fn server(&self, written: &file::Server, allow_http: bool) -> Result<Server, ConfigError> {
        let origin = self.page.read(&written.origin, |text| values::origin(text, allow_http))?;
        let handle_domain = match &written.handle_domain {
            Some(domain) => self.page.read(domain, |text| values::handle_domain(text))?,
            None => self.own_host(&origin, &written.origin)?,
        };
        let node = match &written.node {
            Some(node) => self.page.read(node, |text| values::not_blank(text))?,
            None => rustix::system::uname().nodename().to_string_lossy().into_owned(),
        };
        let listen = self.setting("VEERPONT_LISTEN", written.listen.as_ref(), "127.0.0.1:8080", values::listen)?;
        let proxy_hosts = self.hosts(&written.proxy_hosts)?;
        let trusted_proxies = match &written.trusted_proxies {
            Some(ranges) => ranges
                .iter()
                .map(|text| self.page.read(text, |text| values::address_range(text)))
                .collect::<Result<_, _>>()?,
            None => values::this_machine(),
        };
        Ok(Server { listen, origin, handle_domain, node, trusted_proxies, proxy_hosts, tls: self.tls(written)? })
    }

    fn tls(&self, written: &file::Server) -> Result<Option<Tls>, ConfigError> {
        let alone = |there: &Text, missing: &str| {
            let fault = Fault::new(
                format!("TLS needs {missing} too"),
                "name tls_cert and tls_key, both PEM files, or neither to serve plain HTTP to a proxy",
            );
            self.page.at(Some(there.span()), fault)
        };
        let read = |text: &Text| self.page.read(text, |text| values::path(text, self.base));
        match (&written.tls_cert, &written.tls_key) {
            (None, None) => Ok(None),
            (Some(cert), Some(key)) => Ok(Some(Tls { cert: read(cert)?, key: read(key)? })),
            (Some(cert), None) => Err(alone(cert, "tls_key")),
            (None, Some(key)) => Err(alone(key, "tls_cert")),
        }
    }

    fn metrics(&self, written: &file::Metrics) -> Result<Option<SocketAddr>, ConfigError> {
        written.listen.as_ref().map(|listen| self.page.read(listen, |text| values::listen(text))).transpose()
    }

    fn limits(&self, written: &file::Limits) -> Result<Limits, ConfigError> {
        let usual = Limits::default();
        let number = |written: &Option<Spanned<i64>>, usual| self.number(written.as_ref(), usual);
        Ok(Limits {
            inbox_per_source: number(&written.inbox_per_source, usual.inbox_per_source)?,
            inbox_per_host: number(&written.inbox_per_host, usual.inbox_per_host)?,
            inbox_mib_per_host: number(&written.inbox_mib_per_host, usual.inbox_mib_per_host)?,
            inbox_mib_in_all: number(&written.inbox_mib_in_all, usual.inbox_mib_in_all)?,
            keep_free_mib: number(&written.keep_free_mib, usual.keep_free_mib)?,
            connections: number(&written.connections, usual.connections)?,
            connections_per_address: number(&written.connections_per_address, usual.connections_per_address)?,
            prepared_mib: number(&written.prepared_mib, usual.prepared_mib)?,
        })
    }

    fn pages(&self, written: &file::Pages, data: &Path) -> Result<Pages, ConfigError> {
        Ok(Pages {
            pictures: match &written.pictures {
                Some(word) => self.page.read(word, |text| values::pictures(text))?,
                None => Pictures::default(),
            },
            pictures_mib: match &written.pictures_mib {
                Some(written) => self.page.read(written, |number| values::number(*number))?,
                None => NonZeroU32::new(256).unwrap_or(NonZeroU32::MIN),
            },
            pictures_folder: data.join("pictures"),
        })
    }

    fn hosts(&self, written: &[Text]) -> Result<Vec<String>, ConfigError> {
        written.iter().map(|host| self.page.read(host, |text| values::host(text))).collect()
    }

    fn own_host(&self, origin: &Url, written: &Text) -> Result<String, ConfigError> {
        Host::of(origin).map(|host| host.to_string()).ok_or_else(|| {
            let fault = Fault::new("the origin has no host", "write it as \"https://social.example.org\"");
            self.page.at(Some(written.span()), fault)
        })
    }

    fn database_url(&self, written: &file::Database) -> Result<String, ConfigError> {
        let read = |text: &str| values::database_url(text, self.base);
        self.setting("VEERPONT_DATABASE_URL", written.url.as_ref(), "sqlite://data/veerpont.db", read)
    }

    fn secrets(&self, written: &file::Secrets) -> Result<Secrets, ConfigError> {
        let master_key_file = match &written.master_key_file {
            Some(path) => self.page.read(path, |text| values::path(text, self.base))?,
            None => self.base.join("data/master.key"),
        };
        let master_key = self.variable("VEERPONT_MASTER_KEY").map(|key| Zeroizing::new(key.trim().to_owned()));
        Ok(Secrets { master_key_file, master_key })
    }

    fn network(&self, written: &file::Network) -> Result<Network, ConfigError> {
        let ranges =
            written.allow_addresses.iter().map(|text| self.page.read(text, |text| values::address_range(text)));
        let connect_to = written.connect_to.iter().map(|text| self.page.read(text, |text| values::connect_to(text)));
        Ok(Network {
            allow_http: written.allow_http,
            allow_addresses: ranges.collect::<Result<_, _>>()?,
            extra_ca_file: written
                .extra_ca_file
                .as_deref()
                .map(str::trim)
                .filter(|path| !path.is_empty())
                .map(|path| self.base.join(path)),
            connect_to: connect_to.collect::<Result<_, _>>()?,
        })
    }

    fn community(&self, written: &Spanned<file::Community>, taken: &mut Handles<'_>) -> Result<Community, ConfigError> {
        let written = written.get_ref();
        let name = self.page.read(&written.name, |text| values::not_blank(text))?;
        let handle = taken.give(&written.handle, &format!("the community \"{name}\""))?;
        let team_handle = taken.give(&written.team_handle, &format!("the team account of \"{name}\""))?;
        let summary = written.summary.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let policy = written.policy.as_ref().map(|text| self.policy(text)).transpose()?;
        Ok(Community { name, handle, team_handle, summary, policy })
    }
}

/// The one namespace of handles (docs/architecture.md#identity), with who has each.
pub(super) struct Handles<'a> {
    page: Page<'a>,
    owners: BTreeMap<Handle, String>,
}

impl Handles<'_> {
    pub(super) fn give(&mut self, written: &Text, owner: &str) -> Result<Handle, ConfigError> {
        self.page.read(written, |text| {
            let handle = Handle::parse(text).map_err(|error| {
                Fault::new(format!("\"{text}\" cannot be the handle of {owner}"), error.to_string())
            })?;
            if is_reserved(&handle) {
                return Err(Fault::new(
                    format!("the handle \"{handle}\" is reserved, since its owner would seem to speak for the server"),
                    "choose another",
                ));
            }
            if let Some(other) = self.owners.get(&handle) {
                return Err(Fault::new(
                    format!("the handle \"{handle}\" is given to {other} and to {owner}"),
                    "choose another for one of them; case does not count",
                ));
            }
            self.owners.insert(handle.clone(), owner.to_owned());
            Ok(handle)
        })
    }
}
