//! What cannot be undone is said before it is done, and done only when somebody is sure.

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;

use super::print::{Output, harmless};
use crate::base::rights;
use crate::moderation::ModerationNote;

/// Whether an operator is sure already.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Confirmation {
    /// Do it without asking, also where nobody could answer.
    #[arg(long)]
    yes: bool,
}

impl Confirmation {
    /// Says what would be done, and asks at a terminal; elsewhere only `--yes` lets it be done.
    ///
    /// # Errors
    /// When it is not wanted, or nobody can be asked.
    pub(super) fn of(self, output: Output, what: &str) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        let mut stderr = std::io::stderr();
        anyhow::ensure!(
            output.is_for_people() && std::io::stdin().is_terminal() && stderr.is_terminal(),
            "this {what}; it cannot be undone, and nobody can be asked here: nothing was done; say it again with --yes"
        );
        write!(stderr, "This {}; it cannot be undone. Do it? [y/N] ", harmless(what))?;
        stderr.flush()?;
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer)?;
        anyhow::ensure!(matches!(answer.trim(), "y" | "Y" | "yes"), "nothing was done");
        Ok(())
    }
}

/// Who decides, for those who look at it later.
#[derive(Clone, Debug, Args)]
pub(super) struct By {
    /// Who decides, for those who look at it later; the user of this machine when left out.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Longest name and reason that are kept, in characters.
const WORD_MAX: usize = 1000;

impl By {
    /// Who decides and why.
    pub(super) fn note(self, why: Option<String>) -> ModerationNote {
        // Who became root by sudo is still who they are.
        let sudo = || std::env::var("SUDO_USER").ok();
        let by = said(self.by).or_else(|| said(sudo())).or_else(rights::us);
        ModerationNote { why: said(why), by }
    }
}

fn said(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().chars().take(WORD_MAX).collect::<String>()).filter(|text| !text.is_empty())
}
