//! How a simulated server misbehaves when it is told to; only POSTs to its inboxes suffer.

use std::time::Duration;

/// What happens to POSTs to a peer's inboxes; all else is served as ever.
#[derive(Clone, Debug, Default)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Answers with this status and takes nothing.
    Status(u16),
    /// Answers with this status and `Retry-After`, and takes nothing.
    RetryAfter {
        /// The status, usually 429 or 503.
        status: u16,
        /// How many seconds the sender should wait.
        seconds: u64,
    },
    /// Answers 307 with this `Location`, and takes nothing.
    Redirect(String),
    /// Answers with this status and a body that is no good. What the status calls a success is taken.
    Spoilt {
        /// The status.
        status: u16,
        /// What is wrong with the body.
        body: Spoilt,
    },
    /// Waits before it takes the request and answers.
    Slow(Duration),
    /// Closes the connection before anything arrives; in memory nobody answers.
    Down,
    /// Takes the request, then closes the connection without an answer.
    DropAfterAccepting,
    /// Each n-th request suffers the inner fault, the others nothing.
    Every(u64, Box<Fault>),
    /// A share (0 to 1) of the requests is refused: by 500, 503 or a closed connection.
    Random {
        /// The share of requests.
        share: f64,
        /// Where the dice start, so that a run can be repeated.
        seed: u64,
    },
}

/// What is wrong with the body of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoilt {
    /// It has 70,000 bytes.
    Long,
    /// It begins and never goes on.
    Pausing,
    /// It says that it is gzip, and is not.
    NoGzip,
    /// The connection breaks in its midst.
    CutOff,
}

impl Fault {
    /// What the `count`-th request (from 1) suffers: never `Every` or `Random`.
    pub(super) fn at(&self, count: u64) -> Self {
        match self {
            Self::Every(n, inner) if *n > 0 && count.is_multiple_of(*n) => inner.at(count / n),
            Self::Every(..) => Self::None,
            Self::Random { share, seed } => {
                let dice = scatter(seed.wrapping_add(count));
                // The top 53 bits fill a float exactly.
                #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
                let part = (dice >> 11) as f64 / (1_u64 << 53) as f64;
                match dice % 3 {
                    _ if part >= *share => Self::None,
                    0 => Self::Status(500),
                    1 => Self::Status(503),
                    _ => Self::Down,
                }
            }
            plain => plain.clone(),
        }
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): a number that looks random, the same each time.
fn scatter(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(fault: &Fault, requests: u64) -> usize {
        (1..=requests).filter(|count| !matches!(fault.at(*count), Fault::None)).count()
    }

    #[test]
    fn each_third_request_fails() {
        let fault = Fault::Every(3, Box::new(Fault::Status(503)));
        assert_eq!(failures(&fault, 9), 3);
        assert!(matches!(fault.at(3), Fault::Status(503)));
        assert!(matches!(fault.at(4), Fault::None));
    }

    #[test]
    fn a_random_share_is_about_its_share_and_repeats() {
        let fault = Fault::Random { share: 0.3, seed: 7 };
        let failed = failures(&fault, 10_000);
        assert!((2700..3300).contains(&failed), "{failed}");
        assert_eq!(failures(&fault, 10_000), failed);
        assert_eq!(failures(&Fault::Random { share: 0.0, seed: 7 }, 100), 0);
        assert_eq!(failures(&Fault::Random { share: 1.0, seed: 7 }, 100), 100);
    }
}
