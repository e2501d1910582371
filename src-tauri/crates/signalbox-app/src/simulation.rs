//! A draft of a route tried out before it is applied: on one request, or on those of the last 24 hours. Nothing is sent
//! and nothing is written.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::json;
use signalbox_core::decide::{Ask, Asked, Decision, Features, HealthViews, decide, targets};
use signalbox_core::ids::RequestId;
use signalbox_core::key::ApiKey;
use signalbox_core::ledger::{RequestStart, Surface};
use signalbox_core::meter::{Bound, UsageSource, price_usage};
use signalbox_core::money::NanoUsd;
use signalbox_core::rollup::Step;
use signalbox_core::route::Target;
use signalbox_core::rule::Facts;
use signalbox_core::snapshot::{OperationEntry, Snapshot};
use signalbox_core::time::Timestamp;
use signalbox_core::usage::{Unit, Usage};
use signalbox_engine::dispatch::{Payload, count_input};
use signalbox_engine::live::Live;
use signalbox_store::DecidedRequest;
use tokio::time::Instant;

use crate::app::{App, Caller, Role};
use crate::error::{AppError, Code};
use crate::operations::{current, proposed};
use crate::{dto, requests, view};

/// Requests that are decided again for a preview: enough to see a trend, few enough to be there at once.
const SAMPLE_MAX: u32 = 500;
/// Output tokens a described request asks for when nobody says.
const OUTPUT_TOKENS: u64 = 4_096;

/// Decides a request by a draft without sending it.
///
/// Errors: no such operation or request; the operation is switched off in the draft. Faults of the draft are listed.
pub async fn simulate(
    app: &App,
    caller: &Caller,
    input: dto::SimulationInput,
) -> Result<dto::Simulation, AppError> {
    caller.must_be(Role::Viewer)?;
    let live = app.live().await?;
    let before = current(&live.snapshot, &input.draft.operation)?;
    let (after, problems) = proposed(&live.snapshot, before, &input.draft);
    let drafted = with(&live, after);
    let request = Request::of(app, &drafted.snapshot, input.request).await?;
    let features = request.features();
    let operation = &before.operation.id;
    let now = app.now();
    let chain = || targets(&drafted.snapshot, operation, None);
    let health = app
        .engine()
        .map_or_else(HealthViews::default, |engine| engine.health.views(operation, chain(), &drafted, now));
    let key = request.key.as_ref();
    let ask = Ask { key, health: &health, lot: request.lot, ..Ask::of(operation, features) };
    let began = Instant::now();
    let decision = decide(&drafted.snapshot, &ask, now)
        .map_err(|error| AppError::new(Code::Refused, format!("{error}.")))?;
    let micros = began.elapsed().as_secs_f64() * 1_000_000.0;
    let facts = Facts { operation, features: &features, now };
    Ok(dto::Simulation {
        estimate: decision.estimate_max().map(Into::into),
        decision: requests::decision(&decision, &[]),
        features: facts.named().into_iter().map(|(name, value)| dto::Tag { name, value }).collect(),
        micros,
        problems,
    })
}

/// The configuration with a draft in place of an operation.
fn with(live: &Live, after: OperationEntry) -> Live {
    let mut drafted = live.clone();
    drafted.snapshot.operations.insert(after.operation.id.clone(), after);
    drafted
}

/// A request to be decided.
struct Request {
    surface: Surface,
    asked: Asked,
    streamed: bool,
    user: Option<String>,
    key: Option<ApiKey>,
    tags: Vec<(String, String)>,
    lot: u64,
}

