//! Where posts come from, and what a sync does about them.

pub mod scan;
