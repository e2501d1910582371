//! `models`: add or reprice, list.

use serde_json::json;
use signalbox_app::dto::{Model, ModelInput};
use signalbox_app::models;
use signalbox_core::route::Target;

use super::Desk;
use crate::cli::Models;
use crate::failure::{Exit, Failure};
use crate::output::{Table, or_dash, print, print_json, tell_asked, usd};

pub async fn run(desk: Desk, command: Models) -> Result<Exit, Failure> {
    match command {
        Models::Add {
            target,
            input_usd_per_mtok,
            cached_input_usd_per_mtok,
            output_usd_per_mtok,
            context_window,
        } => {
            let target: Target =
                target.parse().map_err(|error| Failure::new(Exit::Usage, format!("{error}.")))?;
            let input = ModelInput {
                provider: target.provider.to_string(),
                model: target.model.to_string(),
                input_usd_per_mtok,
                cached_input_usd_per_mtok,
                output_usd_per_mtok,
                context_window,
            };
            if let Some(model) = tell_asked(models::add(&desk.app, &desk.caller, input).await?)? {
                print(&format!("{target}: {}.", prices(&model)))?;
            }
            Ok(Exit::Ok)
        }
        Models::List(form) => list(&desk, form.json).await,
    }
}

async fn list(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let models = models::list(&desk.app, &desk.caller).await?;
    if json {
        let rows: Vec<_> =
            models.iter().map(|(provider, model)| json!({"provider": provider, "model": model})).collect();
        print_json(&rows)?;
        return Ok(Exit::Ok);
    }
    let headings = [
        "TARGET",
        ">INPUT $/MTOK",
        ">CACHED $/MTOK",
        ">OUTPUT $/MTOK",
        ">CONTEXT",
        "CAPABILITIES",
        "PRICES AS OF",
    ];
    let mut table = Table::new(&headings);
    for (provider, model) in models {
        table.row([
            format!("{provider}/{}", model.name),
            usd(model.input_per_mtok.as_ref()),
            usd(model.cached_input_per_mtok.as_ref()),
            usd(model.output_per_mtok.as_ref()),
            or_dash(model.context_window),
            model.capabilities.join(","),
            or_dash(model.price_source.and_then(|source| source.as_of)),
        ]);
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

fn prices(model: &Model) -> String {
    if !model.priced {
        return "without a price; its requests will be marked unpriced".to_owned();
    }
    format!(
        "{} per million tokens in, {} out",
        usd(model.input_per_mtok.as_ref()),
        usd(model.output_per_mtok.as_ref())
    )
}
