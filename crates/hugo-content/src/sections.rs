//! What stands beside the posts: sections' own pages with what they hand down, profiles, and what the operator asks for
//! and the site has not.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use url::Url;

use super::authors::{self, Authors};
use super::bounds::Over;
use super::cascade::Cascades;
use super::config::{self, Root, SiteConfig};
use super::file::relative;
use super::frontmatter::Document;
use super::matcher::Kind;
use super::paths::slug_of;
use super::profiles::{self, Origin};
use super::reader::{PerLanguage, Reader};
use super::walk::Tree;
use super::{USUAL_SECTIONS, permalink, protection};

impl Reader<'_> {
    /// Says what the operator asks for and the site has not.
    pub(super) fn tell_of_gaps(&mut self) {
        let (settings, site) = (self.settings, self.site);
        let folder = site.roots.first().map(|root| relative(&settings.root, &root.folder)).unwrap_or_default();
        for section in &settings.sections {
            let section = section.trim_matches('/');
            let there = |root: &Root| match section.strip_prefix(root.below.as_str()) {
                Some(rest) => root.folder.join(rest.trim_matches('/')).is_dir(),
                None => Path::new(&root.below).starts_with(section),
            };
            if !site.roots.iter().any(there) {
                let message = format!("there is no section `{section}`; check `sections` of the source");
                self.warn(&folder, None, message);
            }
        }
        let is_there = |section: &&str| site.roots.iter().any(|root| root.folder.join(section).is_dir());
        let is_elsewhere = site.roots.iter().any(|root| !root.below.is_empty());
        if settings.sections.is_empty() && !is_elsewhere && !USUAL_SECTIONS.iter().any(is_there) {
            let message = format!(
                "there is none of the usual folders of posts ({}), so no file is one; name yours with `sections` of the source",
                USUAL_SECTIONS.join(", ")
            );
            self.warn(&folder, None, message);
        }
        for key in settings.languages.iter().filter(|key| site.position(key).is_none()) {
            let known: Vec<&str> = site.languages.iter().map(|language| language.language_key.as_str()).collect();
            let message = format!(
                "the site has no language `{key}`, it has {}; check `languages` of the source",
                known.join(", ")
            );
            self.warn(&folder, None, message);
        }
    }

    pub(super) fn tell_of_adapters(&mut self, tree: &Tree) {
        for (folder, path) in &tree.adapters {
            if self.holds_posts(folder) {
                let message =
                    "the pages that this program makes are not read, since only Hugo can run it; posts must be files";
                self.warn(&relative(&self.settings.root, path), None, message.to_owned());
            }
        }
    }

    /// Reads the sections' own pages: what they hand down, and the profiles among them.
    pub(super) fn branches(&mut self, tree: &Tree) -> (Authors, PerLanguage<Cascades>) {
        let mut authors = Authors::default();
        let mut all: PerLanguage<Cascades> = Vec::new();
        for config in &self.site.languages {
            let mut cascades = Cascades::default();
            cascades.add("", config.cascade.as_ref());
            all.push(cascades);
        }
        let mut profiles = Vec::new();
        for branch in &tree.branches {
            let Some((file, document)) = self.document(&branch.path) else {
                let name = relative(&self.settings.root, &branch.path);
                self.closed.push((branch.folder.clone(), branch.language, name));
                let config = self.site.languages.get(branch.language);
                let author = config.and_then(|config| authors::slug_of_folder(&branch.folder, config));
                self.scan.unread_profiles.extend(author);
                continue;
            };
            if let Some(why) = secluded(&document.fields).filter(|_| self.holds_posts(&branch.folder)) {
                self.warn(&file, None, format!("{why}, so the posts of this section are held"));
                self.closed.push((branch.folder.clone(), branch.language, file.clone()));
            }
            if document.fields.contains_key("slug") && self.holds_posts(&branch.folder) {
                let message = "the `slug` of a section is not read, though newer versions of Hugo change the addresses \
                               below it by it; rename the folder instead, or check the addresses that `sync --dry-run` shows";
                self.warn(&file, None, message.to_owned());
            }
            if let Some(cascades) = all.get_mut(branch.language) {
                cascades.add(&branch.folder, document.fields.get("cascade"));
            }
            let below = branch.folder.split_once('/');
            if below.is_some_and(|(top, rest)| top == authors::FOLDER && !rest.contains('/')) {
                profiles.push((branch, file, document));
            }
        }
        for (branch, file, document) in profiles {
            let language = self.language(branch.language).zip(all.get(branch.language));
            let Some((language, cascades)) = language else { continue };
            if let Err(over) =
                self.profile(&mut authors, (&branch.folder, &branch.path, &file), document, cascades, language)
            {
                self.warn(&file, None, format!("{over}, so this profile stays as it was; make it shorter"));
                self.scan.unread_profiles.extend(authors::slug_of_folder(&branch.folder, language.0));
            }
        }
        self.data_profiles(&mut authors);
        (authors, all)
    }

    fn profile(
        &self,
        authors: &mut Authors,
        (key, path, file): (&str, &Path, &str),
        mut document: Document,
        cascades: &Cascades,
        language: (&SiteConfig, &Url),
    ) -> Result<(), Over> {
        let (config, public_url) = language;
        cascades.fill(&mut document.fields, config.subject(key, Kind::Section));
        let address = permalink::folder_address(key, config, public_url);
        let name = key.rsplit('/').next().unwrap_or(key);
        let origin = Origin { name, address: &address, path, file, is_content: true };
        if let Some((profile, own_names)) = profiles::read(&document, origin, self.profile_site(language))? {
            authors.add(profile, own_names);
        }
        Ok(())
    }

    fn profile_site<'s>(&self, (config, public_url): (&'s SiteConfig, &'s Url)) -> profiles::Site<'s> {
        profiles::Site { config, public_url, with_fields: self.settings.profile_fields }
    }

    /// The profiles in `data/authors`.
    fn data_profiles(&mut self, authors: &mut Authors) {
        let Some(language) = self.language(0) else { return };
        let folder = self.settings.root.join("data").join(authors::FOLDER);
        let Ok(items) = folder.read_dir() else { return };
        let mut paths: Vec<PathBuf> = items.filter_map(|item| Some(item.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            let is_data = path.extension().and_then(|extension| extension.to_str()).is_some_and(config::is_data);
            let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| is_data) else { continue };
            let file = relative(&self.settings.root, &path);
            let fields = match config::read(&self.settings.root, &path, &mut self.scan.warnings) {
                Ok(fields) => fields,
                Err(error) => {
                    self.warn(&file, None, format!("this profile cannot be read, so it is passed over: {error}"));
                    self.scan.unread_profiles.insert(slug_of(name, language.0));
                    continue;
                }
            };
            let document = Document { fields, ..Document::default() };
            let origin = Origin { name, address: language.1, path: &path, file: &file, is_content: false };
            match profiles::read(&document, origin, self.profile_site(language)) {
                Ok(found) => found.into_iter().for_each(|(profile, own_names)| authors.add(profile, own_names)),
                Err(over) => {
                    self.warn(&file, None, format!("{over}, so this profile stays as it was; make it shorter"));
                    self.scan.unread_profiles.insert(slug_of(name, language.0));
                }
            }
        }
    }
}

/// Why it cannot be told who may read what stands below a section.
fn secluded(fields: &Map<String, Value>) -> Option<String> {
    let is_handed_down = matches!(fields.get("cascade"), None | Some(Value::Null | Value::Object(_) | Value::Array(_)));
    if !is_handed_down {
        return Some("its `cascade` is no table, and may hide pages".to_owned());
    }
    // A program that locks a section's page locks what is below it.
    let key = protection::lock_of(fields)?;
    Some(format!("its `{key}` says that not everybody may read what is in it"))
}
