//! What every room is handed: configuration, database, clock, ids, network.
