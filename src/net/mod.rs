//! The one way out, and signatures both ways.
