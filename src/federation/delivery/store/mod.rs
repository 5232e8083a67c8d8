//! The only SQL for hosts, inboxes, deliveries, who knows an article, and whose actors are read again because of an
//! inbox.

mod batch;
mod decisions;
mod fan_out;
mod heard;
mod host_lines;
mod hosts;
mod inboxes;
mod ledger;
mod missing;
mod queue;
mod readers;
mod recipients;
mod spread;

pub(crate) use batch::{Attempted, From, Held, HostChange, READ, body, change_hosts, next, note_attempts};
pub use decisions::{drop_all, drop_one, reopen, retry_host};
pub(crate) use fan_out::{FanOut, Place, fan_out, readdress};
pub(crate) use heard::{heal_all, reach_all};
pub(crate) use host_lines::load;
pub use host_lines::{HostLine, host, hosts};
pub use hosts::count_hosts;
pub(crate) use hosts::{
    FREE_HOSTS, any_due, claim, count_new_below, fence, host_of, hosts_after, put_off, set_blocked,
};
pub(crate) use inboxes::{back_off_inbox, clear_inbox, revive_inbox};
pub use inboxes::{drop_inbox, no_fan_out, reroute};
pub use ledger::{Line, ledger, ledger_about, line, untaken, waiting, waiting_for};
pub(crate) use ledger::{Shown, count_of, count_outcomes, count_waiting, ledger_of, note_attempt, send_reference};
pub(crate) use missing::{
    Address, FREE_REFRESHES, ONCE_IN, Refresh, any_refresh_due, claim_refreshes, is_awaited, move_waiting,
    put_off_refresh, read_again, read_neighbours, rest_refreshes, retry_refresh, settle_refresh, stop_waiting,
};
pub(crate) use queue::{enqueue, inbox, reach};
pub(crate) use readers::{has_copy, note_copy};
pub(crate) use recipients::Recipients;
pub use spread::{Spread, spread};
