//! `[[source]]`: a site, where it is, and who of its authors becomes an actor.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Spanned;
use zeroize::Zeroizing;

use super::check::{Handles, Reader};
use super::error::Fault;
use super::file::{self, Text};
use super::{Community, ConfigError, MovedAway, Remote, Repository, Source, WebhookSecret, repository, values};
use crate::base::ids::Handle;

impl Reader<'_> {
    pub(super) fn source(
        &self,
        spanned: &Spanned<file::Source>,
        (communities, data): (&[Community], &Path),
        names: &mut BTreeSet<String>,
        taken: &mut Handles<'_>,
    ) -> Result<Source, ConfigError> {
        let (page, written) = (self.page, spanned.get_ref());
        let name = page.read(&written.name, |text| source_name(text, names))?;
        let sections = match &written.sections {
            Some(sections) => page.read(sections, |names| values::sections(names))?,
            None => Vec::new(),
        };
        let authors = match &written.authors {
            Some(authors) => page.read(authors, values::authors)?,
            None => return Err(page.at(Some(spanned.span()), authors_missing(&name))),
        };
        let handles = written.handles.iter().map(|(slug, handle)| {
            Ok((slug.clone(), taken.give(handle, &format!("the author \"{slug}\" of \"{name}\""))?))
        });
        let repository = self.repository(spanned, data, &name)?;
        Ok(Source {
            kind: page.read(&written.kind, |text| values::source_kind(text))?,
            community: page.read(&written.community, |text| known_community(text, communities))?,
            path: match (&written.path, &repository) {
                (_, Some(repository)) => repository.files().join(&repository.folder),
                (Some(path), None) => page.read(path, |text| values::path(text, self.base))?,
                (None, None) => return Err(page.at(Some(spanned.span()), path_missing(&name))),
            },
            repository,
            webhook: self.webhook(written.webhook_secret_file.as_ref(), &name)?,
            public_url: page.read(&written.public_url, |text| values::public_url(text))?,
            sections,
            languages: written
                .languages
                .as_ref()
                .map_or(Ok(Vec::new()), |keys| page.read(keys, |keys| values::languages(keys)))?,
            environment: match &written.environment {
                Some(name) => page.read(name, |name| values::environment(name))?,
                None => "production".to_owned(),
            },
            authors,
            rescan: self.duration(written.rescan.as_ref(), "5m", values::positive_duration)?,
            removal_grace: self.duration(written.removal_grace.as_ref(), "24h", values::duration)?,
            profile_fields: written.profile_fields,
            detect_language: written.detect_language.unwrap_or(true),
            moved_away: match &written.moved_away {
                Some(word) => page.read(word, |text| values::moved_away(text))?,
                None => MovedAway::default(),
            },
            handles: handles.collect::<Result<_, ConfigError>>()?,
            name,
        })
    }

    fn repository(
        &self,
        spanned: &Spanned<file::Source>,
        data: &Path,
        source: &str,
    ) -> Result<Option<Repository>, ConfigError> {
        let (page, written) = (self.page, spanned.get_ref());
        let Some(address) = &written.repository else {
            return self.without_repository(written).map(|()| None);
        };
        if written.path.is_some() {
            let fault = Fault::new(
                "the source has both \"path\" and \"repository\"",
                "keep one; a folder inside the repository is named with `folder`",
            );
            return Err(page.at(Some(address.span()), fault));
        }
        let remote = page.read(address, |text| repository::remote(text, self.base))?;
        self.fits(&remote, written)?;
        Ok(Some(Repository {
            branch: self.maybe(written.branch.as_ref(), repository::branch)?,
            history: written.history.as_ref().is_some_and(|history| *history.get_ref()),
            folder: self.maybe(written.folder.as_ref(), repository::folder)?.unwrap_or_default(),
            checkout: self.maybe_path(written.checkout.as_ref())?.unwrap_or_else(|| repository::checkout(data, source)),
            token_file: self.maybe_path(written.token_file.as_ref())?,
            ssh_key_file: self.maybe_path(written.ssh_key_file.as_ref())?,
            ssh_known_hosts_file: self.maybe_path(written.ssh_known_hosts_file.as_ref())?,
            remote,
        }))
    }

    /// Keys that say something of a repository where there is none are a mistake, not a wish.
    fn without_repository(&self, written: &file::Source) -> Result<(), ConfigError> {
        let keys = [
            ("branch", &written.branch),
            ("folder", &written.folder),
            ("checkout", &written.checkout),
            ("token_file", &written.token_file),
            ("ssh_key_file", &written.ssh_key_file),
            ("ssh_known_hosts_file", &written.ssh_known_hosts_file),
        ];
        let stray = keys.into_iter().find_map(|(key, value)| Some((key, value.as_ref()?.span())));
        match stray.or_else(|| Some(("history", written.history.as_ref()?.span()))) {
            Some((key, span)) => {
                let message = format!("\"{key}\" belongs to a repository, and this source has none");
                Err(self.page.at(Some(span), Fault::new(message, "write `repository = …`, or remove it")))
            }
            None => Ok(()),
        }
    }

    /// A secret for another transport than the remote's would never be used.
    fn fits(&self, remote: &Remote, written: &file::Source) -> Result<(), ConfigError> {
        let unused = match remote {
            Remote::Https { .. } => {
                [("ssh_key_file", &written.ssh_key_file), ("ssh_known_hosts_file", &written.ssh_known_hosts_file)]
            }
            Remote::Ssh(_) => [("token_file", &written.token_file), ("token_file", &None)],
            Remote::Local(_) => [("token_file", &written.token_file), ("ssh_key_file", &written.ssh_key_file)],
        };
        match unused.into_iter().find_map(|(key, value)| Some((key, value.as_ref()?))) {
            Some((key, value)) => {
                let message = format!("\"{key}\" is not used for the repository {}", remote.address());
                let hint = "token_file goes with https, ssh_key_file and ssh_known_hosts_file with ssh; remove it";
                Err(self.page.at(Some(value.span()), Fault::new(message, hint)))
            }
            None => Ok(()),
        }
    }

    fn maybe<V>(
        &self,
        written: Option<&Text>,
        read: impl Fn(&str) -> Result<V, Fault>,
    ) -> Result<Option<V>, ConfigError> {
        written.map(|written| self.page.read(written, |text| read(text))).transpose()
    }

    fn maybe_path(&self, written: Option<&Text>) -> Result<Option<PathBuf>, ConfigError> {
        self.maybe(written, |text| values::path(text, self.base))
    }

    /// The variable is named after the source, in capitals, with `_` for everything but letters and digits.
    fn webhook(&self, written: Option<&Text>, source: &str) -> Result<Option<WebhookSecret>, ConfigError> {
        let upper = source.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let value = self.variable(&format!("VEERPONT_WEBHOOK_SECRET_{upper}"));
        let value = value.map(|secret| WebhookSecret::Value(Zeroizing::new(secret.trim().to_owned())));
        Ok(value.or(self.maybe_path(written)?.map(WebhookSecret::File)))
    }
}

