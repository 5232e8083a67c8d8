//! `veerpont key`: new keys for our actors, and a new master key.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;
use serde_json::json;
use zeroize::Zeroizing;

use super::confirm::Confirmation;
use super::names;
use super::print::{Output, count};
use crate::app::App;
use crate::base::sealing::MasterKey;
use crate::federation::outbox::rotation;
use crate::model::author::{self, Actor, keys};

#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Give an actor a new key pair, and tell everyone we know, signed with the old one.
    Rotate {
        /// Whose: `instance` is the bridge's own.
        #[arg(value_name = "HANDLE", required_unless_present = "all")]
        handle: Option<String>,
        /// Every actor that is not deleted, the instance too.
        #[arg(long, conflicts_with = "handle")]
        all: bool,
        #[command(flatten)]
        sure: Confirmation,
    },
    /// Seal every private key with another master key.
    Reseal {
        /// The file of the new master key (32 bytes in base64); it is made if it is not there.
        #[arg(long, value_name = "FILE")]
        new_master_key_file: PathBuf,
    },
}

impl Key {
    pub(super) async fn run(self, app: &App, output: Output) -> anyhow::Result<()> {
        match self {
            Self::Rotate { handle, sure, .. } => rotate(app, handle.as_deref(), sure, output).await,
            Self::Reseal { new_master_key_file } => reseal(app, &new_master_key_file, output).await,
        }
    }
}

async fn rotate(app: &App, handle: Option<&str>, sure: Confirmation, output: Output) -> anyhow::Result<()> {
    let actors: Vec<Actor> = if let Some(handle) = handle {
        vec![names::actor(app, handle).await?]
    } else {
        let mut conn = app.db.read().await?;
        let all = author::store::actors(&mut conn).await?;
        all.into_iter().filter(|actor| actor.deleted_at.is_none()).collect()
    };
    if let [actor] = actors.as_slice() {
        anyhow::ensure!(actor.deleted_at.is_none(), "@{} is deleted; its key only signs its Delete", actor.handle);
    }
    sure.of(
        output,
        &format!(
            "gives {} a new key: every server we know is told, older backups hold a key that others no longer take, and who is not told in time refuses what we sign until it asks again",
            count(actors.len(), "actor")
        ),
    )?;
    let mut rotated = Vec::new();
    for actor in &actors {
        rotation::rotate(app, actor).await?;
        rotated.push(names::ours(app, actor.handle.as_str()));
    }
    rotation::forget_retired(app).await?;
    output.print(&json!({ "rotated": rotated }), || {
        format!(
            "{} {} a new key pair. The running bridge tells every server we know, signed with the old key, and signs all \
             that follows with the new one. The old key is kept until nothing waits for it.\n\
             Two may not hear of it: GoToSocial keeps the old key and refuses what the new one signs until its admin makes it \
             forget the account, and snac refuses it until it reads the account again, after 36 hours. A server that is \
             away longer than two weeks asks for the new key by itself when it hears from us again, but for GoToSocial.\n\
             Make a backup now: an older one holds the old key, which others no longer take.",
            rotated.join(", "),
            if rotated.len() == 1 { "has" } else { "have" }
        )
    })
}

async fn reseal(app: &App, file: &Path, output: Output) -> anyhow::Result<()> {
    let present = &app.config.secrets.master_key_file;
    let is_present = |file: &Path| std::fs::canonicalize(file).ok() == std::fs::canonicalize(present).ok();
    anyhow::ensure!(
        !(file.exists() && is_present(file)),
        "{} is the present master key; name another file",
        file.display()
    );
    let made = if file.exists() { false } else { make(file)? };
    let text = Zeroizing::new(
        std::fs::read_to_string(file).with_context(|| format!("cannot read the new master key {}", file.display()))?,
    );
    let new = MasterKey::from_base64(&text).with_context(|| format!("{} holds no master key", file.display()))?;
    let sealed = keys::reseal(app, new).await?;
    let shown = file.display().to_string();
    output.print(&json!({ "sealed": sealed, "new_master_key_file": shown, "made": made }), || {
        let now = if app.config.secrets.master_key.is_some() {
            format!("set VEERPONT_MASTER_KEY to what stands in {shown}")
        } else {
            format!("set [secrets] master_key_file to {shown}, or move it to {}", present.display())
        };
        format!(
            "{} {} sealed with the master key in {shown}.\n\
             Now {now}, and restart every running bridge: until then it sends nothing.\n\
             Keep the old master key as long as you keep backups made before.",
            count(sealed, "private key"),
            if sealed == 1 { "is" } else { "are" }
        )
    })
}

/// Writes a new master key before anything is sealed with it, so that no moment leaves keys that nothing opens; the file
/// has its name only when it is whole, so that a command cut short can be run again.
fn make(file: &Path) -> anyhow::Result<bool> {
    let text = MasterKey::generate()?;
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let write = || -> std::io::Result<()> {
        // Of mode 0600, and gone if we fail.
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        draft.write_all(text.as_bytes())?;
        draft.write_all(b"\n")?;
        draft.as_file().sync_all()?;
        draft.persist_noclobber(file)?;
        std::fs::File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("cannot write the new master key {}", file.display()))?;
    Ok(true)
}
