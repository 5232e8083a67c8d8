//! Secrets at rest: sealed with the master key.
