//! What everything stands on: ids, rights to files, and private keys at rest.

pub mod ids;
pub mod rights;
pub mod sealing;
