//! What the program was started to show. A second start tells the first what it wants shown and ends; that is how a key or a
//! link of the desktop reaches the running window. Nothing here decides anything.

use clap::{Parser, Subcommand};
use tauri::{AppHandle, Runtime};

use crate::place::Place;
use crate::{quick, window};

/// The arguments of the desktop program.
#[derive(Debug, Default, Parser)]
#[command(name = "signalbox", version, about = "A desktop control room for an organisation's AI operations")]
#[command(args_conflicts_with_subcommands = true)]
pub struct Start {
    /// Show the queue of approvals
    #[arg(long, conflicts_with = "quick_approve")]
    approvals: bool,
    /// Open the small window for quick approvals; bind this to a key where the global shortcut does not work (Wayland)
    #[arg(long)]
    quick_approve: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a place: `approvals` or `approvals/ID`
    Open {
        /// Also as a link: `signalbox://approvals/ID`
        place: Place,
    },
}

impl Start {
    /// Where the main window shall be; `None`: where it is.
    pub fn place(&self) -> Option<Place> {
        match &self.command {
            Some(Command::Open { place }) => Some(*place),
            None => self.approvals.then_some(Place::Approvals),
        }
    }

    /// Whether the small window is wanted.
    pub const fn wants_quick_approve(&self) -> bool {
        self.quick_approve
    }

    /// Shows what is wanted in the instance that runs already.
    pub fn show<R: Runtime>(&self, app: &AppHandle<R>) {
        match self.place() {
            Some(place) => window::show_place(app, place),
            None if self.wants_quick_approve() => quick::show(app),
            None => window::show(app),
        }
    }
}

/// Another start of the program: its arguments were checked there, before they were sent here.
pub fn again<R: Runtime>(app: &AppHandle<R>, arguments: Vec<String>) {
    Start::try_parse_from(arguments).unwrap_or_default().show(app);
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    fn start(arguments: &[&str]) -> Result<Start, ErrorKind> {
        let all = std::iter::once("signalbox").chain(arguments.iter().copied());
        Start::try_parse_from(all).map_err(|error| error.kind())
    }

    #[test]
    fn a_start_names_one_thing_to_show_or_none() {
        let plain = start(&[]).unwrap();
        assert!(plain.place().is_none() && !plain.wants_quick_approve());
        assert_eq!(start(&["--approvals"]).unwrap().place(), Some(Place::Approvals));
        assert_eq!(start(&["open", "approvals"]).unwrap().place(), Some(Place::Approvals));
        assert!(start(&["--quick-approve"]).unwrap().wants_quick_approve());
        let both = start(&["--approvals", "--quick-approve"]);
        assert_eq!(both.unwrap_err(), ErrorKind::ArgumentConflict);
    }

    #[test]
    fn a_start_that_names_nothing_known_is_refused() {
        assert_eq!(start(&["open", "settings"]).unwrap_err(), ErrorKind::ValueValidation);
        assert_eq!(start(&["--approve"]).unwrap_err(), ErrorKind::UnknownArgument);
        assert_eq!(start(&["approve"]).unwrap_err(), ErrorKind::InvalidSubcommand);
    }
}
