//! The steps of the demo. Each is done for real and then looked for where it must show; none is taken for granted.

use anyhow::{anyhow, bail, ensure};
use harness::{Entry, FollowState, Found, Received};

use super::conversation::{answer_below, ask, author_answers, delete_answer, edit_answer, like_and_boost};
use super::site;
use super::stage::{AUTHOR, COMMUNITY, ELSEWHERE, NEIGHBOUR, READER, Stage, TOWN, speaker, wait_for};
use super::voice::{StepResult, Voice};
use crate::federation::{delivery, outbox};
use crate::model::post::PostState;
use crate::model::{author, post};
use crate::site::source;

const FILE: &str = "content/post/first-boat-after-the-storm.md";
const TITLE: &str = "First boat after the storm";
const BEFORE: &str = "eleven passengers";
const AFTER: &str = "twelve passengers";
const OTHER_FILE: &str = "content/post/a-rope-was-found.md";
const OTHER_TITLE: &str = "A rope was found";

/// Plays all steps, up to the first that does not happen; gives the id of the post of which was spoken.
pub(super) async fn tell(stage: &Stage, voice: &mut Voice<'_>) -> anyhow::Result<String> {
    voice.step("The site is imported", import(stage)).await?;
    let name = format!("Somebody at {ELSEWHERE} looks up @{AUTHOR}@{TOWN}");
    let author = voice.step(&name, look_up(stage, AUTHOR, "Person")).await?;
    voice.step(&format!("@{READER}@{ELSEWHERE} follows {}", author.name), follow(stage, &author)).await?;
    voice.step("The Accept arrives", accept(stage, &author)).await?;
    let group = voice.step("The whole community is followed as well", join(stage)).await?;
    let date = voice.step("A new post is written to disk", write(stage)).await?;
    let id = voice.step("The Article arrives", arrive(stage, &author)).await?;
    voice.step("The community announces it to its own followers", announce(stage, &group, &id)).await?;
    voice.step("The post is edited on disk", edit(stage, &id, &date)).await?;
    let asked = voice.step(&format!("@{READER}@{ELSEWHERE} answers the post"), ask(stage, &id)).await?;
    let name = format!("@{NEIGHBOUR}@{ELSEWHERE} answers below that");
    let remark = voice.step(&name, answer_below(stage, &id, &asked)).await?;
    voice.step("The post is liked and boosted", like_and_boost(stage, &id)).await?;
    let note = voice.step(&format!("{} answers", author.name), author_answers(stage, &author, &asked)).await?;
    voice.step(&format!("@{READER} edits the answer"), edit_answer(stage, &id, &asked)).await?;
    voice.step(&format!("@{READER} deletes it"), delete_answer(stage, &id, &asked, &[&remark, &note])).await?;
    let other = voice.step("Another post is written, and arrives", write_another(stage, &author)).await?;
    voice.step("That one is removed from disk", remove(stage, &other)).await?;
    voice.step("Nothing else was sent", nothing_else(stage, &id)).await?;
    Ok(id)
}

async fn import(stage: &Stage) -> StepResult<()> {
    let known = wait_for(stage, "the import of the site", async || {
        let known = source::store::known(&mut *stage.app.db.read().await?).await?;
        let known = known.into_iter().next().ok_or_else(|| anyhow!("the bridge does not know the site"))?;
        if let Some(error) = &known.error {
            bail!("the site cannot be read: {error}");
        }
        // An import ends when every article stands in its outbox.
        let waiting = post::store::count_unsaid(&mut *stage.app.db.read().await?).await?;
        Ok((known.imported_at.is_some() && waiting == 0).then_some(known))
    })
    .await?;
    let mut conn = stage.app.db.read().await?;
    let posts = post::store::posts(&mut conn, known.id).await?;
    let count = |state: PostState| posts.iter().filter(|post| post.state == state).count();
    let (published, drafts) = (count(PostState::Published), count(PostState::Draft));
    let pages = site::post_count();
    ensure!(
        published > 0 && published + drafts == pages,
        "the site has {pages} posts, but {published} were published and {drafts} kept back"
    );
    let articles = post::store::count_standing(&mut conn).await?;
    ensure!(i64::try_from(published) == Ok(articles), "{published} posts were published as {articles} articles");
    let authors = author::store::authors(&mut conn, known.id).await?;
    let writers: Vec<String> = authors.into_iter().filter(|one| one.actor.is_some()).map(|one| one.name).collect();
    ensure!(!writers.is_empty(), "no author became an actor");
    ensure!(is_quiet(stage).await?, "the import sent something, which it must not");
    let facts = vec![
        ("posts", format!("{published}, each an Article; {drafts} draft kept back")),
        ("authors", format!("{}: {}", writers.len(), writers.join(", "))),
        ("sent", "nothing: what stood there before is listed, never pushed".to_owned()),
    ];
    Ok(((), facts))
}

