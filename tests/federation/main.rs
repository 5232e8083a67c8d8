//! A fediverse in one process: several servers, virtual time, one file a behaviour.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop where it finds the world broken")]

#[path = "../../crates/html/tests/hostile_html/mod.rs"]
mod hostile_html;
#[path = "../support/hugo.rs"]
mod hugo;
#[path = "../support/statements.rs"]
mod statements;
#[path = "../support/mod.rs"]
mod support;

mod actors;
mod again;
mod answers;
mod any_order;
mod author_answers;
mod authority;
mod backup;
mod bodies;
mod bounds;
mod co_authors;
mod comment_export;
mod conversation;
mod corpus;
mod costs;
mod crash;
mod databases;
mod explained;
mod figures;
mod first_crossing;
mod flood;
mod follows;
mod foreign_host;
mod git_source;
mod held;
mod honest;
mod hosts;
mod identity;
mod incidents;
mod keys;
mod knocks;
mod ledger;
mod library;
mod loopholes;
mod loops;
mod missing;
mod moderation;
mod moves;
mod named;
mod older_backup;
mod older_database;
mod opening;
mod payloads;
mod politeness;
mod profiles;
mod properties;
mod publishing;
mod readers;
mod refusals;
mod relations;
mod removal;
mod reseal;
mod retention;
mod rotation;
mod served;
mod shared;
mod shown;
mod site;
mod stranger;
mod syncs;
mod threads;
mod unchanged;
mod unlisted;
mod world;

use support::say;
