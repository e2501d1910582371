//! `routes`: show, set.

use signalbox_app::dto::{DraftTarget, RouteDraft};
use signalbox_app::operations;
use signalbox_core::route::Target;

use super::Desk;
use crate::cli::Routes;
use crate::failure::{Exit, Failure};
use crate::output::{Table, print, print_json, remark, tell_asked, yes_no};

pub async fn run(desk: Desk, command: Routes) -> Result<Exit, Failure> {
    match command {
        Routes::Show { operation, json } => show(&desk, operation.as_deref(), json).await,
        Routes::Set { operation, targets, reason } => set(&desk, &operation, &targets, reason).await,
    }
}

async fn show(desk: &Desk, operation: Option<&str>, json: bool) -> Result<Exit, Failure> {
    let routes = match operation {
        Some(id) => vec![operations::find(&desk.app, &desk.caller, id).await?],
        None => operations::list(&desk.app, &desk.caller).await?,
    };
    if json {
        print_json(&routes)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["OPERATION", ">ORDER", "TARGET", "ENABLED", "READY", "WHY NOT"]);
    for route in &routes {
        for (index, target) in route.targets.iter().enumerate() {
            let ready = &target.ready;
            table.row([
                route.id.clone(),
                (index + 1).to_string(),
                format!("{}/{}", target.provider, target.model),
                yes_no(target.enabled),
                yes_no(ready.ready),
                if ready.ready { String::new() } else { ready.text.clone() },
            ]);
        }
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

async fn set(desk: &Desk, id: &str, targets: &[String], reason: Option<String>) -> Result<Exit, Failure> {
    let operation = operations::find(&desk.app, &desk.caller, id).await?;
    let targets = targets.iter().map(|text| target(text.trim())).collect::<Result<Vec<_>, _>>()?;
    apply(desk, operation.enabled, RouteDraft { targets, reason, ..operation.draft() }).await
}

fn target(text: &str) -> Result<DraftTarget, Failure> {
    let target: Target = text.parse().map_err(|error| Failure::new(Exit::Usage, format!("{error}.")))?;
    Ok(DraftTarget::of(target.provider.as_str(), target.model.as_str()))
}

/// Applies a draft and says in words what changed. Warnings go to standard error: they do not stop it.
pub async fn apply(desk: &Desk, enabled: bool, draft: RouteDraft) -> Result<Exit, Failure> {
    let draft = RouteDraft { enabled, ..draft };
    let preview = operations::route_preview(&desk.app, &desk.caller, draft.clone()).await?;
    let applied = operations::route_apply(&desk.app, &desk.caller, draft).await?;
    for warning in preview.warnings {
        remark(&format!("note: {warning}"));
    }
    let Some(operation) = tell_asked(applied)? else { return Ok(Exit::Ok) };
    if preview.sentences.is_empty() {
        print(&format!("{} stays as it is.", operation.id))?;
    } else {
        print(&format!("{}.", preview.sentences.join("; ")))?;
    }
    Ok(Exit::Ok)
}