pub(super) async fn look_up(stage: &Stage, handle: &str, kind: &str) -> StepResult<Found> {
    let handle = format!("{handle}@{TOWN}");
    let found = stage.peer.lookup(&handle).await.map_err(|why| anyhow!("{ELSEWHERE} cannot find @{handle}: {why}"))?;
    ensure!(found.kind == kind, "@{handle} is a {}, not a {kind}", found.kind);
    let facts = vec![
        ("WebFinger", format!("@{handle} is {}", found.actor_id)),
        ("actor", format!("a {}, called {}", found.kind, found.name)),
        ("round trip", format!("the actor's own name leads back to @{}", found.handle)),
    ];
    Ok((found, facts))
}

async fn follow(stage: &Stage, author: &Found) -> StepResult<()> {
    let sent = stage.peer.follow(READER, author).await.map_err(|why| anyhow!("the Follow is not taken: {why}"))?;
    let facts = vec![("Follow", sent.id), ("answer", format!("{}: signature checked, stored", sent.status))];
    Ok(((), facts))
}

async fn accept(stage: &Stage, author: &Found) -> StepResult<()> {
    wait_for(stage, &format!("the Accept of {}", author.name), async || {
        let answer = stage.peer.follow_state(READER, &author.actor_id);
        ensure!(answer != Some(FollowState::Rejected), "{} rejects the Follow", author.name);
        Ok((answer == Some(FollowState::Accepted)).then_some(()))
    })
    .await?;
    let accept = stage.heard("Accept", |accept| speaker(accept) == author.actor_id);
    let accept = accept.ok_or_else(|| anyhow!("no Accept of {} came", author.name))?;
    let facts = vec![
        ("Accept", accept.id),
        ("signed by", format!("{}; digest, host, date and signature verified by {ELSEWHERE}", author.name)),
    ];
    Ok(((), facts))
}

async fn join(stage: &Stage) -> StepResult<Found> {
    let (group, mut facts) = look_up(stage, COMMUNITY, "Group").await?;
    facts.retain(|(label, _)| *label != "round trip");
    follow(stage, &group).await?;
    let ((), accepted) = accept(stage, &group).await?;
    facts.extend(accepted);
    Ok((group, facts))
}

