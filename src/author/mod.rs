//! Our actors and their keys.
