//! The only SQL for hosts, inboxes, deliveries, reach, and who is read again because of an inbox.

mod hosts;
mod inboxes;
mod ledger;
mod missing;
mod queue;
mod readers;

pub use hosts::{
    FREE_HOSTS, any_due, back_off_host, claim, count_hosts, count_new_below, failures, fence, generation, heal,
    host_of, hosts_after, mark_alive, put_off, release, set_blocked,
};
pub use inboxes::{back_off_inbox, clear_inbox, drop_inbox, next_inbox, no_fan_out, oldest, reroute, revive_inbox};
pub use ledger::{
    Line, Shown, count_of, count_outcomes, count_waiting, ledger, ledger_of, note_attempt, send_reference, untaken,
    waiting,
};
pub use missing::{
    Address, FREE_REREADS, ONCE_IN, Refresh, claim_refreshes, due_refreshes, is_awaited, move_waiting, put_off_refresh,
    read_again, read_neighbours, rest_refreshes, settle_refresh, stop_waiting,
};
pub use queue::{Recipients, enqueue, fan_out, inbox, reach};
pub use readers::{has_copy, note_copy};
