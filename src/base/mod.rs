//! What everything stands on: ids, hex, figures, what columns hold of our types, rights to files, and private keys at rest.

pub(crate) mod figures;
pub(crate) mod hex;
pub mod ids;
pub(crate) mod rights;
pub mod sealing;
pub mod stored;