fn page(date: &str, passengers: &str) -> String {
    format!(
        r#"---
title: {TITLE}
date: "{date}"
authors: [{AUTHOR}, priya-nair]
tags: [ferry, weather]
summary: Three days of wind, and then a morning like glass. The Heron sails again.
---

At 06:40 the *Heron* left the quay with {passengers}, a dog, and three days of post.

The painted posts stand **white**; see [what the tide table doesn't say](/post/tide-table/).
"#
    )
}

/// A post dated now is young enough to be pushed. Hands its date on.
async fn write(stage: &Stage) -> StepResult<String> {
    let date = stage.app.clock.now().rfc3339();
    stage.write(FILE, &page(&date, BEFORE)).await?;
    let facts = vec![
        ("file", FILE.to_owned()),
        ("title", TITLE.to_owned()),
        ("authors", format!("{AUTHOR}, priya-nair")),
        ("date", date.clone()),
    ];
    Ok((date, facts))
}

async fn arrive(stage: &Stage, author: &Found) -> StepResult<String> {
    let (create, entry) = wait_for(stage, "the arrival of the new Article", async || {
        let create = stage.heard("Create", |create| speaker(create) == author.actor_id);
        Ok(create.and_then(|create| stage.seen(&create.object_id).map(|entry| (create, entry))))
    })
    .await?;
    ensure!(entry.title == TITLE, "the Article is called \"{}\", not \"{TITLE}\"", entry.title);
    ensure!(entry.content.contains(BEFORE), "the Article does not hold the text of the post");
    ensure!(entry.author == author.actor_id, "the Article is {}'s, not {}'s", entry.author, author.actor_id);
    let facts = vec![
        ("Create", create.id),
        ("signed by", format!("{}; digest, host, date and signature verified by {ELSEWHERE}", author.name)),
        ("title", entry.title),
        ("summary", html::text(&entry.summary).split_whitespace().collect::<Vec<_>>().join(" ")),
        ("url", entry.url),
        ("id", entry.id.clone()),
    ];
    Ok((entry.id, facts))
}

async fn announce(stage: &Stage, group: &Found, id: &str) -> StepResult<()> {
    let announce = wait_for(stage, "the community's Announce", async || {
        let shown = stage.seen(id).is_some_and(|entry| entry.announced_by.contains(&group.actor_id));
        Ok(stage.heard("Announce", |announce| announce.object_id == id).filter(|_| shown))
    })
    .await?;
    ensure!(speaker(&announce) == group.actor_id, "it is announced by {}, not by the community", speaker(&announce));
    Ok(((), vec![("Announce", announce.id), ("signed by", format!("{}, the community's {}", group.name, group.kind))]))
}

async fn edit(stage: &Stage, id: &str, date: &str) -> StepResult<()> {
    stage.write(FILE, &page(date, AFTER)).await?;
    let update = wait_for(stage, "the arrival of the Update", async || {
        let edited = stage.seen(id).filter(|entry| entry.edited && entry.content.contains(AFTER));
        Ok(edited.and_then(|_| stage.heard("Update", |update| update.object_id == id)))
    })
    .await?;
    let facts = vec![("Update", update.id), ("text", format!("\"{BEFORE}\" became \"{AFTER}\" at {ELSEWHERE}"))];
    Ok(((), facts))
}

/// Writes another post, which the community's followers and the author's get as well. Hands its id on.
async fn write_another(stage: &Stage, author: &Found) -> StepResult<String> {
    let date = stage.app.clock.now().rfc3339();
    let text = format!(
        "---\ntitle: {OTHER_TITLE}\ndate: \"{date}\"\nauthors: [{AUTHOR}]\nsummary: It was never lost.\n---\n\nA rope, coiled, found on the slip.\n"
    );
    stage.write(OTHER_FILE, &text).await?;
    let entry = wait_for(stage, "the arrival of the other Article", async || {
        let create = |create: &Received| {
            speaker(create) == author.actor_id && stage.seen(&create.object_id).is_some_and(|entry| is_other(&entry))
        };
        let create = stage.heard("Create", create);
        let entry = create.and_then(|create| stage.seen(&create.object_id));
        // Its Announce too, so that nothing of it is under way when it goes.
        let is_announced = |entry: &Entry| stage.heard("Announce", |announce| announce.object_id == entry.id).is_some();
        Ok(entry.filter(is_announced))
    })
    .await?;
    Ok((entry.id.clone(), vec![("file", OTHER_FILE.to_owned()), ("title", entry.title), ("id", entry.id)]))
}

fn is_other(entry: &Entry) -> bool {
    entry.title == OTHER_TITLE
}

async fn remove(stage: &Stage, id: &str) -> StepResult<()> {
    stage.remove(OTHER_FILE).await?;
    let delete = wait_for(stage, "the arrival of the Delete", async || {
        let gone = stage.seen(id).is_some_and(|entry| entry.deleted);
        Ok(stage.heard("Delete", |delete| delete.object_id == id).filter(|_| gone))
    })
    .await?;
    let (status, _, document) = stage.peer.fetch(id).await.map_err(|why| anyhow!("{id} does not answer: {why}"))?;
    ensure!(status == 410, "{id} answers {status} after its removal, not 410");
    let kind = document.get("type").and_then(serde_json::Value::as_str).unwrap_or("an empty page");
    let facts = vec![
        ("Delete", delete.id),
        ("rule", "a file is taken for removed only once two complete scans missed it".to_owned()),
        ("id", format!("answers 410 Gone now, with a {kind}")),
    ];
    Ok(((), facts))
}

/// What was sent, each once; and the first post still stands with what was said below it.
async fn nothing_else(stage: &Stage, id: &str) -> StepResult<()> {
    wait_for(stage, "the end of all deliveries", async || Ok((!has_deliveries(stage).await?).then_some(()))).await?;
    let mut kinds: Vec<String> = stage.peer.received().into_iter().map(|post| post.kind).collect();
    kinds.sort();
    let expected = ["Accept", "Accept", "Announce", "Announce", "Create", "Create", "Create", "Delete", "Update"];
    ensure!(kinds == expected, "{ELSEWHERE} received {}, not {}", kinds.join(", "), expected.join(", "));
    ensure!(stage.seen(id).is_some_and(|entry| !entry.deleted), "the first post is gone at {ELSEWHERE}");
    let facts = vec![
        ("received", format!("{}; each once, though both actors are followed", kinds.join(", "))),
        ("stands", format!("\"{TITLE}\", with its conversation")),
    ];
    Ok(((), facts))
}

/// Whether the other server heard nothing, and nothing is on its way there.
async fn is_quiet(stage: &Stage) -> anyhow::Result<bool> {
    Ok(stage.peer.received().is_empty() && !has_deliveries(stage).await?)
}

async fn has_deliveries(stage: &Stage) -> anyhow::Result<bool> {
    let mut conn = stage.app.db.read().await?;
    let now = stage.app.clock.now();
    Ok(outbox::store::first_unsent(&mut conn).await?.is_some() || delivery::store::any_due(&mut conn, now).await?)
}
