//! What everything stands on: ids, rights to files, and private keys at rest.

pub mod ids;
pub(crate) mod rights;
pub mod sealing;
