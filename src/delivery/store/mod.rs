//! The only SQL for hosts, inboxes, deliveries and reach.

mod hosts;
mod inboxes;
mod ledger;
mod queue;

pub use hosts::*;
pub use inboxes::*;
pub use ledger::*;
pub use queue::*;
