//! Where posts come from, and what a sync does about them.

pub mod entry;
pub mod hugo;
