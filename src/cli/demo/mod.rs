//! The whole conversation on one machine, narrated.

mod conversation;
pub mod site;
mod stage;
mod story;
#[cfg(test)]
mod tests;
mod voice;

use std::collections::HashSet;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, anyhow};
use harness::Received;

use crate::server;
use crate::server::telemetry;
use stage::{AUTHOR, COMMUNITY, ELSEWHERE, READER, Stage, TOWN};
use voice::{Manner, StepResult, Voice};

/// How the demo is to be played.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// End after the last step instead of staying up until Ctrl-C.
    pub(crate) once: bool,
    /// Print one JSON document of the steps, `{steps: [{name, ok, detail}], ok}`, instead of the narration.
    pub(crate) json: bool,
}

/// How often the demo looks whether the simulated server heard something new while it stays up.
const LISTEN_EVERY: Duration = Duration::from_millis(500);

/// Plays the demo on stdout: a bridge beside a sample site, and a simulated server that looks up, follows, reads and
/// answers.
/// Needs no file and no network, and leaves nothing behind.
///
/// # Errors
/// When a step did not happen, or it was told to stop before the last one; the error says which and why.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    telemetry::start(true);
    let mut out = io::stdout();
    let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let manner = if options.json { Manner::Json } else { Manner::Text { colour } };
    Box::pin(perform(options.once, &mut out, manner)).await
}

async fn perform(once: bool, out: &mut (dyn Write + Send), manner: Manner) -> anyhow::Result<()> {
    let mut voice = Voice::new(out, manner);
    let mut opened = None;
    let stop = server::stop_signal()?;
    tokio::pin!(stop);
    let told = tokio::select! {
        () = &mut stop => Err(anyhow!("the demo was stopped before its story was over")),
        told = tell(&mut opened, &mut voice) => told,
    };
    let mut result = told.and_then(|article| Ok((opened.as_ref().context("the demo has no stage")?, article)));
    if let Err(error) = voice.end(result.is_ok()) {
        result = Err(error.into());
    }
    let result = match result {
        Ok((stage, article)) if !once => tokio::select! {
            () = &mut stop => Ok(()),
            failed = stay(stage, &article, &mut voice) => failed,
        },
        result => result.map(|_| ()),
    };
    let closed = match opened {
        Some(stage) => stage.close().await,
        None => Ok(()),
    };
    result.and(closed)
}

/// The story from its first step, with whatever it opened left in `opened`, so that it is closed however this ends.
async fn tell(opened: &mut Option<Stage>, voice: &mut Voice<'_>) -> anyhow::Result<String> {
    voice.line(
        "A ferry town's site crosses to the fediverse. Everything below really happens, on this machine alone.",
    )?;
    voice.line("")?;
    let stage = voice.step("Two servers start", Box::pin(start())).await?;
    story::tell(opened.insert(stage), voice).await
}

async fn start() -> StepResult<Stage> {
    let stage = Stage::open().await?;
    let (bridge, peer) = (stage.bridge_address(), stage.peer_address);
    let facts = vec![
        ("site", format!("{TOWN}, a Hugo site in {}", stage.site.display())),
        ("bridge", format!("Veerpont, on http://{bridge}, with a new database")),
        ("elsewhere", format!("{ELSEWHERE}, a simulated server on {peer} with its own keys and its own checks")),
    ];
    Ok((stage, facts))
}

/// Says what to look at, and shows what else happens.
async fn stay(stage: &Stage, article: &str, voice: &mut Voice<'_>) -> anyhow::Result<()> {
    invite(stage, article, voice)?;
    listen(stage, voice).await
}

/// What to open while the demo stays up.
fn invite(stage: &Stage, article: &str, voice: &mut Voice<'_>) -> io::Result<()> {
    let origin = stage.app.urls.origin();
    let ask = format!("{origin}/.well-known/webfinger?resource=acct:{AUTHOR}@{TOWN}");
    voice.line(
        "That was the whole journey. The bridge stays up, and all of it with it, until Ctrl-C; open in a browser:",
    )?;
    voice.line("")?;
    // An article's id leads browsers to its page.
    voice.facts(&[
        ("the post", format!("{article}  with its conversation below it")),
        ("home", format!("{origin}/")),
        ("author", format!("{origin}/@{AUTHOR}")),
        ("community", format!("{origin}/@{COMMUNITY}")),
    ])?;
    voice.line("")?;
    voice.line("or see what other servers see:")?;
    voice.line("")?;
    voice.facts(&[
        ("WebFinger", format!("curl '{ask}'")),
        ("actor", format!("curl -L -H 'Accept: application/activity+json' {origin}/@{AUTHOR}")),
    ])?;
    voice.line("")?;
    let posts = stage.site.join("content/post");
    voice.line(&format!("or change, add or remove a post in {}", posts.display()))?;
    voice.line(&format!("(date a new one today): what {ELSEWHERE} hears of it is shown here."))?;
    voice.line("")
}

/// Shows whatever else the simulated server receives; ends only when nobody can be told any more.
async fn listen(stage: &Stage, voice: &mut Voice<'_>) -> anyhow::Result<()> {
    let mut told: HashSet<String> = stage.peer.received().into_iter().map(|post| post.id).collect();
    loop {
        tokio::time::sleep(LISTEN_EVERY).await;
        for post in stage.peer.received() {
            if told.insert(post.id.clone()) {
                let line = heard(stage, &post);
                voice.line(&line)?;
            }
        }
    }
}

/// One activity in one line.
fn heard(stage: &Stage, post: &Received) -> String {
    let verdict = match &post.verified {
        Ok(()) => "verified".to_owned(),
        Err(why) => format!("REFUSED: {why}"),
    };
    let shown = stage.peer.timeline(READER).into_iter().find(|entry| entry.id == post.object_id && !entry.deleted);
    let what = shown.map_or_else(|| post.object_id.clone(), |entry| format!("\"{}\"", entry.title));
    format!("    {}  {:<8}  {verdict}  {what}", post.at.rfc3339(), post.kind)
}
