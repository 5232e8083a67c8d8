//! The only SQL for hosts, inboxes, deliveries and reach.

mod hosts;
mod inboxes;
mod ledger;
mod queue;
mod readers;

pub use hosts::*;
pub use inboxes::*;
pub use ledger::*;
pub use queue::*;
pub use readers::*;
