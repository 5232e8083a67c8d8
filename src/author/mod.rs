//! Our actors and their keys.

pub mod sealing;
