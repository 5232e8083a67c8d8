//! The database: connecting, the one writer, claims.
