//! `veerpont.toml`: what the operator decides, read once at the start and checked as a whole.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use url::Url;
use zeroize::Zeroizing;

use crate::base::ids::Handle;

mod check;
mod comment_export;
mod error;
mod file;
mod moderation;
mod repository;
mod source;
mod template;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use check::RESERVED_HANDLES;
pub(crate) use comment_export::{CommentExport, ExportKind};
pub(crate) use error::ConfigError;
pub(crate) use moderation::{Moderation, Others, Policy};
pub(crate) use repository::{Remote, Repository};
pub(crate) use template::{InitAnswers, InitSite, template, write_new};

/// The file's name where the operator names no other.
pub(crate) const FILE_NAME: &str = "veerpont.toml";

/// Everything the operator decides. All paths are absolute.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[server]`.
    pub server: Server,
    /// `[database]`.
    pub database: Database,
    /// `[secrets]`.
    pub secrets: Secrets,
    /// `[network]`.
    pub network: Network,
    /// `[publishing]`.
    pub(crate) publishing: Publishing,
    /// `[delivery]`.
    pub(crate) delivery: Delivery,
    /// `[federation]`.
    pub(crate) federation: Federation,
    /// `[limits]`.
    pub(crate) limits: Limits,
    /// `[retention]`.
    pub retention: Retention,
    /// `listen` of `[metrics]`: where Prometheus is told figures, if anywhere.
    pub(crate) metrics: Option<SocketAddr>,
    /// `[pages]`.
    pub(crate) pages: Pages,
    /// `[moderation]`.
    pub(crate) moderation: Moderation,
    /// Each `[[community]]`, in the order of the file.
    pub(crate) communities: Vec<Community>,
    /// Each `[[source]]`, in the order of the file.
    pub sources: Vec<Source>,
    /// Each `[[comment_export]]`, in the order of the file.
    pub(crate) comment_exports: Vec<CommentExport>,
}

/// `[server]`: where we listen and what we are called. The names are in every id, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where to take requests; `VEERPONT_LISTEN` wins over the file.
    pub(crate) listen: SocketAddr,
    /// Scheme, host and perhaps port, nothing else; `http` only where `network.allow_http` is set.
    pub origin: Url,
    /// What stands after the second `@` of our handles: `host` or `host:port`, lower case, punycode.
    pub(crate) handle_domain: String,
    /// This process's name among several on one database; the machine's host name unless configured.
    pub(crate) node: String,
    /// What a proxy before us writes into Host instead of our own names, as in [`handle_domain`](Self::handle_domain).
    pub(crate) proxy_hosts: Vec<String>,
    /// Proxies whose word on where a request comes from is believed; the machine itself unless configured.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// The certificate and key to serve TLS with; without them requests are plain HTTP, for a proxy before us.
    pub(crate) tls: Option<Tls>,
}

/// `tls_cert` and `tls_key` of `[server]`, PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    /// The certificate, and those above it.
    pub(crate) cert: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

/// `[database]`. Printing it never shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    /// `sqlite://` and an absolute path, or `postgres://…`; `VEERPONT_DATABASE_URL` wins over the file.
    pub url: String,
}

impl Database {
    /// The address with `***` for its password, fit for logs and messages.
    pub(crate) fn redacted(&self) -> String {
        values::redact_database_url(&self.url)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("url", &self.redacted()).finish()
    }
}

/// `[secrets]`: where the master key is. Printing it never shows the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The file of the master key.
    pub master_key_file: PathBuf,
    /// The master key itself, from `VEERPONT_MASTER_KEY`; it wins over the file. Not checked here.
    pub(crate) master_key: Option<Zeroizing<String>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("master_key_file", &self.master_key_file)
            .field("master_key", &self.master_key.as_ref().map(|_| "***"))
            .finish()
    }
}

