//! Publishing: the one door outward.
