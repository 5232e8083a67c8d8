//! The middle of the story: what is said about the post, by whom, and how it stands in the conversation after.

use anyhow::{anyhow, bail, ensure};
use harness::Found;

use super::stage::{AUTHOR, ELSEWHERE, NEIGHBOUR, READER, Stage, speaker, wait_for};
use super::voice::StepResult;
use crate::activitypub::Local;
use crate::base::ids::{ArticleId, Handle};
use crate::federation::outbox::author_replies::{self, Draft};
use crate::inbox::review;
use crate::model::interaction::store::{ConversationPage, Order};
use crate::model::interaction::{Answers, Shown, State};
use crate::model::{interaction, post};
use crate::moderation::ModerationNote;
use crate::moderation::review::Decision;

const QUESTION: &str = "Was the dog among the passengers?";
const QUESTION_AGAIN: &str = "Was the dog counted among the passengers?";
const REMARK: &str = "It had a ticket, I saw it.";
const ANSWER: &str = "It was the *twelfth*.";

/// The most of a conversation that is looked at.
const WHOLE: ConversationPage = ConversationPage { from: 0, limit: 100, order: Order::Time };

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
    Ok(all.into_iter().map(|(shown, _)| shown).find(|shown| shown.id == id))
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

/// A moderator lets the first word of somebody new in, as `veerpont reply approve` does.
async fn let_in(stage: &Stage, id: &str) -> StepResult<()> {
    wait_for(stage, "the reply in the queue of the moderator", async || {
        let waiting = interaction::store::post(&mut *stage.app.db.read().await?, id).await?;
        Ok(waiting.filter(|reply| reply.state == State::Held))
    })
    .await?;
    let now = review::decide(&stage.app, id, Decision::Approve, ModerationNote::default()).await?;
    ensure!(now == State::Shown, "an approved reply is {}, not shown", now.as_str());
    let held = "for a moderator: nothing of its author was approved so far".to_owned();
    Ok(((), vec![("held", held), ("command", format!("veerpont reply approve {id}"))]))
}

pub(super) async fn ask(stage: &Stage, article: &str) -> StepResult<String> {
    let id = stage.peer.reply(READER, article, QUESTION).await;
    let id = id.map_err(|why| anyhow!("the reply is not taken: {why}"))?;
    let ((), moderated) = let_in(stage, &id).await?;
    let (shown, text) = wait_for(stage, "the reply in the conversation", async || {
        Ok(text_with(said(stage, article, &id).await?, QUESTION))
    })
    .await?;
    ensure!(shown.parent.is_none(), "the reply answers {:?}, not the post", shown.parent);
    let mut facts = vec![("Note", id.clone()), ("by", shown.author.handle)];
    facts.extend(moderated);
    facts.push(("text", text));
    Ok((id, facts))
}

pub(super) async fn answer_below(stage: &Stage, article: &str, asked: &str) -> StepResult<String> {
    let id = stage.peer.reply(NEIGHBOUR, asked, REMARK).await;
    let id = id.map_err(|why| anyhow!("the nested reply is not taken: {why}"))?;
    let ((), moderated) = let_in(stage, &id).await?;
    let (shown, text) = wait_for(stage, "the nested reply in the conversation", async || {
        Ok(text_with(said(stage, article, &id).await?, REMARK))
    })
    .await?;
    ensure!(shown.parent.as_deref() == Some(asked), "the nested reply answers {:?}, not {asked}", shown.parent);
    let mut facts = vec![("Note", id.clone()), ("by", shown.author.handle), ("below", asked.to_owned())];
    facts.extend(moderated);
    facts.push(("text", text));
    Ok((id, facts))
}

pub(super) async fn like_and_boost(stage: &Stage, article: &str) -> StepResult<()> {
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
pub(super) async fn author_answers(stage: &Stage, author: &Found, asked: &str) -> StepResult<String> {
    let draft = Draft { author: Handle::parse(AUTHOR)?, to: asked.to_owned(), text: ANSWER.to_owned(), language: None };
    let note = author_replies::send(&stage.app, draft).await?;
    let id = stage.app.urls.note(note.uuid);
    let (create, entry) = wait_for(stage, "the author's answer", async || {
        let told = stage.peer.mentions(READER).into_iter().any(|entry| entry.id == id);
        let create = stage.heard("Create", |create| create.object_id == id && speaker(create) == author.actor_id);
        Ok(create.and_then(|create| stage.seen(&id).map(|entry| (create, entry))).filter(|_| told))
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

pub(super) async fn edit_answer(stage: &Stage, article: &str, asked: &str) -> StepResult<()> {
    stage.peer.edit_reply(asked, QUESTION_AGAIN).await.map_err(|why| anyhow!("the Update is not taken: {why}"))?;
    let (_, text) = wait_for(stage, "the edit in the conversation", async || {
        Ok(text_with(said(stage, article, asked).await?, QUESTION_AGAIN))
    })
    .await?;
    Ok(((), vec![("Note", asked.to_owned()), ("text", text)]))
}

pub(super) async fn delete_answer(stage: &Stage, article: &str, asked: &str, below: &[&str]) -> StepResult<()> {
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