/// `[network]`: what the one outgoing client may do beyond the public https internet; all closed by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Permits `http:` remotes, and ports in remote addresses.
    pub(crate) allow_http: bool,
    /// Address ranges that may be reached although they are not public.
    pub(crate) allow_addresses: Vec<IpNet>,
    /// A PEM file of root certificates trusted beside the system's.
    pub(crate) extra_ca_file: Option<PathBuf>,
    /// Where names really are, instead of asking the resolver; these targets skip the address check.
    pub(crate) connect_to: Vec<ConnectTo>,
}

/// One entry of `connect_to`: `host:port=address:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConnectTo {
    /// The name in the address, lower case.
    pub(crate) host: String,
    /// The port in the address, or the scheme's own.
    pub(crate) port: u16,
    /// Where to connect instead.
    pub(crate) target: SocketAddr,
}

/// `[publishing]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publishing {
    /// Posts older than this are listed but not pushed.
    pub(crate) push_within: Duration,
}

/// `[delivery]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// How long to wait before the first repetition of a failed delivery; never zero.
    pub(crate) first_retry: Duration,
    /// Hosts that are delivered to at the same time.
    pub(crate) hosts_at_once: usize,
}

/// `[federation]`: how we speak with other servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Federation {
    /// Hosts to which requests are signed with Ed25519, as in [`Server::handle_domain`].
    pub(crate) ed25519_hosts: Vec<String>,
    /// Whether documents are shown to signed requests alone (authorized fetch).
    pub(crate) require_signed_fetch: bool,
}

/// `[limits]`: how much strangers may ask of us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// POSTs to inboxes a minute from one address (IPv6: one network of 64 bits), and as many at once.
    pub(crate) inbox_per_source: NonZeroU32,
    /// Verified POSTs to inboxes a minute that one registrable domain signed, and as many at once.
    pub(crate) inbox_per_host: NonZeroU32,
    /// Most that is kept a day of what one registrable domain sends, in MiB.
    pub(crate) inbox_mib_per_host: NonZeroU32,
    /// Most that is kept a day of what all send, in MiB; whoever sent little that day is still let in.
    pub(crate) inbox_mib_in_all: NonZeroU32,
    /// Room on the disk of an SQLite database that strangers may not fill, in MiB.
    pub(crate) keep_free_mib: NonZeroU32,
    /// Most connections at a time.
    pub(crate) connections: NonZeroU32,
    /// Most connections at a time from one address (IPv6: one network of 64 bits).
    pub(crate) connections_per_address: NonZeroU32,
    /// Most memory for answers that are prepared for all who ask alike, in MiB.
    pub(crate) prepared_mib: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        let number = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            inbox_per_source: number(3000),
            inbox_per_host: number(6000),
            inbox_mib_per_host: number(256),
            inbox_mib_in_all: number(1024),
            keep_free_mib: number(256),
            connections: number(512),
            connections_per_address: number(128),
            prepared_mib: number(16),
        }
    }
}

/// `[retention]`: how long the text of what others sent is kept, and how long what nothing needs any longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// After its verdict.
    pub(crate) settled: Duration,
    /// What is not understood yet, and read again after an upgrade.
    pub deferred: Duration,
    /// What was delivered, what came and explains nothing that stands, and strangers to whom nothing refers.
    pub(crate) rows: Duration,
}

/// `[pages]`: what people are shown here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pages {
    /// Whether pictures from elsewhere are shown.
    pub(crate) pictures: Pictures,
    /// Most of them kept on disk, in MiB.
    pub(crate) pictures_mib: NonZeroU32,
    /// The folder in which they are kept.
    pub(crate) pictures_folder: PathBuf,
}

/// What becomes of pictures from elsewhere: faces, emoji, attachments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pictures {
    /// We fetch them and show our copy, so that no reader is seen by a server elsewhere.
    #[default]
    Proxy,
    /// They are left out.
    None,
}

/// One `[[community]]`: a `Group` that people follow as a whole, and its team account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Community {
    /// For people.
    pub(crate) name: String,
    /// The Group's handle; the community is known by it for ever.
    pub(crate) handle: Handle,
    /// The handle of the `Service` that signs what no opted-in author does.
    pub(crate) team_handle: Handle,
    /// What the community is about, plain text, for its profile.
    pub(crate) summary: Option<String>,
    /// When replies to its articles are shown; as `[moderation]` says where it says nothing itself.
    pub(crate) policy: Option<Policy>,
}

