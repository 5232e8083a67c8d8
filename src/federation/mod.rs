//! What speaks with other servers: activities of ours on their way out, actors elsewhere, and signed requests.
//!
//! THE MAP of this group, as in `lib.rs`.

pub mod outbox;

pub mod remote;

pub mod delivery;

pub(crate) mod signed_requests;
