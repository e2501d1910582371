//! `GET /metrics`: Prometheus' text format, for whoever has a key.
//!
//! Counts come from the ledger, so they survive a restart and say what it says. There are no labels with users or keys.
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use signalbox_core::ledger::Surface;
use signalbox_engine::metrics::{Counted, Figures};

use crate::chat::authenticate;
use crate::fault::Fault;
use crate::gateway::Shared;

/// The text format's own media type.
const TEXT_FORMAT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// All figures.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let live = shared.engine.live();
    if let Err(fault) = authenticate(&shared, &live, request.headers()) {
        return fault.for_surface(Surface::OpenaiChat).into_response();
    }
    match shared.engine.figures().await {
        Ok(figures) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text(&figures)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the figures cannot be read");
            Fault::internal().for_surface(Surface::OpenaiChat).into_response()
        }
    }
}

fn text(figures: &Figures) -> String {
    let mut out = String::new();
    family(&mut out, "signalbox_requests_in_flight", "gauge", "Requests that run at this moment.");
    line(&mut out, "signalbox_requests_in_flight", None, figures.in_flight);
    let name = "signalbox_journal_waiting_bytes";
    family(&mut out, name, "gauge", "Bytes of the ledger's journal that the database does not have yet.");
    line(&mut out, name, None, figures.journal_waiting_bytes);
    for (by, values) in [
        ("outcome", &figures.by_outcome),
        ("operation", &figures.by_operation),
        ("provider", &figures.by_provider),
    ] {
        let name = format!("signalbox_requests_by_{by}_total");
        family(&mut out, &name, "counter", &format!("Settled requests by {by}."));
        for Counted { value, requests } in values {
            line(&mut out, &name, Some((by, value)), requests);
        }
    }
    let name = "signalbox_spend_today_usd";
    family(&mut out, name, "gauge", "Real money spent since midnight UTC, by provider.");
    for (provider, spend) in &figures.spend_today {
        line(&mut out, name, Some(("provider", provider)), spend);
    }
    out
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, label: Option<(&str, &str)>, value: impl std::fmt::Display) {
    let _ = match label {
        None => writeln!(out, "{name} {value}"),
        Some((label, text)) => writeln!(out, "{name}{{{label}=\"{}\"}} {value}", escaped(text)),
    };
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use signalbox_core::money::NanoUsd;

    use super::*;

    #[test]
    fn figures_are_written_as_prometheus_reads_them_with_exact_money() {
        let counted = |value: &str, requests| Counted { value: value.to_owned(), requests };
        let figures = Figures {
            in_flight: 3,
            journal_waiting_bytes: 2_048,
            by_outcome: vec![counted("succeeded", 7), counted("failed", 1)],
            by_operation: vec![counted("a\"b\\c", 8)],
            by_provider: Vec::new(),
            spend_today: vec![("openai".to_owned(), NanoUsd::from_nanos(1_234_000_001))],
        };
        let text = text(&figures);
        for expected in [
            "# TYPE signalbox_requests_in_flight gauge\nsignalbox_requests_in_flight 3\n",
            "# TYPE signalbox_journal_waiting_bytes gauge\nsignalbox_journal_waiting_bytes 2048\n",
            "signalbox_requests_by_outcome_total{outcome=\"succeeded\"} 7\n",
            "signalbox_requests_by_operation_total{operation=\"a\\\"b\\\\c\"} 8\n",
            "signalbox_spend_today_usd{provider=\"openai\"} 1.234000001\n",
        ] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
    }
}
