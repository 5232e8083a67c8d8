//! What a site brings, and what it is given back: its posts come in, the comments on them go out.
//!
//! THE MAP of this group, as in `lib.rs`.

pub mod comment_export;

pub mod source;
