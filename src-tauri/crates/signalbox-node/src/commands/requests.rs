//! `requests`: list, show.

use signalbox_app::dto::{self, RequestDetail, RequestFilter, RequestRow};
use signalbox_app::requests;

use super::Desk;
use crate::cli::{CostStatus, Filter, Requests, Status};
use crate::failure::{Exit, Failure};
use crate::output::{Table, or_dash, print, print_json, usd, word, yes_no};

pub async fn run(desk: Desk, command: Requests) -> Result<Exit, Failure> {
    match command {
        Requests::List { filter, limit, json } => list(&desk, filter.into(), limit, json).await,
        Requests::Count(form) => count(&desk, form.json).await,
        Requests::Show { id, json } => show(&desk, &id, json).await,
    }
}

async fn list(desk: &Desk, filter: RequestFilter, limit: u32, json: bool) -> Result<Exit, Failure> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut rows, mut cursor): (Vec<RequestRow>, Option<String>) = (Vec::new(), None);
    while rows.len() < limit {
        let missing = u32::try_from(limit - rows.len()).unwrap_or(u32::MAX);
        let page = requests::page(
            &desk.app,
            &desk.caller,
            filter.clone(),
            cursor,
            missing.min(requests::PAGE_ROWS_MAX),
        )
        .await?;
        rows.extend(page.rows);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    if json {
        print_json(&rows)?;
        return Ok(Exit::Ok);
    }
    let headings =
        ["STARTED", "OPERATION", "STATUS", "TARGET", ">IN", ">OUT", ">COST", "COST IS", ">MS", "KEY", "ID"];
    let mut table = Table::new(&headings);
    for row in &rows {
        table.row(cells(row));
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

async fn count(desk: &Desk, json: bool) -> Result<Exit, Failure> {
    let facets = requests::facets(&desk.app, &desk.caller).await?;
    if json {
        print_json(&facets)?;
        return Ok(Exit::Ok);
    }
    let mut table = Table::new(&["BY", "VALUE", ">REQUESTS"]);
    for (by, values) in [
        ("status", &facets.statuses),
        ("operation", &facets.operations),
        ("provider", &facets.providers),
        ("model", &facets.models),
    ] {
        for facet in values {
            table.row([by.to_owned(), facet.value.clone(), facet.count.to_string()]);
        }
    }
    print(&table.text())?;
    Ok(Exit::Ok)
}

fn cells(row: &RequestRow) -> [String; 11] {
    [
        row.started_at.0.clone(),
        row.operation.clone(),
        word(&row.status),
        target(row.provider.as_deref(), row.model.as_deref()),
        row.tokens_in.to_string(),
        row.tokens_out.to_string(),
        usd(row.cost.as_ref()),
        if row.simulated { "simulated".to_owned() } else { or_dash(row.cost_status.as_ref().map(word)) },
        or_dash(row.latency_ms.map(milliseconds)),
        or_dash(row.key_name.clone()),
        row.id.clone(),
    ]
}

fn target(provider: Option<&str>, model: Option<&str>) -> String {
    match (provider, model) {
        (Some(provider), Some(model)) => format!("{provider}/{model}"),
        _ => "-".to_owned(),
    }
}

fn milliseconds(value: f64) -> String {
    format!("{value:.1}")
}

async fn show(desk: &Desk, id: &str, json: bool) -> Result<Exit, Failure> {
    let detail = requests::detail(&desk.app, &desk.caller, id).await?;
    if json {
        print_json(&detail)?;
    } else {
        print(&described(&detail))?;
    }
    Ok(Exit::Ok)
}

fn described(detail: &RequestDetail) -> String {
    let row = &detail.row;
    let tags: Vec<String> = detail.tags.iter().map(|tag| format!("{}={}", tag.name, tag.value)).collect();
    let mut facts = Table::new(&["REQUEST", &row.id]);
    let mut fact = |name: &str, value: String| facts.row([name.to_owned(), value]);
    fact("started", row.started_at.0.clone());
    fact("operation", row.operation.clone());
    fact("status", word(&row.status));
    fact("target", target(row.provider.as_deref(), row.model.as_deref()));
    fact("surface", format!("{}{}", detail.surface, if row.streamed { ", streamed" } else { "" }));
    fact("asked for", detail.requested_model.clone());
    fact("key", or_dash(row.key_name.clone()));
    fact("user", or_dash(row.user.clone()));
    fact("tags", if tags.is_empty() { "-".to_owned() } else { tags.join(",") });
    fact("cost", format!("{} ({})", usd(row.cost.as_ref()), or_dash(row.cost_status.as_ref().map(word))));
    fact("estimate", usd(detail.estimate.as_ref()));
    fact("simulated", yes_no(row.simulated));
    fact("latency", or_dash(row.latency_ms.map(|value| format!("{} ms", milliseconds(value)))));
    fact("finish", or_dash(detail.finish_reason.clone()));
    fact("error", or_dash(row.error_code.clone()));
    let mut sections = vec![facts.text()];
    sections.extend(detail.error_message.clone());
    sections.push(format!("DECISION  {}\n{}", detail.decision.summary, candidates(detail).text()));
    sections.push(attempts(detail).text());
    let lines = lines(detail);
    sections.extend((!lines.is_empty()).then(|| lines.join("\n")));
    sections.join("\n\n")
}

fn candidates(detail: &RequestDetail) -> Table {
    let mut table = Table::new(&["CANDIDATE", "VERDICT", ">ORDER", ">ESTIMATE", "REASON"]);
    for candidate in &detail.decision.candidates {
        table.row([
            format!("{}/{}", candidate.provider, candidate.model),
            word(&candidate.verdict),
            or_dash(candidate.order),
            usd(candidate.estimate.as_ref()),
            candidate.reason.clone(),
        ]);
    }
    table
}

fn attempts(detail: &RequestDetail) -> Table {
    let mut table =
        Table::new(&["ATTEMPT", "TARGET", "OUTCOME", "FAILURE", ">HTTP", ">FROM MS", ">TO MS", ">COST"]);
    for attempt in &detail.attempts {
        table.row([
            attempt.ordinal.to_string(),
            format!("{}/{}", attempt.provider, attempt.model),
            word(&attempt.outcome),
            or_dash(attempt.failure.clone()),
            or_dash(attempt.http_status),
            milliseconds(attempt.started_ms),
            milliseconds(attempt.finished_ms),
            usd(attempt.cost.as_ref()),
        ]);
    }
    table
}

/// The arithmetic of the cost, one line per unit.
fn lines(detail: &RequestDetail) -> Vec<String> {
    let line = |line: &dto::CostLineView| {
        format!(
            "  {} {} × {} / {} = {}",
            line.quantity.0,
            line.unit,
            usd(line.price.as_ref()),
            line.per.0,
            usd(line.cost.as_ref())
        )
    };
    detail.attempts.iter().flat_map(|attempt| attempt.lines.iter().map(line)).collect()
}

impl From<Filter> for RequestFilter {
    fn from(filter: Filter) -> Self {
        Self {
            operation: filter.operation,
            provider: filter.provider,
            model: filter.model,
            status: filter.status.map(Into::into),
            cost_status: filter.cost_status.map(Into::into),
            key_id: filter.key,
            user: filter.user,
            simulated: filter.simulated,
            from: filter.from.map(dto::Instant),
            to: filter.to.map(dto::Instant),
            ..Self::default()
        }
    }
}

impl From<Status> for dto::RequestStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::InFlight => Self::InFlight,
            Status::Succeeded => Self::Succeeded,
            Status::Failed => Self::Failed,
            Status::Cancelled => Self::Cancelled,
            Status::Interrupted => Self::Interrupted,
        }
    }
}

impl From<CostStatus> for dto::CostStatus {
    fn from(status: CostStatus) -> Self {
        match status {
            CostStatus::Exact => Self::Exact,
            CostStatus::ProviderCharged => Self::ProviderCharged,
            CostStatus::Estimated => Self::Estimated,
            CostStatus::Unpriced => Self::Unpriced,
        }
    }
}
