//! The one way out, and signatures both ways.

pub mod address;
pub mod budget;
pub mod client;
pub mod keys;
pub mod places;
pub mod redirects;
pub mod room;
pub mod signature;
pub mod throttle;
