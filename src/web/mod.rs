//! The web: a thin face that extracts, calls one room and renders.
