//! What one inbox may have received: everything in order, and twice only what nobody could know had arrived.

use std::collections::HashSet;
use std::time::Duration;

use clock::Timestamp;

/// How long after the start of the next process a host may still read what the killed one had sent.
const BUFFERED: Duration = Duration::from_millis(500);

/// An activity that a host took.
#[derive(Clone, Debug)]
pub(crate) struct Receipt {
    pub(crate) at: Timestamp,
    pub(crate) id: String,
    /// Whether the host hung up in place of an answer.
    pub(crate) withheld: bool,
}

/// A death of the server.
pub(crate) struct Kill {
    pub(crate) at: Timestamp,
    /// When the next process was started.
    pub(crate) restarted: Timestamp,
    /// Inbox and activity id of every delivery that the database still held open.
    pub(crate) unsettled: HashSet<(String, String)>,
}

/// How often something came again, and why it might.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repeats {
    pub(crate) after_kill: usize,
    pub(crate) after_silence: usize,
}

/// Compares what an inbox received with what it was to receive.
///
/// An activity may come again only directly after itself, and only if its host gave no answer, or if the server was
/// killed between the two while its database held the delivery open. An inbox is sent one activity at a time, so one
/// kill excuses one repetition.
///
/// # Errors
/// What is wrong with the sequence.
pub(crate) fn check(inbox: &str, expected: &[String], receipts: &[Receipt], kills: &[Kill]) -> Result<Repeats, String> {
    let mut repeats = Repeats::default();
    let mut excuses = kills.iter().peekable();
    let mut wanted = expected.iter();
    let mut before: Option<&Receipt> = None;
    for receipt in receipts {
        if let Some(before) = before.filter(|before| before.id == receipt.id) {
            if before.withheld {
                repeats.after_silence += 1;
            } else {
                let delivery = (inbox.to_owned(), receipt.id.clone());
                let excuse = excuses.find(|kill| {
                    before.at <= kill.restarted + BUFFERED
                        && kill.at <= receipt.at
                        && kill.unsettled.contains(&delivery)
                });
                excuse.ok_or_else(|| {
                    format!("{} came again at {:?}, answered before at {:?}", receipt.id, receipt.at, before.at)
                })?;
                repeats.after_kill += 1;
            }
        } else {
            let next = wanted.next();
            if next != Some(&receipt.id) {
                return Err(format!("{} came where {next:?} was due", receipt.id));
            }
        }
        before = Some(receipt);
    }
    match wanted.next() {
        None => Ok(repeats),
        Some(missing) => Err(format!("{missing} never came, nor what follows it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INBOX: &str = "http://p00.test/inbox";

    fn receipts(came: &[(i64, &str, bool)]) -> Vec<Receipt> {
        let receipt = |(at, id, withheld): &(i64, &str, bool)| Receipt {
            at: Timestamp::from_millis(*at),
            id: (*id).to_owned(),
            withheld: *withheld,
        };
        came.iter().map(receipt).collect()
    }

    fn kill(at: i64, unsettled: &str) -> Kill {
        let at = Timestamp::from_millis(at);
        Kill { at, restarted: at, unsettled: HashSet::from([(INBOX.to_owned(), unsettled.to_owned())]) }
    }

    fn judge(came: &[(i64, &str, bool)], kills: &[Kill]) -> Result<Repeats, String> {
        check(INBOX, &["a".to_owned(), "b".to_owned()], &receipts(came), kills)
    }

    #[test]
    fn everything_in_order_is_right() {
        assert_eq!(judge(&[(1, "a", false), (2, "b", false)], &[]), Ok(Repeats::default()));
    }

    #[test]
    fn what_is_missing_or_out_of_order_is_wrong() {
        for came in [
            &[(1, "a", false)][..],
            &[(2, "b", false)],
            &[(1, "b", false), (2, "a", false)],
            &[(1, "a", false), (2, "b", false), (3, "a", false)],
            &[(1, "a", false), (2, "b", false), (3, "c", false)],
        ] {
            assert!(judge(came, &[kill(2, "a"), kill(3, "a")]).is_err(), "{came:?}");
        }
    }

    #[test]
    fn only_what_was_not_answered_or_not_settled_may_come_again() {
        let twice = [(1000, "a", false), (3000, "a", false), (4000, "b", false)];
        assert!(judge(&twice, &[]).is_err());
        assert!(judge(&twice, &[kill(2000, "b")]).is_err(), "it was settled at the kill");
        assert!(judge(&twice, &[kill(3500, "a")]).is_err(), "the kill came later");
        assert!(judge(&twice, &[kill(100, "a")]).is_err(), "the kill came earlier");
        assert_eq!(judge(&twice, &[kill(2000, "a")]), Ok(Repeats { after_kill: 1, after_silence: 0 }));
        let silent = [(1, "a", true), (3, "a", false), (4, "b", false)];
        assert_eq!(judge(&silent, &[]), Ok(Repeats { after_kill: 0, after_silence: 1 }));
        let thrice = [(1000, "a", false), (3000, "a", false), (3100, "a", false), (4000, "b", false)];
        assert!(judge(&thrice, &[kill(2000, "a")]).is_err(), "one kill excuses one repetition");
    }
}
