//! What is kept: our actors, what sites published, and what people elsewhere said and did about it.
//!
//! THE MAP of this group, as in `lib.rs`.

pub mod follower;
pub mod interaction;
pub mod post;
pub(crate) mod relation;

pub mod author;
