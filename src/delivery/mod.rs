//! Hosts, what waits for them, and what became of it.
