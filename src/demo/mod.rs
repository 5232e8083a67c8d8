//! The whole conversation on one machine, narrated.

pub mod site;
