//! Removes a follower because an operator says so: none of their Follows counts any longer.

use crate::app::App;
use crate::federation::remote;
use crate::model::author::Actor;
use crate::moderation::remove_follower;

/// Ends somebody's follow of one of our actors; false when there was none.
pub(crate) async fn dismiss(app: &App, actor: &Actor, who: &str) -> sqlx::Result<bool> {
    let (app, actor, who) = (app.clone(), actor.clone(), who.to_owned());
    let db = app.db.clone();
    db.decide(move |conn| {
        Box::pin(async move {
            let Some(remote) = remote::store::by_url(conn, &who).await? else { return Ok(false) };
            remove_follower::end_follow(&app, conn, &actor, &remote).await
        })
    })
    .await
}
