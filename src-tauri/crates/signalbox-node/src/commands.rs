//! One file per noun; what they share is here: opening the installation and who calls.

mod alerts;
mod approvals;
mod budgets;
mod health;
mod history;
mod keys;
mod kill_switch;
mod ledger;
mod models;
mod operations;
mod people;
mod prices;
mod providers;
mod requests;
mod routes;
mod secrets;
mod serve;
mod settings;
mod toggles;

use std::future::Future;
use std::sync::Arc;

use signalbox_app::{App, Caller, Source};
use signalbox_engine::clock::SystemClock;
use signalbox_engine::control::{Control, Options};
use signalbox_engine::data_dir;
use signalbox_engine::secrets::Keychain;
use signalbox_store::Durability;

use crate::cli::{Cli, Command, Place};
use crate::failure::{Exit, Failure};

/// Runs a command to its end.
pub fn run(cli: Cli) -> Result<Exit, Failure> {
    let options = access(cli.place)?;
    match cli.command {
        Command::Serve(serve) => serve::serve(serve, options.installation),
        Command::Keys(command) => with_app(&options, |desk| keys::run(desk, command)),
        Command::Providers(command) => with_app(&options, |desk| providers::run(desk, command)),
        Command::Models(command) => with_app(&options, |desk| models::run(desk, command)),
        Command::Prices(command) => with_app(&options, |desk| prices::run(desk, command)),
        Command::Budgets(command) => with_app(&options, |desk| budgets::run(desk, command)),
        Command::Routes(command) => with_app(&options, |desk| routes::run(desk, command)),
        Command::Operations(command) => with_app(&options, |desk| operations::run(desk, command)),
        Command::Requests(command) => with_app(&options, |desk| requests::run(desk, command)),
        Command::Health(form) => with_app(&options, |desk| health::show(desk, form)),
        Command::Failovers(command) => with_app(&options, |desk| health::failovers(desk, command)),
        Command::Toggles(command) => with_app(&options, |desk| toggles::run(desk, command)),
        Command::KillSwitch(command) => with_app(&options, |desk| kill_switch::run(desk, command)),
        Command::Settings(command) => with_app(&options, |desk| settings::run(desk, command)),
        Command::People(command) => with_app(&options, |desk| people::run(desk, command)),
        Command::Approvals(command) => with_app(&options, |desk| approvals::run(desk, command)),
        Command::Secrets(command) => with_app(&options, |desk| secrets::run(desk, command)),
        Command::Ledger(command) => with_app(&options, |desk| ledger::run(desk, command)),
        Command::History(command) => with_app(&options, |desk| history::run(desk, command)),
        Command::Alerts(command) => with_app(&options, |desk| alerts::run(desk, command)),
    }
}

/// Which installation, and who asks.
struct Access {
    installation: Options,
    person: Option<String>,
}

/// What every command but `serve` works on: an opened installation, and who asks.
#[derive(Debug)]
pub struct Desk {
    pub app: App,
    pub caller: Caller,
}

/// Opens the installation beside whatever instance serves it, runs one command, and closes it.
fn with_app<F: Future<Output = Result<Exit, Failure>>>(
    access: &Access,
    command: impl FnOnce(Desk) -> F,
) -> Result<Exit, Failure> {
    logging::to_stderr_in_brief();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let control = Control::open(&access.installation, Arc::new(SystemClock)).await?;
        // What a killed instance had not brought into the database yet is part of what a command shows.
        signalbox_engine::ledger::apply_left_over(&control).await?;
        let store = control.store.clone();
        let result = async {
            let app = App::open(control)?;
            let caller = app.caller(Source::Cli, access.person.as_deref()).await?;
            command(Desk { app, caller }).await
        };
        let result = result.await;
        store.close().await;
        result
    })
}

fn access(place: Place) -> Result<Access, Failure> {
    let nowhere = || {
        let message = "This account has no folder for application data; name one with --data-dir.";
        Failure::new(Exit::Usage, message)
    };
    let given = place.data_dir.filter(|path| !path.as_os_str().is_empty());
    let installation = Options {
        data_dir: given.or_else(data_dir::default_location).ok_or_else(nowhere)?,
        database_url: place.database_url.filter(|url| !url.is_empty()),
        durability: Durability::Process,
        keychain: if place.no_keychain { Keychain::Unused } else { Keychain::Preferred },
    };
    Ok(Access { installation, person: place.person })
}

mod logging {
    //! The log of short commands: what went wrong inside, on standard error, beside the sentence that says what failed.

    use std::io::{self, IsTerminal};

    use tracing_subscriber::EnvFilter;

    pub fn to_stderr_in_brief() {
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .without_time()
            .init();
    }
}
