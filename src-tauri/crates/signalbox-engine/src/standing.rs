//! How purses stand by what is written down, whichever node wrote it: what screens and forecasts go by.

use std::collections::HashMap;

use signalbox_core::budget::{Amount, Budget, Holding, Measure, Member, PurseKey, Window};
use signalbox_core::ids::{BudgetId, OperationId, RequestId};
use signalbox_core::money::NanoUsd;
use signalbox_core::time::Timestamp;
use signalbox_store::{Store, StoreError};

/// One purse at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub key: PurseKey,
    /// Its period.
    pub window: Window,
    /// What ended calls came to.
    pub settled: Amount,
    /// What an admin added to that, or took off.
    pub adjusted: NanoUsd,
    /// What running calls usually come to.
    pub held: Amount,
    /// The most running calls can come to.
    pub held_max: Amount,
}

impl Standing {
    /// A purse in which nothing is held.
    pub fn settled(key: PurseKey, window: Window, settled: Amount) -> Self {
        let none = Amount::default();
        Self { key, window, settled, adjusted: NanoUsd::ZERO, held: none, held_max: none }
    }

    /// What counts as spent, corrections included.
    pub const fn spent(&self) -> NanoUsd {
        self.settled.cost.saturating_add(self.adjusted)
    }

    /// What counts as used, corrections included.
    pub const fn used(&self) -> Amount {
        Amount { cost: self.spent(), ..self.settled }
    }

    /// What is held, as its budget counts it: the usual, or the most where it may not be passed.
    pub const fn held(&self, budget: &Budget) -> Amount {
        if budget.overrun_percent == 0 { self.held_max } else { self.held }
    }

    /// What is left of the money, never below nothing; `None` without a limit of money.
    pub fn left(&self, budget: &Budget) -> Option<NanoUsd> {
        let limit = budget.limits.cost?.as_nanos();
        let used = self.spent().saturating_add(self.held(budget).cost).as_nanos();
        Some(NanoUsd::from_nanos(limit.saturating_sub(used).max(0)))
    }

    /// How much of a limit is used or held, of the limit of which that is most. Units: thousandths, rounded down; more than
    /// 1,000 when it is passed.
    pub fn used_permille(&self, budget: &Budget) -> u32 {
        let of_limit = |measure: Measure| {
            let limit = budget.limits.of(measure)?;
            let used = self.used().of(measure).saturating_add(self.held(budget).of(measure)).max(0);
            if limit <= 0 {
                return Some(if used > 0 { WHOLE_PERMILLE } else { 0 });
            }
            let permille = i128::from(used) * i128::from(WHOLE_PERMILLE) / i128::from(limit);
            Some(u32::try_from(permille).unwrap_or(u32::MAX))
        };
        Measure::ALL.into_iter().filter_map(of_limit).max().unwrap_or(0)
    }
}

/// A whole, in thousandths.
const WHOLE_PERMILLE: u32 = 1_000;

/// What a running request holds in one purse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenHold {
    /// Who holds it.
    pub request: RequestId,
    /// Where.
    pub purse: PurseKey,
    /// What kind of work it is.
    pub operation: OperationId,
    /// For whom.
    pub user: Option<String>,
    /// When the request came in.
    pub since: Timestamp,
    /// What calls like it usually come to.
    pub likely: Amount,
    /// The most it can come to.
    pub most: Amount,
}

impl OpenHold {
    /// How much, as the budget counts it.
    pub const fn amount(&self, budget: &Budget) -> Amount {
        if budget.overrun_percent == 0 { self.most } else { self.likely }
    }
}

/// What requests that run hold, as it was written before their calls went out.
pub async fn open_holds(store: &Store) -> Result<Vec<OpenHold>, StoreError> {
    let mut open = Vec::new();
    for request in store.open_requests().await? {
        let start = request.start;
        let Some(Holding { claim, holds }) = request.call.map_or(start.holding, |call| call.holding) else {
            continue;
        };
        open.extend(holds.into_iter().map(|hold| OpenHold {
            request: start.id,
            purse: hold.purse,
            operation: start.operation.clone(),
            user: start.user.clone(),
            since: start.started_at,
            likely: claim.likely,
            most: claim.most,
        }));
    }
    Ok(open)
}

/// The purses of the periods that contain `now`, in ascending order. A budget that nobody used yet has an empty one, unless
/// it is for each user or operation.
pub async fn read(store: &Store, budgets: &[Budget], now: Timestamp) -> Result<Vec<Standing>, StoreError> {
    let mut purses: HashMap<PurseKey, Standing> = HashMap::new();
    let mut windows: HashMap<BudgetId, Window> = HashMap::new();
    for budget in budgets {
        let window = budget.window(now);
        windows.insert(budget.id, window);
        for (key, amount) in store.purses(budget.id, window.start, window.start.plus_micros(1)).await? {
            purses.insert(key.clone(), Standing::settled(key, window, amount));
        }
        if !budget.scope.is_for_each() {
            let key = PurseKey { budget: budget.id, member: Member::everyone(), start: window.start };
            purses.entry(key.clone()).or_insert_with(|| Standing::settled(key, window, Amount::default()));
        }
    }
    let is_running =
        |key: &PurseKey| windows.get(&key.budget).copied().filter(|window| window.start == key.start);
    for hold in open_holds(store).await? {
        let Some(window) = is_running(&hold.purse) else { continue };
        let empty = || Standing::settled(hold.purse.clone(), window, Amount::default());
        let standing = purses.entry(hold.purse.clone()).or_insert_with(empty);
        standing.held = standing.held.plus(hold.likely);
        standing.held_max = standing.held_max.plus(hold.most);
    }
    for adjustment in store.adjustments(None).await? {
        if let Some(standing) = purses.get_mut(&adjustment.purse) {
            standing.adjusted = standing.adjusted.saturating_add(adjustment.amount);
        }
    }
    let mut standing: Vec<Standing> = purses.into_values().collect();
    standing.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(standing)
}
