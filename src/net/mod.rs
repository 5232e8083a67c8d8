//! The one way out, and signatures both ways.

pub mod address;
pub mod body_limits;
pub mod budget;
pub mod client;
pub mod keys;
pub mod redirects;
pub mod signature;
pub mod slots;
pub mod throttle;
