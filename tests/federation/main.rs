//! A fediverse in one process: several servers, virtual time, one file a behaviour.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop where it finds the world broken")]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod co_authors;
mod conversation;
mod corpus;
mod crash;
mod databases;
mod first_crossing;
mod follows;
mod git_source;
mod hosts;
mod moves;
mod properties;
mod publishing;
mod refusals;
mod removal;
mod shared;
mod site;
mod unlisted;
mod world;
