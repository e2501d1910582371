//! `health` and `failovers`: how the targets are, and when another had to step in.

use signalbox_app::dto::{FailoverFilter, ProviderHealth, TargetHealth};
use signalbox_app::health;

use super::Desk;
use crate::cli::{Failovers, Json};
use crate::failure::{Exit, Failure};
use crate::output::{Table, or_dash, print, print_json, word};

pub async fn show(desk: Desk, form: Json) -> Result<Exit, Failure> {
    let providers = health::list(&desk.app, &desk.caller).await?;
    if form.json {
        print_json(&providers)?;
        return Ok(Exit::Ok);
    }
    let mut table =
        Table::new(&["TARGET", "STATE", ">RANK", ">OK", ">FAILED", ">P50 MS", ">P95 MS", "UNTIL", "WHY"]);
    for provider in &providers {
        if provider.targets.is_empty() {
            table.row(cells_of_nothing(provider));
        }
        for target in &provider.targets {
            table.row(cells(target));
        }
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

fn cells_of_nothing(provider: &ProviderHealth) -> [String; 9] {
    let dash = || or_dash(None::<String>);
    let state = word(&provider.state);
    [provider.provider.clone(), state, dash(), dash(), dash(), dash(), dash(), dash(), provider.text.clone()]
}

fn cells(target: &TargetHealth) -> [String; 9] {
    let millis = |value: Option<f64>| or_dash(value.map(|value| format!("{value:.0}")));
    [
        format!("{}/{}", target.provider, target.model),
        word(&target.state),
        or_dash(target.rank.map(|rank| rank.to_string())),
        target.window.succeeded.to_string(),
        target.window.failed.to_string(),
        millis(target.window.latency_ms_p50),
        millis(target.window.latency_ms_p95),
        or_dash(target.until.as_ref().map(|until| until.0.clone())),
        target.text.clone(),
    ]
}

pub async fn failovers(desk: Desk, command: Failovers) -> Result<Exit, Failure> {
    let filter = FailoverFilter { operation: command.operation, provider: command.provider, model: None };
    let page = health::failovers(&desk.app, &desk.caller, filter, None, command.limit).await?;
    if command.json {
        print_json(&page.rows)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["AT", "OPERATION", "FROM", "TO", "REASON", ">HOP MS", "REQUEST"]);
    for row in page.rows {
        table.row([
            row.at.0,
            row.operation,
            format!("{}/{}", row.from_provider, row.from_model),
            format!("{}/{}", row.to_provider, row.to_model),
            row.reason,
            format!("{:.2}", row.hop_ms),
            row.request_id,
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}
