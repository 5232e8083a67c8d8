//! The one shape of a loop.
