//! A fediverse in one process: several servers, virtual time, one file a behaviour.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop where it finds the world broken")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod co_authors;
mod corpus;
mod crash;
mod databases;
mod first_crossing;
mod flood;
mod follows;
mod hosts;
mod properties;
mod publishing;
mod readers;
mod refusals;
mod removal;
mod shared;
mod site;
mod world;
