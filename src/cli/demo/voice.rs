//! How the demo speaks: to a person line by line, or to a program with one JSON document at the end.

use std::io::{self, Write};

use serde::Serialize;

/// Width of the labels before a step's facts.
const LABEL: usize = 11;

/// What a step found out: pairs of a label and a text, in the order of telling.
pub(super) type Facts = Vec<(&'static str, String)>;

/// What a step hands to the next, and what it tells.
pub(super) type StepResult<T> = anyhow::Result<(T, Facts)>;

/// How the demo speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// For a person, with colour where the terminal shows it.
    Text {
        /// Whether to use escape sequences.
        colour: bool,
    },
    /// For a program.
    Json,
}

/// One step, as the JSON document has it.
#[derive(Debug, Serialize)]
struct Step {
    name: String,
    ok: bool,
    detail: String,
}

/// The whole JSON document.
#[derive(Serialize)]
struct Document<'a> {
    steps: &'a [Step],
    ok: bool,
}

/// The narrator, who also keeps the record.
pub(super) struct Voice<'a> {
    out: &'a mut (dyn Write + Send),
    manner: Manner,
    steps: Vec<Step>,
}

impl<'a> Voice<'a> {
    pub(super) fn new(out: &'a mut (dyn Write + Send), manner: Manner) -> Self {
        Self { out, manner, steps: Vec::new() }
    }

    /// Tells a step: its name at once, then what came of it; a failure is told and handed on.
    pub(super) async fn step<T>(&mut self, name: &str, work: impl Future<Output = StepResult<T>>) -> anyhow::Result<T> {
        let number = self.steps.len() + 1;
        let heading = self.painted("1", &format!("{number:>2}  {name}"));
        self.line(&heading)?;
        let result = work.await;
        let detail = match &result {
            Ok((_, facts)) => {
                self.facts(facts)?;
                in_one_line(facts)
            }
            Err(error) => {
                let why = format!("{error:#}");
                let failure = self.painted("31", &format!("    FAILED: {why}"));
                self.line(&failure)?;
                why
            }
        };
        self.line("")?;
        self.steps.push(Step { name: name.to_owned(), ok: result.is_ok(), detail });
        result.map(|(value, _)| value)
    }

    /// Aligned facts, for people alone.
    pub(super) fn facts(&mut self, facts: &[(&'static str, String)]) -> io::Result<()> {
        for (label, text) in facts {
            let label = self.painted("2", &format!("{label:<LABEL$}"));
            self.line(&format!("    {label} {text}"))?;
        }
        Ok(())
    }

    /// A line for people alone.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        if self.manner == Manner::Json {
            return Ok(());
        }
        writeln!(self.out, "{text}")?;
        // What is awaited should stand there while it is awaited.
        self.out.flush()
    }

    /// Ends the story: a program gets its document.
    pub(super) fn end(&mut self, ok: bool) -> io::Result<()> {
        if self.manner == Manner::Json {
            let document = serde_json::to_string_pretty(&Document { steps: &self.steps, ok })?;
            writeln!(self.out, "{document}")?;
            self.out.flush()?;
        }
        Ok(())
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.manner == (Manner::Text { colour: true }) {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

fn in_one_line(facts: &[(&'static str, String)]) -> String {
    facts.iter().map(|(label, text)| format!("{label}: {text}")).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(manner: Manner) -> String {
        let mut out = Vec::new();
        let mut voice = Voice::new(&mut out, manner);
        let good = voice.step("One", async { Ok((7, vec![("posts", "12".to_owned()), ("sent", "none".to_owned())])) });
        assert_eq!(good.await.expect("a value"), 7);
        let bad =
            voice.step("Two", async { Err::<((), Facts), _>(anyhow::anyhow!("no answer").context("nothing came")) });
        assert!(bad.await.is_err());
        voice.end(false).expect("an end");
        String::from_utf8(out).expect("text")
    }

    #[tokio::test]
    async fn a_person_reads_aligned_lines() {
        let plain = told(Manner::Text { colour: false }).await;
        let lines: Vec<&str> = plain.lines().collect();
        assert_eq!(
            lines,
            [
                " 1  One",
                "    posts       12",
                "    sent        none",
                "",
                " 2  Two",
                "    FAILED: nothing came: no answer",
                ""
            ]
        );
        assert!(told(Manner::Text { colour: true }).await.contains("\x1b[1m 1  One\x1b[0m"));
    }

    #[tokio::test]
    async fn a_program_reads_one_document() {
        let document: serde_json::Value = serde_json::from_str(&told(Manner::Json).await).expect("JSON");
        let steps = serde_json::json!([
            { "name": "One", "ok": true, "detail": "posts: 12; sent: none" },
            { "name": "Two", "ok": false, "detail": "nothing came: no answer" },
        ]);
        assert_eq!(document, serde_json::json!({ "steps": steps, "ok": false }));
    }
}
