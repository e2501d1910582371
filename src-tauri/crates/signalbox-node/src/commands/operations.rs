//! `operations`: list, switch on, switch off.

use signalbox_app::operations;

use super::{Desk, routes};
use crate::cli::Operations;
use crate::failure::{Exit, Failure};
use crate::output::{Table, print, print_json, usd, yes_no};

pub async fn run(desk: Desk, command: Operations) -> Result<Exit, Failure> {
    match command {
        Operations::List(form) => list(&desk, form.json).await,
        Operations::Enable { operation } => switch(&desk, &operation, true).await,
        Operations::Disable { operation } => switch(&desk, &operation, false).await,
    }
}

async fn list(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let operations = operations::list(&desk.app, &desk.caller).await?;
    if json {
        print_json(&operations)?;
        return Ok(Exit::Ok);
    }
    let headings =
        ["OPERATION", "ENABLED", "CAPABILITY", "CRITICALITY", ">REQUESTS 24H", ">SPEND 24H", "TARGETS"];
    let mut table = Table::new(&headings);
    for operation in operations {
        let targets: Vec<String> =
            operation.targets.iter().map(|target| format!("{}/{}", target.provider, target.model)).collect();
        table.row([
            operation.id,
            yes_no(operation.enabled),
            operation.capability,
            operation.criticality,
            operation.last_24h.requests.to_string(),
            usd(Some(&operation.last_24h.spend)),
            targets.join(","),
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

async fn switch(desk: &Desk, id: &str, enabled: bool) -> Result<Exit, Failure> {
    let operation = operations::find(&desk.app, &desk.caller, id).await?;
    routes::apply(desk, enabled, operation.draft()).await
}
