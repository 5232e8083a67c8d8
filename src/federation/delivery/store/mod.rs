//! The only SQL for hosts, inboxes, deliveries, reach, and who is read again because of an inbox.

mod hosts;
mod inboxes;
mod ledger;
mod missing;
mod queue;
mod readers;

pub use hosts::*;
pub use inboxes::*;
pub use ledger::*;
pub use missing::*;
pub use queue::*;
pub use readers::*;
