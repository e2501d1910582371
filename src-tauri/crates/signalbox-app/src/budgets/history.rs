//! Who spent what, day by day.

use std::collections::HashMap;

use signalbox_core::money::NanoUsd;
use signalbox_core::rollup::Step;
use signalbox_core::time::Timestamp;
use signalbox_store::{SpendBy, SpendQuery};

use crate::app::{App, Caller, Role};
use crate::error::AppError;
use crate::{dto, view};

/// Those who spent most that are shown by name.
const SERIES_MAX: u32 = 50;
/// How far back one may look.
const DAYS: [u32; 3] = [7, 30, 90];

/// Spend by UTC day over the last 7, 30 or 90 days, of those who spent most.
///
/// Errors: another number of days.
pub async fn history(
    app: &App,
    caller: &Caller,
    query: dto::SpendHistoryQuery,
) -> Result<dto::SpendHistory, AppError> {
    caller.must_be(Role::Viewer)?;
    if !DAYS.contains(&query.days) {
        return Err(AppError::invalid("days", "A history goes back 7, 30 or 90 days."));
    }
    let by = match query.split {
        dto::SpendSplit::Operation => SpendBy::Operation,
        dto::SpendSplit::User => SpendBy::User,
        dto::SpendSplit::Provider => SpendBy::Provider,
        dto::SpendSplit::Model => SpendBy::Model,
    };
    let now = app.now();
    let today = now.floor_to(Step::Day.micros());
    let first = today.plus_micros(-i64::from(query.days - 1) * Step::Day.micros());
    let asked =
        SpendQuery { step: Step::Day, from: first, to: now.plus_micros(1), by, only: query.only.clone() };
    let store = &app.control().store;
    let ranked = store.spend_ranking(&asked, SERIES_MAX).await?;
    let all = SpendQuery { by: SpendBy::Total, ..asked.clone() };
    let all = if asked.only.is_some() { ranked.clone() } else { store.spend_ranking(&all, 1).await? };
    let total: NanoUsd = all.iter().map(|row| NanoUsd::from_nanos(row.cost_nano_usd)).sum();
    let days: Vec<Timestamp> =
        (0..query.days).map(|day| first.plus_micros(i64::from(day) * Step::Day.micros())).collect();
    let place: HashMap<Timestamp, usize> = days.iter().copied().zip(0..).collect();
    let mut series: HashMap<&str, (Vec<i64>, Vec<i64>)> =
        ranked.iter().map(|row| (row.key.as_str(), (vec![0; days.len()], vec![0; days.len()]))).collect();
    for row in store.spend(&asked).await? {
        let (Some((spend, requests)), Some(index)) =
            (series.get_mut(row.key.as_str()), place.get(&row.start))
        else {
            continue;
        };
        (spend[*index], requests[*index]) = (row.cost_nano_usd, row.requests);
    }
    let shown = ranked.iter().map(|row| {
        let (spend, requests) = series.remove(row.key.as_str()).unwrap_or_default();
        dto::SpendSeries {
            key: row.key.clone(),
            spend: spend.into_iter().map(|nanos| NanoUsd::from_nanos(nanos).into()).collect(),
            requests: requests.into_iter().map(view::count).collect(),
            total: NanoUsd::from_nanos(row.cost_nano_usd).into(),
            total_requests: row.requests.into(),
        }
    });
    Ok(dto::SpendHistory {
        series: shown.collect(),
        days: days.into_iter().map(Into::into).collect(),
        total: total.into(),
    })
}