impl Request {
    async fn of(app: &App, snapshot: &Snapshot, input: dto::SimulatedRequest) -> Result<Self, AppError> {
        match input {
            dto::SimulatedRequest::Past { request_id } => {
                let id: RequestId =
                    request_id.parse().map_err(|_| AppError::not_found("request", &request_id))?;
                let record = app.control().store.request(id).await?;
                let record = record.ok_or_else(|| AppError::not_found("request", &request_id))?;
                Self::past(snapshot, &record.start).ok_or_else(|| {
                    AppError::new(
                        Code::Refused,
                        "What this request was like has not been kept: it is too old.",
                    )
                })
            }
            dto::SimulatedRequest::Described {
                message,
                input_tokens,
                max_output_tokens,
                has_images,
                has_tools,
                streamed,
                user,
                tags,
            } => Ok(Self {
                surface: Surface::OpenaiChat,
                asked: Asked {
                    bound: Bound {
                        tokens_in: input_tokens.map_or_else(|| tokens_of(message.as_deref()), u64::from),
                        tokens_out_max: max_output_tokens.map_or(OUTPUT_TOKENS, u64::from),
                        ..Bound::default()
                    },
                    has_images,
                    has_tools,
                    ..Asked::default()
                },
                streamed,
                user: user.filter(|user| !user.trim().is_empty()),
                key: None,
                tags: tags.into_iter().map(|tag| (tag.name, tag.value)).collect(),
                lot: 0,
            }),
        }
    }

    fn past(snapshot: &Snapshot, start: &RequestStart) -> Option<Self> {
        let key = start.key.and_then(|id| snapshot.keys.values().find(|key| key.id == id));
        let (_, lot) = start.id.as_uuid().as_u64_pair();
        Some(Self {
            surface: start.surface,
            asked: start.decision.asked?,
            streamed: start.streamed,
            user: start.user.clone(),
            key: key.cloned(),
            tags: start.tags.clone(),
            lot,
        })
    }

    fn features(&self) -> Features<'_> {
        Features {
            bound: self.asked.bound,
            surface: self.surface,
            has_images: self.asked.has_images,
            has_audio: self.asked.has_audio,
            has_tools: self.asked.has_tools,
            json_output: self.asked.json_output,
            streamed: self.streamed,
            user: self.user.as_deref(),
            key: self.key.as_ref().map(|key| key.name.as_str()),
            tags: &self.tags,
        }
    }
}

/// Counted as a request with that one message would be.
fn tokens_of(message: Option<&str>) -> u64 {
    let text = message.unwrap_or_default();
    let mut body = serde_json::Map::new();
    body.insert("messages".to_owned(), json!([{"role": "user", "content": text}]));
    count_input(Surface::OpenaiChat, &Payload::Json(std::sync::Arc::new(body))).unwrap_or_default()
}

/// What a draft would have meant for the last 24 hours; `None` without traffic to tell by.
///
/// Healthy targets are assumed, and the prices of now. Requests that stay where they were cost what they cost; the others
/// are priced by the tokens they really used.
pub(crate) async fn impact(
    app: &App,
    live: &Live,
    after: &OperationEntry,
    traffic: &dto::Traffic,
) -> Result<Option<dto::Impact>, AppError> {
    let now = app.now();
    let day = now.plus_micros(-Step::Day.micros())..now;
    Ok(decided_again(app, live, after, day, SAMPLE_MAX).await?.shown(traffic))
}

/// The latest requests of a span decided again with a draft, at most `limit`.
pub(crate) async fn decided_again(
    app: &App,
    live: &Live,
    after: &OperationEntry,
    span: Range<Timestamp>,
    limit: u32,
) -> Result<Sample, AppError> {
    let now = app.now();
    let id = &after.operation.id;
    let rows = app.control().store.decided_requests(id, span, limit).await?;
    let drafted = with(live, after.clone());
    let mut sample = Sample::default();
    for row in &rows {
        let Some(request) = Request::past(&drafted.snapshot, &row.start) else { continue };
        let features = request.features();
        let ask = Ask { key: request.key.as_ref(), lot: request.lot, ..Ask::of(id, features) };
        if let Ok(decision) = decide(&drafted.snapshot, &ask, now) {
            sample.add(&drafted.snapshot, row, &decision, now);
        }
    }
    Ok(sample)
}

