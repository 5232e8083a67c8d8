//! Strangers' and sites' HTML, cleaned.
