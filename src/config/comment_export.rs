//! `[[comment_export]]`: where what was said of a source's posts is given back to the site.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::check::Reader;
use super::error::Fault;
use super::{ConfigError, Source, file, values};

/// One `[[comment_export]]`: a site that is handed what was said of its posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommentExport {
    /// In which form.
    pub(crate) kind: ExportKind,
    /// The name of the source whose posts they are; one of `Config::sources`.
    pub(crate) source: String,
    /// The root folder of the site that is built.
    pub(crate) path: PathBuf,
    /// How often everything is compared; what changed is written within seconds. Never zero.
    pub(crate) every: Duration,
}

/// The forms there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExportKind {
    /// Data files that Hugo reads when it builds the site.
    Hugo,
}

impl Reader<'_> {
    pub(super) fn comment_exports(
        &self,
        written: &[Spanned<file::CommentExport>],
        sources: &[Source],
    ) -> Result<Vec<CommentExport>, ConfigError> {
        let mut all: Vec<CommentExport> = Vec::new();
        for written in written {
            let comment_export = self.comment_export(written, sources)?;
            if all.iter().any(|other| other.path == comment_export.path) {
                let span = written.get_ref().path.as_ref().map_or(written.span(), Spanned::span);
                return Err(self.page.at(Some(span), twice(&comment_export.path)));
            }
            all.push(comment_export);
        }
        Ok(all)
    }

    fn comment_export(
        &self,
        spanned: &Spanned<file::CommentExport>,
        sources: &[Source],
    ) -> Result<CommentExport, ConfigError> {
        let (page, written) = (self.page, spanned.get_ref());
        let source = page.read(&written.source, |name| known_source(name, sources))?;
        let path = match (&written.path, &source.repository) {
            (Some(path), _) => page.read(path, |text| {
                let path = values::path(text, self.base)?;
                outside_the_checkout(&path, source).map(|()| path)
            })?,
            (None, None) => source.path.clone(),
            (None, Some(_)) => return Err(page.at(Some(spanned.span()), path_missing(&source.name))),
        };
        Ok(CommentExport {
            kind: page.read(&written.kind, |text| kind(text))?,
            source: source.name.clone(),
            path,
            every: self.duration(written.every.as_ref(), "5m", values::positive_duration)?,
        })
    }
}

fn kind(text: &str) -> Result<ExportKind, Fault> {
    match text {
        "hugo" => Ok(ExportKind::Hugo),
        other => Err(Fault::new(format!("there is no comment export of kind \"{other}\""), "the kinds are: \"hugo\"")),
    }
}

fn known_source<'a>(name: &str, sources: &'a [Source]) -> Result<&'a Source, Fault> {
    sources.iter().find(|source| source.name == name).ok_or_else(|| {
        let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
        let hint = if known.is_empty() {
            "add a [[source]] of this name".to_owned()
        } else {
            format!("known are: {}", known.join(", "))
        };
        Fault::new(format!("there is no source named \"{name}\""), hint)
    })
}

/// What we write into our own checkout would be swept away, and no build would see it.
fn outside_the_checkout(path: &Path, source: &Source) -> Result<(), Fault> {
    match &source.repository {
        Some(repository) if path.starts_with(&repository.checkout) => Err(Fault::new(
            format!("this folder is inside the checkout of the source \"{}\", which each fetch sets back", source.name),
            "name the folder in which the site is built",
        )),
        _ => Ok(()),
    }
}

fn path_missing(source: &str) -> Fault {
    Fault::new(
        format!("\"path\" is missing in the [[comment_export]] of \"{source}\", which comes from a repository"),
        "add `path = \"…\"`, the root folder in which the site is built",
    )
}

fn twice(path: &Path) -> Fault {
    Fault::new(
        format!("two comment exports write into {}", path.display()),
        "give each its own folder: each removes what it did not write itself",
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::super::tests::{SMALL, parse};
    use super::*;

    fn with(lines: &str) -> Result<Vec<CommentExport>, ConfigError> {
        parse(&format!("{SMALL}[[comment_export]]\n{lines}\n")).map(|config| config.comment_exports)
    }

    #[test]
    fn a_comment_export_gets_its_defaults() {
        let all = with("kind = \"hugo\"\nsource = \"site\"").expect("a configuration");
        let expected = CommentExport {
            kind: ExportKind::Hugo,
            source: "site".to_owned(),
            path: PathBuf::from("/srv/veerpont/../site"),
            every: Duration::from_mins(5),
        };
        assert_eq!(all, [expected]);
        let all =
            with("kind = \"hugo\"\nsource = \"site\"\npath = \"built\"\nevery = \"1h\"").expect("a configuration");
        assert_eq!((&all[0].path, all[0].every), (&PathBuf::from("/srv/veerpont/built"), Duration::from_hours(1)));
        assert_eq!(parse(SMALL).expect("a configuration").comment_exports, []);
    }

    #[test]
    fn each_fault_is_told_at_its_line() {
        let line = SMALL.lines().count();
        for (lines, below, words) in [
            ("source = \"site\"", 1, "\"kind\" is missing"),
            ("kind = \"hugo\"", 1, "\"source\" is missing"),
            (
                "kind = \"jekyll\"\nsource = \"site\"",
                2,
                "no comment export of kind \"jekyll\"; the kinds are: \"hugo\"",
            ),
            ("kind = \"hugo\"\nsource = \"other\"", 3, "no source named \"other\"; known are: site"),
            ("kind = \"hugo\"\nsource = \"site\"\nevery = \"0s\"", 4, "zero"),
            ("kind = \"hugo\"\nsource = \"site\"\npath = \" \"", 4, "empty"),
            ("kind = \"hugo\"\nsource = \"site\"\nfolder = \"x\"", 4, "unknown key \"folder\" in [[comment_export]]"),
            (
                "kind = \"hugo\"\nsource = \"site\"\n[[comment_export]]\nkind = \"hugo\"\nsource = \"site\"\npath = \"../site\"",
                7,
                "two comment exports write into",
            ),
        ] {
            let error = with(lines).expect_err(lines);
            assert!(error.to_string().contains(words), "{lines}: {error}");
            assert_eq!(error.position.map(|(line, _)| line), Some(line + below), "{lines}: {error}");
        }
    }

    #[test]
    fn a_repository_is_not_where_the_site_is_built() {
        let text =
            SMALL.replace("path = \"../site\"", "repository = \"https://forge.example/site.git\"\ncheckout = \"co\"");
        let with =
            |lines: &str| parse(&format!("{text}[[comment_export]]\nkind = \"hugo\"\nsource = \"site\"\n{lines}\n"));
        let missing = with("").expect_err("no path").to_string();
        assert!(missing.contains("\"path\" is missing") && missing.contains("from a repository"), "{missing}");
        let inside = with("path = \"co/files\"").expect_err("inside").to_string();
        assert!(inside.contains("inside the checkout"), "{inside}");
        assert!(with("path = \"build\"").is_ok());
    }
}
