//! Veerpont stands beside a site and ferries its posts to the fediverse, and the answers back.
//!
//! THE MAP. Each room is a step of the journey; it imports only rooms that stand below it on this list,
//! and `tests/architecture.rs` fails on an arrow up.

pub mod cli;
#[cfg(feature = "demo")]
pub mod demo;
pub mod explain;
pub mod serve;
pub mod web;

pub mod handback;
pub mod inbox;
pub mod source;

pub mod moderation;

pub mod outbox;

pub mod remote;

pub mod delivery;

pub mod courier;

pub mod follower;
pub mod interaction;
pub mod post;
pub mod relation;

pub mod author;
pub mod backup;

pub mod worker;

pub mod app;

pub mod activity;

pub mod db;
pub mod net;
pub mod telemetry;

pub mod config;

pub mod ids;
pub mod rights;
pub mod sealing;
