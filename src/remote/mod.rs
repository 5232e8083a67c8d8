//! Actors and keys elsewhere: fetched and cached.
