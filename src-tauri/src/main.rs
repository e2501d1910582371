//! The desktop program `signalbox`.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    signalbox_desktop::run()
}
