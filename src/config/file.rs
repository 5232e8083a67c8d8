//! The file as it is written: which keys there are. What they may say is decided in `check`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// A text and where it stands in the file.
pub(super) type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) server: Server,
    #[serde(default)]
    pub(super) database: Database,
    #[serde(default)]
    pub(super) secrets: Secrets,
    #[serde(default)]
    pub(super) network: Network,
    #[serde(default)]
    pub(super) publishing: Publishing,
    #[serde(default)]
    pub(super) delivery: Delivery,
    #[serde(default)]
    pub(super) federation: Federation,
    #[serde(default)]
    pub(super) limits: Limits,
    #[serde(default)]
    pub(super) retention: Retention,
    #[serde(default)]
    pub(super) metrics: Metrics,
    #[serde(default)]
    pub(super) pages: Pages,
    #[serde(default)]
    pub(super) moderation: Moderation,
    #[serde(default)]
    pub(super) community: Vec<Spanned<Community>>,
    #[serde(default)]
    pub(super) source: Vec<Spanned<Source>>,
    #[serde(default)]
    pub(super) comment_export: Vec<Spanned<CommentExport>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    pub(super) listen: Option<Text>,
    pub(super) origin: Text,
    pub(super) handle_domain: Option<Text>,
    pub(super) node: Option<Text>,
    #[serde(default)]
    pub(super) proxy_hosts: Vec<Text>,
    pub(super) trusted_proxies: Option<Vec<Text>>,
    pub(super) tls_cert: Option<Text>,
    pub(super) tls_key: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Federation {
    #[serde(default)]
    pub(super) ed25519_hosts: Vec<Text>,
    #[serde(default)]
    pub(super) require_signed_fetch: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metrics {
    pub(super) listen: Option<Text>,
}

/// Numbers of any kind, so that one out of range is told in our words.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) inbox_per_source: Option<Spanned<i64>>,
    pub(super) inbox_per_host: Option<Spanned<i64>>,
    pub(super) inbox_mib_per_host: Option<Spanned<i64>>,
    pub(super) inbox_mib_in_all: Option<Spanned<i64>>,
    pub(super) keep_free_mib: Option<Spanned<i64>>,
    pub(super) connections: Option<Spanned<i64>>,
    pub(super) connections_per_address: Option<Spanned<i64>>,
    pub(super) prepared_mib: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Retention {
    pub(super) settled: Option<Text>,
    pub(super) deferred: Option<Text>,
    pub(super) rows: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pages {
    pub(super) pictures: Option<Text>,
    pub(super) pictures_mib: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Moderation {
    pub(super) policy: Option<Text>,
    #[serde(default)]
    pub(super) allow_only: Vec<Text>,
    pub(super) others: Option<Text>,
    pub(super) max_mentions: Option<Spanned<i64>>,
    pub(super) max_links: Option<Spanned<i64>>,
    pub(super) new_host_hold: Option<Text>,
    pub(super) new_hosts_per_domain: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) keep_private: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Database {
    pub(super) url: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Secrets {
    pub(super) master_key_file: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Network {
    #[serde(default)]
    pub(super) allow_http: bool,
    #[serde(default)]
    pub(super) allow_addresses: Vec<Text>,
    pub(super) extra_ca_file: Option<String>,
    #[serde(default)]
    pub(super) connect_to: Vec<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Publishing {
    pub(super) push_within: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Delivery {
    pub(super) first_retry: Option<Text>,
    pub(super) hosts_at_once: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Community {
    pub(super) name: Text,
    pub(super) handle: Text,
    pub(super) team_handle: Text,
    pub(super) summary: Option<String>,
    pub(super) policy: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) name: Text,
    pub(super) kind: Text,
    pub(super) community: Text,
    pub(super) path: Option<Text>,
    pub(super) repository: Option<Text>,
    pub(super) branch: Option<Text>,
    pub(super) folder: Option<Text>,
    pub(super) history: Option<Spanned<bool>>,
    pub(super) checkout: Option<Text>,
    pub(super) token_file: Option<Text>,
    pub(super) ssh_key_file: Option<Text>,
    pub(super) ssh_known_hosts_file: Option<Text>,
    pub(super) webhook_secret_file: Option<Text>,
    pub(super) public_url: Text,
    pub(super) sections: Option<Spanned<Vec<String>>>,
    pub(super) languages: Option<Spanned<Vec<String>>>,
    pub(super) environment: Option<Text>,
    pub(super) authors: Option<Spanned<toml::Value>>,
    pub(super) rescan: Option<Text>,
    pub(super) removal_grace: Option<Text>,
    pub(super) moved_away: Option<Text>,
    #[serde(default)]
    pub(super) profile_fields: bool,
    pub(super) detect_language: Option<bool>,
    #[serde(default)]
    pub(super) handles: BTreeMap<String, Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommentExport {
    pub(super) kind: Text,
    pub(super) source: Text,
    pub(super) path: Option<Text>,
    pub(super) every: Option<Text>,
}
