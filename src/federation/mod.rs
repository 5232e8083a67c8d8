//! What speaks with other servers: our activities on their way out, remote actors, and signed requests.
//!
//! THE MAP of this group, as in `lib.rs`.

pub mod outbox;

pub mod remote;

pub mod delivery;

pub(crate) mod signed_requests;
