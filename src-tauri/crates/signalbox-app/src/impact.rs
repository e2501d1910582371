//! What a change would have meant for the cost of the last 30 days, told from the ledger: an estimate, with the size of
//! what it rests on. The work is bounded whatever the traffic was.

use std::collections::BTreeMap;

use signalbox_core::change::ChangeKind;
use signalbox_core::meter::{UsageSource, price_usage};
use signalbox_core::money::NanoUsd;
use signalbox_core::price::{PriceCard, ServiceMode};
use signalbox_core::rollup::Step;
use signalbox_core::route::Target;
use signalbox_core::snapshot::OperationEntry;
use signalbox_core::time::Timestamp;
use signalbox_core::usage::{Unit, Usage};
use signalbox_store::{GroupBy, RollupQuery, RollupRow};

use crate::app::App;
use crate::error::AppError;
use crate::models::ModelState;
use crate::operations::OperationState;
use crate::prices::restore::PricesState;
use crate::propose::Plan;
use crate::{dto, simulation, view};

/// How far back is looked: a month, so that the sum is a month's.
const DAYS: i64 = 30;
/// Requests of a day that are decided again for a route, the newest.
const SAMPLED_PER_DAY: u32 = 20;

/// The impact of a planned change; `None` when its kind does not change what requests cost.
pub(crate) async fn of(app: &App, plan: &Plan) -> Result<Option<dto::CostImpact>, AppError> {
    match plan.kind {
        ChangeKind::Route => match state::<OperationState>(plan.after.as_deref()) {
            Some(OperationState { operation, route }) => {
                of_route(app, &OperationEntry { operation, route }).await.map(Some)
            }
            None => Ok(None),
        },
        ChangeKind::Model => {
            let models = |text| state::<ModelState>(text).into_iter().collect();
            of_prices(app, models(plan.before.as_deref()), models(plan.after.as_deref())).await.map(Some)
        }
        ChangeKind::Price => {
            let models = |text| state::<PricesState>(text).map(|state| state.models).unwrap_or_default();
            of_prices(app, models(plan.before.as_deref()), models(plan.after.as_deref())).await.map(Some)
        }
        _ => Ok(None),
    }
}

fn state<T: serde::de::DeserializeOwned>(text: Option<&str>) -> Option<T> {
    serde_json::from_str(text?).ok()
}

/// The requests of the last 30 days decided again, some of each day, and each day counted as often as it had requests.
pub(crate) async fn of_route(app: &App, after: &OperationEntry) -> Result<dto::CostImpact, AppError> {
    let live = app.live().await?;
    let id = &after.operation.id;
    let query = RollupQuery { operation: Some(id.clone()), group_by: GroupBy::Total, ..last_days(app.now()) };
    let mut by_day: BTreeMap<Timestamp, i64> = BTreeMap::new();
    for row in app.control().store.rollups(&query).await? {
        *by_day.entry(row.start).or_default() += row.sums.requests;
    }
    let mut sum = Sum::default();
    for (day, requests) in by_day {
        let span = day..day.plus_micros(Step::Day.micros());
        let sample = simulation::decided_again(app, &live, after, span, SAMPLED_PER_DAY).await?;
        if sample.decided > 0 {
            let difference = sample.difference(requests);
            sum.add_day(requests, sample.decided, difference);
        }
    }
    Ok(sum.shown())
}

/// The tokens of the last 30 days priced by the new cards and by the old.
async fn of_prices(
    app: &App,
    before: Vec<ModelState>,
    after: Vec<ModelState>,
) -> Result<dto::CostImpact, AppError> {
    let query = RollupQuery { group_by: GroupBy::Model, ..last_days(app.now()) };
    let rows = app.control().store.rollups(&query).await?;
    let mut sum = Sum::default();
    let mut days: BTreeMap<Timestamp, (i64, Option<i128>)> = BTreeMap::new();
    for model in &after {
        let target = Target { provider: model.model.provider.clone(), model: model.model.name.clone() };
        let was =
            before.iter().find(|was| was.model.provider == target.provider && was.model.name == target.model);
        // When the last of the new cards holds.
        let known = |card: &&PriceCard| !was.is_some_and(|was| was.cards.contains(card));
        let starts = model.cards.iter().filter(known).map(|card| card.effective_from);
        let then = starts.max().unwrap_or(app.now());
        let none = Vec::new();
        let was = was.map_or(&none, |was| &was.cards);
        let name = target.to_string();
        for row in rows.iter().filter(|row| row.key == name && row.sums.requests > 0) {
            let difference = cost_of(&model.cards, row, then)
                .zip(cost_of(was, row, app.now()))
                .map(|(after, before)| after - before);
            let day = days.entry(row.start).or_insert((0, Some(0)));
            day.0 += row.sums.requests;
            day.1 = day.1.zip(difference).map(|(sum, difference)| sum + difference);
        }
    }
    for (requests, difference) in days.into_values() {
        sum.add_day(requests, view::count(requests), difference);
    }
    Ok(sum.shown())
}

