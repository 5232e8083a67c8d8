//! Veerpont stands beside a site and carries its posts to the fediverse, and the answers back.
//!
//! THE MAP. A module imports only what stands below it on this list; groups have a map of their own in `mod.rs`.
//! `tests/architecture/` fails on an import upwards.

pub mod cli;

pub mod server;

pub mod web;

pub mod inbox;
pub mod site;

pub mod moderation;

pub mod federation;

pub mod model;

pub mod app;

pub mod activitypub;

pub mod db;
pub mod net;

pub mod config;

pub mod base;
