//! The outgoing client, and signatures both ways.

pub(crate) mod address;
pub(crate) mod body_limits;
pub(crate) mod budget;
pub mod client;
pub mod keys;
pub(crate) mod redirects;
pub mod signature;
pub(crate) mod slots;
pub(crate) mod throttle;
