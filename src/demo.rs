//! The whole conversation on one machine, narrated.
