//! HTTP signatures after draft-cavage-12, both ways.
