//! The program; what it does is in the library beside it, where tests find its grammar.

use std::process::ExitCode;

fn main() -> ExitCode {
    signalbox_node::run()
}
