//! The connector on small trees made here, and on the shared corpus.
