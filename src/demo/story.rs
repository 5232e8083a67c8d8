//! The steps of the demo. Each is done for real and then looked for where it must show; none is taken for granted.

use std::time::Duration;

use anyhow::{anyhow, bail, ensure};

use super::site;
use super::stage::{COMMUNITY, ELSEWHERE, NEIGHBOUR, READER, Stage, TOWN};
use super::voice::{Facts, Voice};
use crate::activity::Local;
use crate::harness::{Entry, FollowState, Found, Received};
use crate::ids::{ArticleId, Handle};
use crate::interaction::store::Page;
use crate::interaction::{Answers, Shown, State};
use crate::outbox::answers::{self, Draft};
use crate::post::PostState;
use crate::{author, delivery, html, interaction, outbox, post, source};

/// The handle of the author who is followed.
pub(super) const AUTHOR: &str = "maren-oldham";

/// How long a step may take to show.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

const FILE: &str = "content/post/first-boat-after-the-storm.md";
const TITLE: &str = "First boat after the storm";
const BEFORE: &str = "eleven passengers";
const AFTER: &str = "twelve passengers";

const QUESTION: &str = "Was the dog among the passengers?";
const QUESTION_AGAIN: &str = "Was the dog counted among the passengers?";
const REMARK: &str = "It had a ticket, I saw it.";
const ANSWER: &str = "It was the *twelfth*.";

/// The most of a conversation that is looked at.
const WHOLE: Page = Page { from: 0, limit: 100 };

/// What a step hands to the next, and what it tells.
type Told<T> = anyhow::Result<(T, Facts)>;

/// Plays all steps, up to the first that does not happen.
pub(super) async fn tell(stage: &Stage, voice: &mut Voice<'_>) -> anyhow::Result<()> {
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
    voice.step("The post is removed from disk", remove(stage, &id, &note)).await?;
    voice.step("Nothing else was sent", nothing_else(stage)).await
}

