//! Asks that come at about the same time and are answered together, so that many cost a few statements (ADR 16).

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use super::GATHER;

/// How many have to be under way for others to be waited for: what few ask costs little.
const MANY: usize = 8;

/// What was asked, and who waits for the answer.
type Asked<Q, A> = (Q, oneshot::Sender<A>);

/// Gathers what is asked: one of those who ask answers for all who asked until then, while the next gather.
pub(crate) struct Batches<Q, A> {
    waiting: Mutex<Vec<Asked<Q, A>>>,
    answering: tokio::sync::Mutex<()>,
    /// How many may ask soon.
    under_way: AtomicUsize,
    most: usize,
}

/// Counts one who may ask soon, until it is dropped.
pub(crate) struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<Q: Send, A: Send> Batches<Q, A> {
    /// Of `most` asks each.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            answering: tokio::sync::Mutex::default(),
            under_way: AtomicUsize::new(0),
            most,
        }
    }

    /// Says that somebody may ask soon: while there are many, whoever answers waits a moment (`GATHER`) for more.
    pub(crate) fn under_way(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(&self.under_way)
    }

    /// Asks, and has the answer once `answer`, which gives one to each in their order, has run for all who asked meanwhile.
    ///
    /// # Errors
    /// When whoever answered failed.
    pub(crate) async fn ask<F>(&self, what: Q, answer: impl Fn(Vec<Q>) -> F) -> anyhow::Result<A>
    where
        F: Future<Output = anyhow::Result<Vec<A>>>,
    {
        let (sender, mut answered) = oneshot::channel();
        self.waiting().push((what, sender));
        let _alone = tokio::select! {
            biased;
            done = &mut answered => return done.map_err(|_| failed()),
            alone = self.answering.lock() => alone,
        };
        loop {
            // Who answered before us may have answered us too.
            match answered.try_recv() {
                Ok(done) => return Ok(done),
                Err(oneshot::error::TryRecvError::Closed) => return Err(failed()),
                Err(oneshot::error::TryRecvError::Empty) => {}
            }
            let (gathered, under_way) = (self.waiting().len(), self.under_way.load(Ordering::Relaxed));
            if under_way >= MANY && gathered < self.most.min(under_way) {
                tokio::time::sleep(GATHER).await;
            }
            let (asks, senders): (Vec<Q>, Vec<_>) = {
                let mut waiting = self.waiting();
                let count = waiting.len().min(self.most);
                waiting.drain(..count).unzip()
            };
            let answers = answer(asks).await?;
            for (sender, answer) in senders.into_iter().zip(answers) {
                // Who went away no longer wants to know.
                let _ = sender.send(answer);
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Asked<Q, A>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed() -> anyhow::Error {
    anyhow::anyhow!("what was done together with it failed; the log says why")
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn all_are_answered_in_few_batches() {
        let (batches, count) = (Batches::new(10), AtomicUsize::new(0));
        let double = async |asks: Vec<usize>| {
            count.fetch_add(1, Ordering::Relaxed);
            assert!(asks.len() <= 10);
            tokio::task::yield_now().await;
            Ok(asks.into_iter().map(|ask| 2 * ask).collect())
        };
        let answers = join_all((0..35).map(|ask| batches.ask(ask, &double))).await;
        let answers: Vec<usize> = answers.into_iter().map(|answer| answer.expect("an answer")).collect();
        assert_eq!(answers, (0..35).map(|ask| 2 * ask).collect::<Vec<_>>());
        assert!(count.into_inner() <= 5);
    }

    #[tokio::test]
    async fn who_was_asked_with_what_failed_is_told() {
        let batches = Batches::new(10);
        let fail = async |asks: Vec<u8>| {
            anyhow::ensure!(!asks.contains(&3), "three");
            Ok(asks)
        };
        let answers = join_all((0..4).map(|ask| batches.ask(ask, &fail))).await;
        assert!(answers.iter().any(Result::is_err));
        assert_eq!(batches.ask(5, &fail).await.expect("the next is not their fault"), 5);
    }
}
