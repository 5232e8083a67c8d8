//! Names in the configuration that match nothing on the site or come too late: misspelt authors, handles of existing
//! actors, actors that are no longer listed.

use std::collections::BTreeSet;

use hugo_content::{Scan, Warning};

use crate::config::{AuthorChoice, Source};
use crate::model::author::opt_in::OptIn;
use crate::model::author::{Actor, Author};

/// What the warnings name as their file.
const FILE: &str = "the configuration";

/// A name this similar to another, from 0 to 1, is suggested for it.
const ALIKE: f64 = 0.7;

/// Names in `authors` and `[source.handles]` that no author has. `known` are the slugs of all authors there are.
pub(crate) fn misspelt(source: &Source, known: &BTreeSet<String>) -> Vec<Warning> {
    let listed: &[String] = match &source.authors {
        AuthorChoice::Published => &[],
        AuthorChoice::Listed(slugs) => slugs,
    };
    let listed = listed.iter().map(|slug| ("`authors`", slug));
    let named = listed.chain(source.handles.keys().map(|slug| ("`[source.handles]`", slug)));
    let unknown = named.filter(|(_, slug)| !known.contains(*slug));
    unknown
        .map(|(place, slug)| {
            let likest = known
                .iter()
                .map(|other| (strsim::normalized_levenshtein(&slug.to_lowercase(), &other.to_lowercase()), other))
                .filter(|(likeness, _)| *likeness >= ALIKE)
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let advice = likest.map_or_else(
                || "`veerpont author list` shows them".to_owned(),
                |(_, other)| format!("did you mean `{other}`?"),
            );
            warning(format!(
                "{place} of the source `{}` names `{slug}`, who is no author of the site; {advice}",
                source.name
            ))
        })
        .collect()
}

/// All such warnings of a sync.
pub(super) fn told(source: &Source, scan: &Scan, known: &[Author], actors: &[Actor], opt_in: &OptIn) -> Vec<Warning> {
    let slugs = known.iter().map(|author| &author.slug).chain(scan.authors.iter().map(|profile| &profile.slug));
    let slugs: BTreeSet<String> = slugs.chain(&scan.unread_profiles).cloned().collect();
    let mut told = misspelt(source, &slugs);
    for author in known {
        let actor = author.actor.and_then(|id| actors.iter().find(|actor| actor.id == id));
        let Some(actor) = actor else { continue };
        if let Some(handle) = source.handles.get(&author.slug).filter(|handle| **handle != actor.handle) {
            told.push(warning(format!(
                "`[source.handles]` of the source `{}` calls `{}` @{handle}, but that author is @{} already, and a handle is \
                 for ever; take the line out",
                source.name, author.slug, actor.handle
            )));
        }
        if opt_in.freeze.contains(&actor.id) {
            told.push(warning(format!(
                "`{}` is wanted no more by the source `{}`: @{} stays with its followers and articles but publishes nothing \
                 new; put the author back to let it speak again, or see `veerpont author remove`",
                author.slug, source.name, actor.handle
            )));
        }
    }
    told
}

fn warning(message: String) -> Warning {
    Warning { file: FILE.to_owned(), line: None, message }
}
