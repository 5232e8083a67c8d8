//! The command line: a thin face that parses, calls one room and prints.