async fn import(stage: &Stage) -> Told<()> {
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

pub(super) async fn look_up(stage: &Stage, handle: &str, kind: &str) -> Told<Found> {
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

async fn follow(stage: &Stage, author: &Found) -> Told<()> {
    let sent = stage.peer.follow(READER, author).await.map_err(|why| anyhow!("the Follow is not taken: {why}"))?;
    let facts = vec![("Follow", sent.id), ("answer", format!("{}: signature checked, stored", sent.status))];
    Ok(((), facts))
}

async fn accept(stage: &Stage, author: &Found) -> Told<()> {
    wait_for(stage, &format!("the Accept of {}", author.name), async || {
        let answer = stage.peer.follow_state(READER, &author.actor_id);
        ensure!(answer != Some(FollowState::Rejected), "{} rejects the Follow", author.name);
        Ok((answer == Some(FollowState::Accepted)).then_some(()))
    })
    .await?;
    let accept = heard(stage, "Accept", |accept| speaker(accept) == author.actor_id);
    let accept = accept.ok_or_else(|| anyhow!("no Accept of {} came", author.name))?;
    let facts = vec![
        ("Accept", accept.id),
        ("signed by", format!("{}; digest, host, date and signature verified by {ELSEWHERE}", author.name)),
    ];
    Ok(((), facts))
}

async fn join(stage: &Stage) -> Told<Found> {
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
async fn write(stage: &Stage) -> Told<String> {
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

async fn arrive(stage: &Stage, author: &Found) -> Told<String> {
    let (create, entry) = wait_for(stage, "the arrival of the new Article", async || {
        let create = heard(stage, "Create", |create| speaker(create) == author.actor_id);
        Ok(create.and_then(|create| seen(stage, &create.object_id).map(|entry| (create, entry))))
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

async fn announce(stage: &Stage, group: &Found, id: &str) -> Told<()> {
    let announce = wait_for(stage, "the community's Announce", async || {
        let shown = seen(stage, id).is_some_and(|entry| entry.announced_by.contains(&group.actor_id));
        Ok(heard(stage, "Announce", |announce| announce.object_id == id).filter(|_| shown))
    })
    .await?;
    ensure!(speaker(&announce) == group.actor_id, "it is announced by {}, not by the community", speaker(&announce));
    Ok(((), vec![("Announce", announce.id), ("signed by", format!("{}, the community's {}", group.name, group.kind))]))
}

async fn edit(stage: &Stage, id: &str, date: &str) -> Told<()> {
    stage.write(FILE, &page(date, AFTER)).await?;
    let update = wait_for(stage, "the arrival of the Update", async || {
        let edited = seen(stage, id).filter(|entry| entry.edited && entry.content.contains(AFTER));
        Ok(edited.and_then(|_| heard(stage, "Update", |update| update.object_id == id)))
    })
    .await?;
    let facts = vec![("Update", update.id), ("text", format!("\"{BEFORE}\" became \"{AFTER}\" at {ELSEWHERE}"))];
    Ok(((), facts))
}

/// The article's row, by its id.
async fn row(stage: &Stage, id: &str) -> anyhow::Result<ArticleId> {
    let Some(Local::Article(uuid)) = stage.app.urls.local(id) else { bail!("{id} is no article of ours") };
    let article = post::store::article_by_uuid(&mut *stage.app.db.read().await?, uuid).await?;
    Ok(article.ok_or_else(|| anyhow!("{id} is not in the database"))?.id)
}

/// A part of the conversation as the bridge has it.
async fn said(stage: &Stage, article: &str, id: &str) -> anyhow::Result<Option<Shown>> {
    let article = row(stage, article).await?;
    let mut conn = stage.app.db.read().await?;
    let all = interaction::store::conversation(&mut conn, &stage.app.urls, article, WHOLE).await?;
    Ok(all.into_iter().find(|shown| shown.id == id))
}

/// The plain text of a reply that is shown, if its words hold these.
fn text_with(shown: Option<Shown>, words: &str) -> Option<(Shown, String)> {
    let shown = shown.filter(|shown| shown.state == State::Shown)?;
    let text = html::text(&shown.words.as_ref()?.content);
    text.contains(words).then_some((shown, text))
}

async fn counts(stage: &Stage, article: &str) -> anyhow::Result<Answers> {
    let article = row(stage, article).await?;
    Ok(interaction::store::answers(&mut *stage.app.db.read().await?, article).await?)
}

async fn ask(stage: &Stage, article: &str) -> Told<String> {
    let id = stage.peer.reply(READER, article, QUESTION).await;
    let id = id.map_err(|why| anyhow!("the reply is not taken: {why}"))?;
    let (shown, text) = wait_for(stage, "the reply in the conversation", async || {
        Ok(text_with(said(stage, article, &id).await?, QUESTION))
    })
    .await?;
    ensure!(shown.parent.is_none(), "the reply answers {:?}, not the post", shown.parent);
    let facts = vec![("Note", id.clone()), ("by", shown.author.handle), ("text", text)];
    Ok((id, facts))
}

async fn answer_below(stage: &Stage, article: &str, asked: &str) -> Told<String> {
    let id = stage.peer.reply(NEIGHBOUR, asked, REMARK).await;
    let id = id.map_err(|why| anyhow!("the nested reply is not taken: {why}"))?;
    let (shown, text) = wait_for(stage, "the nested reply in the conversation", async || {
        Ok(text_with(said(stage, article, &id).await?, REMARK))
    })
    .await?;
    ensure!(shown.parent.as_deref() == Some(asked), "the nested reply answers {:?}, not {asked}", shown.parent);
    let facts = vec![("Note", id.clone()), ("by", shown.author.handle), ("below", asked.to_owned()), ("text", text)];
    Ok((id, facts))
}

async fn like_and_boost(stage: &Stage, article: &str) -> Told<()> {
    let like = stage.peer.like(NEIGHBOUR, article).await.map_err(|why| anyhow!("the Like is not taken: {why}"))?;
    let boost = stage.peer.boost(READER, article).await.map_err(|why| anyhow!("the boost is not taken: {why}"))?;
    let counted = wait_for(stage, "a like and a boost of the post", async || {
        let counted = counts(stage, article).await?;
        Ok((counted.likes == 1 && counted.boosts == 1).then_some(counted))
    })
    .await?;
    let (replies, likes, boosts) = (counted.replies, counted.likes, counted.boosts);
    ensure!(replies == 2, "{replies} replies are counted, not 2");
    let facts = vec![
        ("Like", format!("{}, by @{NEIGHBOUR}", like.id)),
        ("Announce", format!("{}, by @{READER}", boost.id)),
        ("counted", format!("{replies} replies, {likes} like, {boosts} boost, for every server to read")),
    ];
    Ok(((), facts))
}

/// The other side of the conversation, as `veerpont reply send` has it.
async fn author_answers(stage: &Stage, author: &Found, asked: &str) -> Told<String> {
    let draft = Draft { author: Handle::parse(AUTHOR)?, to: asked.to_owned(), text: ANSWER.to_owned(), language: None };
    let note = answers::send(&stage.app, draft).await?;
    let id = stage.app.urls.note(note.uuid);
    let (create, entry) = wait_for(stage, "the author's answer", async || {
        let told = stage.peer.mentions(READER).into_iter().any(|entry| entry.id == id);
        let create = heard(stage, "Create", |create| create.object_id == id && speaker(create) == author.actor_id);
        Ok(create.and_then(|create| seen(stage, &id).map(|entry| (create, entry))).filter(|_| told))
    })
    .await?;
    ensure!(entry.in_reply_to.as_deref() == Some(asked), "it answers {:?}, not {asked}", entry.in_reply_to);
    ensure!(entry.text.contains("<em>twelfth</em>"), "the answer does not hold its words: {}", entry.text);
    let facts = vec![
        ("command", format!("veerpont reply send --as {AUTHOR} --to {asked} \"{ANSWER}\"")),
        ("Create", create.id),
        ("signed by", format!("{}, verified by {ELSEWHERE}", author.name)),
        ("seen", format!("by @{READER}, who follows the author and is called by name")),
        ("text", html::text(&entry.text)),
    ];
    Ok((id, facts))
}

async fn edit_answer(stage: &Stage, article: &str, asked: &str) -> Told<()> {
    stage.peer.edit_reply(asked, QUESTION_AGAIN).await.map_err(|why| anyhow!("the Update is not taken: {why}"))?;
    let (_, text) = wait_for(stage, "the edit in the conversation", async || {
        Ok(text_with(said(stage, article, asked).await?, QUESTION_AGAIN))
    })
    .await?;
    Ok(((), vec![("Note", asked.to_owned()), ("text", text)]))
}

async fn delete_answer(stage: &Stage, article: &str, asked: &str, below: &[&str]) -> Told<()> {
    stage.peer.delete_reply(asked).await.map_err(|why| anyhow!("the Delete is not taken: {why}"))?;
    let trace = wait_for(stage, "the end of the reply", async || {
        Ok(said(stage, article, asked).await?.filter(|shown| shown.state == State::Deleted))
    })
    .await?;
    ensure!(trace.words.is_none(), "the words of the deleted reply are still there");
    for id in below {
        let child = said(stage, article, id).await?;
        let stands = child.is_some_and(|child| child.state == State::Shown && child.parent.as_deref() == Some(asked));
        ensure!(stands, "{id} no longer stands below what it answers");
    }
    let facts = vec![
        ("Note", asked.to_owned()),
        ("left", format!("a trace without words, and the {} answers below it", below.len())),
    ];
    Ok(((), facts))
}

async fn remove(stage: &Stage, id: &str, note: &str) -> Told<()> {
    stage.remove(FILE).await?;
    let delete = wait_for(stage, "the arrival of the Delete", async || {
        let gone = [id, note].iter().all(|id| seen(stage, id).is_some_and(|entry| entry.deleted));
        Ok(heard(stage, "Delete", |delete| delete.object_id == id).filter(|_| gone))
    })
    .await?;
    let (status, _, document) = stage.peer.fetch(id).await.map_err(|why| anyhow!("{id} does not answer: {why}"))?;
    ensure!(status == 410, "{id} answers {status} after its removal, not 410");
    let kind = document.get("type").and_then(serde_json::Value::as_str).unwrap_or("an empty page");
    let facts = vec![
        ("Delete", delete.id),
        ("rule", "a file is taken for removed only once two complete scans missed it".to_owned()),
        ("id", format!("answers 410 Gone now, with a {kind}")),
        ("answer", format!("deleted with it: {note}")),
    ];
    Ok(((), facts))
}

async fn nothing_else(stage: &Stage) -> Told<()> {
    wait_for(stage, "the end of all deliveries", async || Ok((!has_deliveries(stage).await?).then_some(()))).await?;
    let mut kinds: Vec<String> = stage.peer.received().into_iter().map(|post| post.kind).collect();
    kinds.sort();
    let expected = ["Accept", "Accept", "Announce", "Create", "Create", "Delete", "Delete", "Update"];
    ensure!(kinds == expected, "{ELSEWHERE} received {}, not {}", kinds.join(", "), expected.join(", "));
    Ok(((), vec![("received", format!("{}; each once, though both actors are followed", kinds.join(", ")))]))
}

/// Looks again and again until there is something, and gives up when patience ends or the other server complains.
async fn wait_for<T>(
    stage: &Stage,
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let looking = async {
        loop {
            if let Some(problem) = stage.peer.problems().first() {
                bail!("{ELSEWHERE} does not take what it is sent: {problem}");
            }
            if let Some(found) = look().await? {
                return Ok(found);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, looking).await;
    found.unwrap_or_else(|_| Err(anyhow!("{what} did not happen within {} seconds", PATIENCE.as_secs())))
}

/// The first verified activity of a kind that fits.
fn heard(stage: &Stage, kind: &str, fits: impl Fn(&Received) -> bool) -> Option<Received> {
    let fits = |post: &Received| post.kind == kind && post.taken && post.verified.is_ok() && fits(post);
    stage.peer.received().into_iter().find(fits)
}

/// An article as the reader sees it.
fn seen(stage: &Stage, id: &str) -> Option<Entry> {
    stage.peer.timeline(READER).into_iter().find(|entry| entry.id == id)
}

/// Who says an activity; the simulated server has checked that its signer is the same.
fn speaker(post: &Received) -> &str {
    post.activity.get("actor").and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// Whether the other server heard nothing, and nothing is on its way there.
async fn is_quiet(stage: &Stage) -> anyhow::Result<bool> {
    Ok(stage.peer.received().is_empty() && !has_deliveries(stage).await?)
}

async fn has_deliveries(stage: &Stage) -> anyhow::Result<bool> {
    let mut conn = stage.app.db.read().await?;
    let now = stage.app.clock.now();
    Ok(outbox::store::any_unsent(&mut conn).await? || delivery::store::any_due(&mut conn, now).await?)
}
