//! Web and loops together, and a graceful end.