/// What became of the requests that were decided again.
#[derive(Default)]
pub(crate) struct Sample {
    pub(crate) decided: u32,
    moved: u32,
    refused: u32,
    /// Nano-dollars of the sample as it was, and as it would have been; `None` when a price is missing.
    cost_before: i128,
    cost_after: Option<i128>,
    shares: HashMap<Target, (u32, u32)>,
    latencies: Vec<(Target, i64)>,
    goes_to: Vec<Option<Target>>,
}

impl Sample {
    fn add(&mut self, snapshot: &Snapshot, row: &DecidedRequest, decision: &Decision, now: Timestamp) {
        if self.decided == 0 {
            self.cost_after = Some(0);
        }
        self.decided += 1;
        let was = row.end.target.as_ref();
        let goes_to = decision.chain().next().map(|candidate| &candidate.target);
        let first_before = row.start.decision.chain().next().map(|candidate| &candidate.target);
        if let Some(was) = was {
            self.shares.entry(was.clone()).or_default().0 += 1;
            self.latencies.push((was.clone(), row.end.latency_us));
        }
        self.cost_before += row.end.cost.map_or(0, |cost| i128::from(cost.as_nanos()));
        let Some(target) = goes_to else {
            self.refused += 1;
            self.goes_to.push(None);
            return;
        };
        self.shares.entry(target.clone()).or_default().1 += 1;
        self.goes_to.push(Some(target.clone()));
        if first_before != Some(target) {
            self.moved += 1;
        }
        let cost = if was == Some(target) { row.end.cost } else { cost_at(snapshot, target, row, now) };
        self.cost_after = match (self.cost_after, cost) {
            (Some(sum), Some(cost)) => Some(sum + i128::from(cost.as_nanos())),
            _ => None,
        };
    }

    /// What that many requests like these would have cost more, or less; `None` when a price is missing or nothing was
    /// decided. Units: nano-dollars.
    pub(crate) fn difference(&self, requests: i64) -> Option<i128> {
        let decided = i128::from(self.decided);
        self.cost_after?
            .checked_sub(self.cost_before)?
            .checked_mul(i128::from(requests))?
            .checked_div(decided)
    }

    fn shown(self, traffic: &dto::Traffic) -> Option<dto::Impact> {
        if self.decided == 0 {
            return None;
        }
        let spent: i128 = traffic.spend.0.parse().unwrap_or(0);
        let difference = self.difference(traffic.requests.into());
        let (before_us, after_us) = self.p95s();
        let mut shares: Vec<dto::ImpactShare> = self
            .shares
            .iter()
            .map(|(target, (before, after))| dto::ImpactShare {
                provider: target.provider.to_string(),
                model: target.model.to_string(),
                before: f64::from(*before) / f64::from(self.decided),
                after: f64::from(*after) / f64::from(self.decided),
            })
            .collect();
        shares.sort_by(|left, right| {
            right.after.total_cmp(&left.after).then_with(|| left.model.cmp(&right.model))
        });
        Some(dto::Impact {
            text: self.in_words(difference, before_us.zip(after_us)),
            requests: traffic.requests,
            sampled: self.decided,
            moved: self.moved,
            cost_before: traffic.spend.clone(),
            cost_after: difference.map(|difference| dto::Money((spent + difference).to_string())),
            latency_ms_p95_before: before_us.map(view::milliseconds),
            latency_ms_p95_after: after_us.map(view::milliseconds),
            refused: self.refused,
            shares,
        })
    }

    /// Times as they were, and as they would have been if each target took its usual time; `None` where a target was not
    /// used lately. Units: microseconds.
    fn p95s(&self) -> (Option<i64>, Option<i64>) {
        let mut by_target: HashMap<&Target, Vec<i64>> = HashMap::new();
        for (target, latency) in &self.latencies {
            by_target.entry(target).or_default().push(*latency);
        }
        let before = p95(self.latencies.iter().map(|(_, latency)| *latency).collect());
        let mut after = Vec::with_capacity(self.goes_to.len());
        for target in self.goes_to.iter().flatten() {
            let Some(known) = by_target.get(target) else { return (before, None) };
            // Its own times in turn, so that the mix keeps their spread.
            let turn = after.len() % known.len();
            after.extend(known.get(turn).copied());
        }
        (before, p95(after))
    }

