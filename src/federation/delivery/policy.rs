//! What a host's answer means, how long to wait after a failure, and how long a delivery is worth sending: pure.

use std::time::Duration;

use clock::Timestamp;
use http::StatusCode;

use super::DeliveryEnd;
use crate::app::worker::retry;
use crate::base::ids::ArticleId;
use crate::net::client::{Reply, SendError};

/// What an attempt means for the queue (interop D2, D3, docs/architecture.md#answers).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AttemptResult {
    /// This delivery is settled.
    Settled(DeliveryEnd),
    /// 413: send the object's id instead.
    SendReference,
    /// The inbox is not there (404), or no longer (410).
    Missing,
    /// This inbox waits.
    InboxWaits,
    /// The whole host waits, at least until the time that it named.
    HostWaits(Option<Timestamp>),
}

/// What an answer, or its absence, means for an activity whose object was embedded or not.
pub(crate) fn judge(answer: &Result<Reply, SendError>, embedded: bool, now: Timestamp) -> AttemptResult {
    let reply = match answer {
        Ok(reply) => reply,
        // Our own policy forbids the address: it will not change by waiting.
        Err(SendError::Refused(_)) => return AttemptResult::Settled(DeliveryEnd::Refused),
        Err(_) => return AttemptResult::HostWaits(None),
    };
    match reply.status {
        status if status.is_success() => AttemptResult::Settled(DeliveryEnd::Delivered),
        StatusCode::NOT_FOUND | StatusCode::GONE => AttemptResult::Missing,
        StatusCode::PAYLOAD_TOO_LARGE if embedded => AttemptResult::SendReference,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => AttemptResult::HostWaits(retry_after(reply, now)),
        StatusCode::UNAUTHORIZED | StatusCode::REQUEST_TIMEOUT => AttemptResult::InboxWaits,
        StatusCode::NOT_IMPLEMENTED => AttemptResult::Settled(DeliveryEnd::Refused),
        // What is no status of an answer counts like 500 (RFC 9110 section 15).
        status if status.is_server_error() || !(200..600).contains(&status.as_u16()) => AttemptResult::InboxWaits,
        // 3xx and every other 4xx are permanent.
        _ => AttemptResult::Settled(DeliveryEnd::Refused),
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3), at most a day ahead.
fn retry_after(reply: &Reply, now: Timestamp) -> Option<Timestamp> {
    let text = reply.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    let at = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        now + text.parse().map_or(DAY, Duration::from_secs).min(DAY)
    } else {
        Timestamp::parse_http_date(text)?
    };
    Some(at.clamp(now, now + DAY))
}

const DAY: Duration = Duration::from_hours(24);

/// How long a host may fail before it counts as gone and is asked once a day (interop D3).
pub(crate) const GONE_AFTER: Duration = Duration::from_hours(7 * 24);

/// How long an unsettled Accept holds back the shared inbox of the one it is for (docs/architecture.md#queues).
pub(crate) const ACCEPT_HOLDS: Duration = Duration::from_mins(10);

/// How long a host waits after `failures` in a row ([`retry::wait`]); a day if it is gone.
pub(crate) fn host_wait(first: Duration, failures: i64, gone: bool, jitter_seed: u64) -> Duration {
    if gone { DAY } else { retry::wait(first, failures, jitter_seed) }
}

/// How long a delivery is worth sending, from its creation. Longest a Delete, since what is not deleted stays visible,
/// and the Update of an actor, since it may announce a new key, which `GoToSocial` learns in no other way (interop R6).
pub(crate) fn time_to_live(kind: &str, article: Option<ArticleId>) -> Duration {
    match (kind, article) {
        ("Delete", _) | ("Update", None) => 14 * DAY,
        _ => 3 * DAY,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;

    fn reply(status: u16, headers: &[(&str, &str)]) -> Reply {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        Reply { status: StatusCode::from_u16(status).unwrap(), headers: map, body: Bytes::new() }
    }

    #[test]
    fn every_class_of_answer_has_its_meaning() {
        let now = Timestamp::from_millis(1_000_000);
        let told = |status| judge(&Ok(reply(status, &[])), true, now);
        for status in [200, 201, 202, 204] {
            assert_eq!(told(status), AttemptResult::Settled(DeliveryEnd::Delivered), "{status}");
        }
        for status in [301, 308, 400, 403, 405, 406, 422, 501] {
            assert_eq!(told(status), AttemptResult::Settled(DeliveryEnd::Refused), "{status}");
        }
        for status in [101, 401, 408, 500, 507, 600, 999] {
            assert_eq!(told(status), AttemptResult::InboxWaits, "{status}");
        }
        for status in [429, 502, 503, 504] {
            assert_eq!(told(status), AttemptResult::HostWaits(None), "{status}");
        }
        for status in [404, 410] {
            assert_eq!(told(status), AttemptResult::Missing, "{status}");
        }
        assert_eq!(told(413), AttemptResult::SendReference);
        assert_eq!(judge(&Ok(reply(413, &[])), false, now), AttemptResult::Settled(DeliveryEnd::Refused));
        assert_eq!(judge(&Err(SendError::Timeout), true, now), AttemptResult::HostWaits(None));
        assert_eq!(
            judge(&Err(SendError::Refused("private".into())), true, now),
            AttemptResult::Settled(DeliveryEnd::Refused)
        );
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_bounded() {
        let now = Timestamp::parse_rfc3339("2026-08-07T10:00:00Z").unwrap();
        let until = |text| judge(&Ok(reply(429, &[("retry-after", text)])), true, now);
        assert_eq!(until("120"), AttemptResult::HostWaits(Some(now + Duration::from_mins(2))));
        assert_eq!(
            until("Fri, 07 Aug 2026 10:05:00 GMT"),
            AttemptResult::HostWaits(Some(now + Duration::from_mins(5)))
        );
        for long in ["99999999", "4294967296", "99999999999999999999999"] {
            assert_eq!(until(long), AttemptResult::HostWaits(Some(now + DAY)), "{long}");
        }
        assert_eq!(until("Fri, 07 Aug 2020 10:05:00 GMT"), AttemptResult::HostWaits(Some(now)));
        assert_eq!(until("soon"), AttemptResult::HostWaits(None));
    }

    #[test]
    fn what_must_not_be_missed_lives_longest() {
        let article = Some(ArticleId(1));
        for (kind, article, days) in [
            ("Create", article, 3),
            ("Update", article, 3),
            ("Accept", None, 3),
            ("Delete", article, 14),
            ("Delete", None, 14),
            ("Update", None, 14),
        ] {
            assert_eq!(time_to_live(kind, article), days * DAY, "{kind} {article:?}");
        }
    }

    #[test]
    fn a_host_that_is_gone_is_asked_once_a_day() {
        let first = Duration::from_mins(1);
        assert_eq!(host_wait(first, 3, true, 1), DAY);
        assert_eq!(host_wait(first, 3, false, 1), retry::wait(first, 3, 1));
    }
}
