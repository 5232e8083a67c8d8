//! Who follows which of our actors.