    fn in_words(&self, difference: Option<i128>, p95s: Option<(i64, i64)>) -> String {
        let cost = match difference {
            None => "Cost unknown: a target has no price".to_owned(),
            Some(0) => "About the same cost".to_owned(),
            Some(nanos) => {
                let sign = if nanos < 0 { "−" } else { "+" };
                format!("About {sign} {} a day", dollars(nanos.unsigned_abs()))
            }
        };
        let time = p95s.map_or_else(String::new, |(before, after)| {
            let sign = if after < before { "−" } else { "+" };
            format!(", p95 {sign} {} ms", (after - before).unsigned_abs() / 1_000)
        });
        let refused = match self.refused {
            0 => String::new(),
            some => format!(" {some} could not be served."),
        };
        format!(
            "{cost}{time}; {} of {} requests would go elsewhere first.{refused}",
            self.moved, self.decided
        )
    }
}

/// What a request would cost at a target, by the tokens it used.
fn cost_at(snapshot: &Snapshot, target: &Target, row: &DecidedRequest, now: Timestamp) -> Option<NanoUsd> {
    let entry = snapshot.models.get(target)?;
    let count = |tokens: i64| u64::try_from(tokens).unwrap_or(0);
    let usage = Usage::default()
        .with(Unit::InputTokens, count(row.end.tokens_in))
        .with(Unit::OutputTokens, count(row.end.tokens_out));
    price_usage(
        &entry.cards,
        now,
        &usage,
        UsageSource::Estimated,
        None,
        signalbox_core::price::ServiceMode::Standard,
    )
    .total
}

fn p95(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    let rank = (values.len() * 95).div_ceil(100);
    values.get(rank.checked_sub(1)?).copied()
}

/// To the cent, or to three digits below one.
pub(crate) fn dollars(nanos: u128) -> String {
    const NANOS_PER_USD: u128 = 1_000_000_000;
    const NANOS_PER_CENT: u128 = 10_000_000;
    if nanos >= NANOS_PER_USD {
        let cents = (nanos + NANOS_PER_CENT / 2) / NANOS_PER_CENT;
        return format!("${}.{:02}", cents / 100, cents % 100);
    }
    let digits = format!("{nanos:09}");
    let first = digits.find(|digit| digit != '0').unwrap_or(0);
    let end = (first + 3).min(digits.len());
    format!("$0.{}", digits.get(..end).unwrap_or(&digits).trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_to_the_cent_and_small_ones_are_not_rounded_to_nothing() {
        assert_eq!(dollars(3_104_999_999), "$3.10");
        assert_eq!(dollars(999_999_999), "$0.999");
        assert_eq!(dollars(342_118), "$0.000342");
        assert_eq!(dollars(7), "$0.000000007");
    }

    #[test]
    fn the_95th_of_a_hundred_is_the_95th() {
        assert_eq!(p95((1..=100).collect()), Some(95));
        assert_eq!(p95(vec![7]), Some(7));
        assert_eq!(p95(Vec::new()), None);
    }

    #[test]
    fn words_say_what_changes_and_what_cannot_be_known() {
        let sample = Sample { decided: 10, moved: 4, ..Sample::default() };
        assert_eq!(
            sample.in_words(Some(-2_500_000_000), Some((900_000, 660_000))),
            "About − $2.50 a day, p95 − 240 ms; 4 of 10 requests would go elsewhere first."
        );
        let refused = Sample { refused: 1, ..sample };
        assert_eq!(
            refused.in_words(None, None),
            "Cost unknown: a target has no price; 4 of 10 requests would go elsewhere first. 1 could not be served."
        );
    }
}
