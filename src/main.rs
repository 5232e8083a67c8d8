//! Arguments, then run.

use std::process::ExitCode;

fn main() -> ExitCode {
    veerpont::cli::main()
}
