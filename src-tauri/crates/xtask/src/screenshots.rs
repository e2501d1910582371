//! `cargo xtask screenshots`: a picture of each screen, dark and light.

use anyhow::Result;

use crate::{
    display::Screen,
    npm, packages,
    step::{Step, run_all, say},
};

/// Where the pictures go.
const FOLDER: &str = "docs/screenshots";

/// Builds the app as the tests do and lets the window test walk through it with a camera.
pub fn screenshots() -> Result<()> {
    run_all(packages::install(&[packages::WINDOW, packages::SCREEN])?)?;
    run_all(npm::install(npm::UI)?)?;
    run_all(npm::build()?)?;
    let screen = Screen::start()?;
    let test = ["test", "--workspace", "--test", "window"];
    Step::new("compiling the app", screen.cargo(test.into_iter().chain(["--no-run"])))
        .streamed_to_terminal()
        .run()?;
    let mut command = screen.cargo(test.into_iter().chain(["--", "--ignored", "screenshots", "--nocapture"]));
    command.env("SIGNALBOX_SCREENSHOTS", FOLDER);
    Step::new("taking the pictures", command).streamed().run()?;
    say(&format!("✓ look at them: {FOLDER}"));
    Ok(())
}
