//! Pure: posts into documents, strangers' JSON into meaning; no clock, network or database.