fn path_missing(source: &str) -> Fault {
    Fault::new(
        format!("\"path\" is missing in [[source]] \"{source}\", and there is no \"repository\" either"),
        "add `path = \"…\"`, the root folder of the site, or `repository = \"https://…\"`, where it is fetched from",
    )
}

fn source_name(text: &str, names: &mut BTreeSet<String>) -> Result<String, Fault> {
    let name = values::not_blank(text)?;
    if names.insert(name.clone()) {
        Ok(name)
    } else {
        Err(Fault::new(format!("there are two sources named \"{name}\""), "give each its own name"))
    }
}

fn known_community(text: &str, communities: &[Community]) -> Result<Handle, Fault> {
    if communities.is_empty() {
        return Err(Fault::new(
            format!("the source belongs to \"{text}\", but there is no community"),
            "add a [[community]] with name, handle and team_handle",
        ));
    }
    let known = || communities.iter().map(|community| community.handle.as_str()).collect::<Vec<_>>().join(", ");
    communities
        .iter()
        .map(|community| &community.handle)
        .find(|handle| handle.as_str().eq_ignore_ascii_case(text))
        .cloned()
        .ok_or_else(|| {
            Fault::new(format!("there is no community with the handle \"{text}\""), format!("known are: {}", known()))
        })
}

fn authors_missing(source: &str) -> Fault {
    Fault::new(
        format!(
            "\"authors\" is missing in [[source]] \"{source}\", and it has no default, since it makes people visible"
        ),
        "write authors = \"published\" to give everyone with a profile and a published post an actor of their own, \
         or list the slugs of those who agreed, as [\"ann\"]; [] lets the team account sign everything",
    )
}
