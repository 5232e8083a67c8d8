//! A fediverse in one process: several servers, virtual time, one file a behaviour.

#[path = "../support/mod.rs"]
mod support;

mod databases;