/// What the requests of a row would cost if each used as many tokens as they did on average. Units: nano-dollars.
fn cost_of(cards: &[PriceCard], row: &RollupRow, at: Timestamp) -> Option<i128> {
    let each = |tokens: i64| u64::try_from(tokens / row.sums.requests).unwrap_or(0);
    let usage = Usage::default()
        .with(Unit::InputTokens, each(row.sums.tokens_in))
        .with(Unit::OutputTokens, each(row.sums.tokens_out));
    let cost = price_usage(cards, at, &usage, UsageSource::Estimated, None, ServiceMode::Standard).total?;
    Some(i128::from(cost.as_nanos()) * i128::from(row.sums.requests))
}

fn last_days(now: Timestamp) -> RollupQuery {
    RollupQuery {
        step: Step::Day,
        from: now.plus_micros(-DAYS * Step::Day.micros()),
        to: now.plus_micros(1),
        group_by: GroupBy::Total,
        operation: None,
    }
}

/// The days looked at so far.
struct Sum {
    days: u32,
    requests: i64,
    sampled: u32,
    /// Nano-dollars; `None` when a price is missing.
    difference: Option<i128>,
}

impl Default for Sum {
    fn default() -> Self {
        Self { days: 0, requests: 0, sampled: 0, difference: Some(0) }
    }
}

impl Sum {
    fn add_day(&mut self, requests: i64, sampled: u32, difference: Option<i128>) {
        self.days += 1;
        self.requests += requests;
        self.sampled = self.sampled.saturating_add(sampled);
        self.difference = self.difference.zip(difference).map(|(sum, day)| sum + day);
    }

    fn shown(self) -> dto::CostImpact {
        let cost = match self.difference {
            _ if self.days == 0 => "No traffic in the last 30 days to tell by".to_owned(),
            None => "Cost unknown: a target has no price".to_owned(),
            Some(0) => "About the same cost".to_owned(),
            Some(nanos) => {
                let sign = if nanos < 0 { "−" } else { "+" };
                format!("About {sign} {} a month", simulation::dollars(nanos.unsigned_abs()))
            }
        };
        let text = if self.days == 0 {
            format!("{cost}.")
        } else {
            let days = if self.days == 1 { "1 day".to_owned() } else { format!("{} days", self.days) };
            format!(
                "{cost}, told by {} of {} requests on {days} of the last {DAYS}.",
                self.sampled, self.requests
            )
        };
        let monthly = self.difference.filter(|_| self.days > 0).map(|nanos| {
            let most = i128::from(i64::MAX);
            NanoUsd::from_nanos(i64::try_from(nanos.clamp(-most, most)).unwrap_or(i64::MAX))
        });
        dto::CostImpact {
            text,
            monthly: monthly.map(Into::into),
            days: self.days,
            requests: view::count(self.requests),
            sampled: self.sampled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impact_says_what_it_rests_on_and_what_it_cannot_know() {
        let mut sum = Sum::default();
        assert_eq!(sum.shown().text, "No traffic in the last 30 days to tell by.");
        sum = Sum::default();
        sum.add_day(1_000, 20, Some(2_500_000_000));
        sum.add_day(10, 10, Some(-500_000_000));
        let shown = sum.shown();
        assert_eq!(
            shown.text,
            "About + $2.00 a month, told by 30 of 1010 requests on 2 days of the last 30."
        );
        assert_eq!(shown.monthly, Some(dto::Money("2000000000".to_owned())));
        let mut unknown = Sum::default();
        unknown.add_day(5, 5, None);
        unknown.add_day(5, 5, Some(1));
        let shown = unknown.shown();
        assert_eq!((shown.monthly, shown.requests), (None, 10));
        assert!(shown.text.starts_with("Cost unknown"));
    }
}
