//! Loops that nothing ends: what kills the process or panics is put off or given up, and operators and loops do not undo each other.

mod crashes;
mod interleaved;
mod panics;
mod seats;