/// One `[[source]]`: a site whose posts we ferry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The source is known by it for ever.
    pub(crate) name: String,
    /// What kind of site it is.
    pub(crate) kind: SourceKind,
    /// The handle of the community its posts belong to; one of `Config::communities`.
    pub(crate) community: Handle,
    /// The root folder of the site; inside the checkout where there is a repository.
    pub(crate) path: PathBuf,
    /// Where the site is fetched from, if it is not a folder that stands by itself.
    pub(crate) repository: Option<Repository>,
    /// What a forge must prove to know when it calls.
    pub(crate) webhook: Option<WebhookSecret>,
    /// Where the public reads the site; http or https, ends with `/`.
    pub(crate) public_url: Url,
    /// The top folders of the content whose pages are posts; the usual ones when empty.
    pub(crate) sections: Vec<String>,
    /// The keys of the languages whose posts are taken; all when empty.
    pub(crate) languages: Vec<String>,
    /// The environment whose configuration of the site counts.
    pub(crate) environment: String,
    /// Who becomes an actor.
    pub(crate) authors: AuthorChoice,
    /// How often to look without a file change, since posts become public by date alone; never zero.
    pub(crate) rescan: Duration,
    /// How long a vanished file may be away before its post is removed.
    pub(crate) removal_grace: Duration,
    /// Whether authors' links, roles and organisations are shown as profile fields.
    pub(crate) profile_fields: bool,
    /// Whether the language of a post is detected where the site does not say it.
    pub(crate) detect_language: bool,
    /// What becomes of an article when a redirect rule of the site leads from its post elsewhere.
    pub(crate) moved_away: MovedAway,
    /// Handles of authors whose slug is not to be their handle, by slug.
    pub(crate) handles: BTreeMap<String, Handle>,
}

/// Where the secret is that a forge shares with us. Printing it never shows the secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum WebhookSecret {
    /// In this file, read at each call, so that it can be changed without a restart.
    File(PathBuf),
    /// Itself, from `VEERPONT_WEBHOOK_SECRET_` and the source's name; it wins over the file.
    Value(Zeroizing<String>),
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Value(_) => f.write_str("Value(***)"),
        }
    }
}

/// What becomes of an article whose post's file is gone while a redirect rule leads from its page to no post of the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MovedAway {
    /// It is removed like any other whose file is gone.
    #[default]
    Remove,
    /// It stands on, and its address is the rule's.
    Keep,
}

/// The connectors there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// A tree of files as Hugo reads it.
    Hugo,
}

/// Who of a source's authors gets an actor of their own; it makes people visible, so there is no default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AuthorChoice {
    /// Everyone with a profile and a published post.
    Published,
    /// Those with these slugs.
    Listed(Vec<String>),
}

impl Config {
    /// Reads and checks a configuration file. `env` looks up an environment variable.
    ///
    /// # Errors
    /// When there is no such file, or anything in it or in the environment is not as it must be; the error says
    /// where and what to do.
    pub(crate) fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(&shown, &error))?;
        let absolute = std::path::absolute(path).map_err(|error| ConfigError::unreadable(&shown, &error))?;
        let base = absolute.parent().unwrap_or(Path::new("/"));
        Self::parse(&text, base, &shown, env)
    }

    /// Checks the text of a configuration file. `base` is the absolute folder from which its relative paths are
    /// read, `file_name` is what errors call it.
    ///
    /// # Errors
    /// When anything in the text or in the environment is not as it must be.
    pub fn parse(
        text: &str,
        base: &Path,
        file_name: &str,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let page = error::Page { name: file_name, text };
        let file: file::File = toml::from_str(text).map_err(|error| page.syntax(&error))?;
        check::config(&file, base, page, env)
    }
}
