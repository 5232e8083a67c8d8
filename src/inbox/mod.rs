//! A verified activity, kept as it came, and what each means.
