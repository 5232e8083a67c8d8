//! Makes configured sources known; a known one that is no longer configured stops the start, since its name is its
//! identity.

use super::{Known, store};
use crate::app::App;
use crate::model::author;

/// Why the bridge cannot start: one sentence, and what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// The configuration no longer names a known source.
    #[error(
        "the source `{0}` is in the database but not in the configuration; put its [[source]] back under that name"
    )]
    Absent(String),
    /// It would move to another community.
    #[error(
        "the source `{0}` belongs to another community in the database; set its `community` back, which is fixed for ever"
    )]
    OtherCommunity(String),
    #[error("the database failed: {0}; check that it is reachable and writable")]
    Database(#[from] sqlx::Error),
}

crate::ends_writes!(SourceError);

/// Makes every configured source known, after the communities are; returns the new names.
///
/// # Errors
/// When a known source is no longer configured, or under another community.
pub(crate) async fn register_all(app: &App) -> Result<Vec<String>, SourceError> {
    let mut founded = Vec::new();
    let (known, communities) = {
        let mut conn = app.db.read().await?;
        (store::known(&mut conn).await?, author::store::communities(&mut conn).await?)
    };
    all_configured(app, &known)?;
    for configured in &app.config.sources {
        let community = communities.iter().find(|community| community.handle == configured.community);
        let community = community.ok_or(sqlx::Error::RowNotFound)?.id;
        match known.iter().find(|source| source.name == configured.name) {
            Some(source) if source.community != community => {
                return Err(SourceError::OtherCommunity(source.name.clone()));
            }
            Some(_) => {}
            None => {
                founded.push(configured.name.clone());
                let (ids, name, now) = (app.ids.clone(), configured.name.clone(), app.clock.now());
                app.db
                    .write(move |conn| Box::pin(async move { store::insert(conn, &ids, &name, community, now).await }))
                    .await?;
            }
        }
    }
    Ok(founded)
}

/// Checks that every known source is still configured, without making any known.
///
/// # Errors
/// As [`found`].
pub(crate) async fn check(app: &App) -> Result<(), SourceError> {
    let mut conn = app.db.read().await?;
    all_configured(app, &store::known(&mut conn).await?)
}

fn all_configured(app: &App, known: &[Known]) -> Result<(), SourceError> {
    let is_configured = |known: &&Known| app.config.sources.iter().any(|configured| configured.name == known.name);
    match known.iter().find(|known| !is_configured(known)) {
        Some(absent) => Err(SourceError::Absent(absent.name.clone())),
        None => Ok(()),
    }
}
