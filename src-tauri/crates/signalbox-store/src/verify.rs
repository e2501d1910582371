//! Whether the ledger adds up: everything recomputed from its rows and compared.
//!
//! The ledger is read once, in the order of its days, and a day's sums are compared when the day is over, so memory is
//! bounded by one day's buckets however long the ledger is. Everything is read in one transaction: a ledger that is
//! being written meanwhile still adds up.

mod budgets;

use std::collections::HashMap;

use futures::TryStreamExt;
use signalbox_core::ledger::Outcome;
use signalbox_core::meter::CostStatus;
use signalbox_core::rollup::{RollupKey, Step, Sums};
use signalbox_core::time::Timestamp;
use signalbox_core::usage::Usage;
use sqlx::FromRow;
use uuid::Uuid;

use crate::Store;
use crate::dialect::within;
use crate::error::{StoreError, during};
use crate::ledger::{CellKey, Cells, Latencies, LatencyKey};
use crate::pools::Transaction;
use crate::rollup::{EVER, LatencyKind};
use crate::values::{JsonText, counted, number, parsed, present, word};

const OPERATION: &str = "check the ledger";

/// How many differences are told in words.
const TOLD_MAX: usize = 20;

/// What a check of the ledger found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerReport {
    /// Settled requests looked at.
    pub settled: u64,
    /// Requests started and not settled.
    pub open: u64,
    /// Attempts looked at.
    pub attempts: u64,
    /// Rollup rows and latency rows compared.
    pub rollups: u64,
    /// Purses of budgets compared.
    pub purses: u64,
    /// How many differences there are.
    pub differences: u64,
    /// The first of them, in words.
    pub first_differences: Vec<String>,
}

impl LedgerReport {
    /// Whether everything adds up.
    pub const fn is_clean(&self) -> bool {
        self.differences == 0
    }

    fn tell(&mut self, difference: impl FnOnce() -> String) {
        self.differences += 1;
        if self.first_differences.len() < TOLD_MAX {
            self.first_differences.push(difference());
        }
    }
}

impl Store {
    /// Recomputes what can be recomputed and compares: each attempt's cost from its lines, each request's cost and
    /// tokens from its attempts, every sum and histogram from the requests, every purse of a budget from its postings; and
    /// whether the file is intact.
    ///
    /// An estimated attempt may have no lines (the process died before its usage was known), and a provider may charge
    /// another amount than the lines explain; everything else must fit to the nano-dollar.
    pub async fn verify_ledger(&self) -> Result<LedgerReport, StoreError> {
        let mut transaction = self.inner.pools.begin_read(OPERATION).await?;
        let mut check = Check::default();
        check.file(&mut transaction).await?;
        let mut after = (i64::MIN, Uuid::nil());
        loop {
            let requests = requests_after(&mut transaction, after).await?;
            let Some(last) = requests.last() else { break };
            let until = (last.started_at, last.id);
            let mut attempts = attempts_between(&mut transaction, after, until).await?;
            for request in requests {
                let attempts = attempts.remove(&request.id).unwrap_or_default();
                check.request(&mut transaction, &request, &attempts).await?;
            }
            after = until;
        }
        check.sums_until(&mut transaction, i64::MAX).await?;
        check.sums_ever(&mut transaction).await?;
        budgets::check(&mut check.report, &mut transaction).await?;
        transaction.commit(OPERATION).await?;
        Ok(check.report)
    }
}

/// Requests read at a time.
const PAGE: i64 = 2_000;

#[derive(FromRow)]
struct RequestRow {
    id: Uuid,
    started_at: i64,
    operation: String,
    user_name: Option<String>,
    settled_at: Option<i64>,
    outcome: Option<String>,
    provider: Option<String>,
    model: Option<String>,
    simulated: Option<bool>,
    attempts: Option<i64>,
    tokens_in: Option<i64>,
    tokens_out: Option<i64>,
    cost_status: Option<String>,
    cost_nano_usd: Option<i64>,
    latency_us: Option<i64>,
    first_token_us: Option<i64>,
    details: i64,
}

/// An attempt with what its lines add up to, in two parts: past the range a sum would be an error in one database and a
/// float in the other.
#[derive(FromRow)]
struct AttemptRow {
    request_id: Uuid,
    ordinal: i64,
    provider: String,
    model: String,
    first_token_us: Option<i64>,
    usage: JsonText,
    cost_status: String,
    cost_nano_usd: Option<i64>,
    lines: i64,
    priced_lines: i64,
    lines_high: i64,
    lines_low: i64,
}

#[derive(FromRow)]
struct SumsRow {
    step: String,
    start_at: i64,
    operation: String,
    provider: String,
    model: String,
    user_name: String,
    outcome: String,
    simulated: bool,
    requests: i64,
    cost_nano_usd: i64,
    unpriced: i64,
    estimated: i64,
    tokens_in: i64,
    tokens_out: i64,
}

#[derive(FromRow)]
struct LatencyRow {
    step: String,
    start_at: i64,
    operation: String,
    provider: String,
    model: String,
    simulated: bool,
    kind: String,
    bucket: i64,
    requests: i64,
}

async fn requests_after(
    transaction: &mut Transaction,
    after: (i64, Uuid),
) -> Result<Vec<RequestRow>, StoreError> {
    within!(transaction, connection => sqlx::query_as(
        "SELECT id, started_at, operation, user_name, settled_at, outcome, provider, model, simulated, attempts, \
         tokens_in, tokens_out, cost_status, cost_nano_usd, latency_us, first_token_us, \
         (SELECT COUNT(*) FROM request_details WHERE request_id = requests.id) AS details \
         FROM requests WHERE (started_at, id) > ($1, $2) ORDER BY started_at, id LIMIT $3",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(PAGE)
    .fetch_all(connection)
    .await)
    .map_err(during(OPERATION))
}

async fn attempts_between(
    transaction: &mut Transaction,
    after: (i64, Uuid),
    until: (i64, Uuid),
) -> Result<HashMap<Uuid, Vec<AttemptRow>>, StoreError> {
    let rows: Vec<AttemptRow> = within!(transaction, connection => sqlx::query_as(
        "SELECT a.request_id, a.ordinal, a.provider, a.model, a.first_token_us, a.usage, a.cost_status, \
         a.cost_nano_usd, COUNT(l.line) AS lines, COUNT(l.cost_nano_usd) AS priced_lines, \
         CAST(COALESCE(SUM(l.cost_nano_usd / 1000000000), 0) AS BIGINT) AS lines_high, \
         CAST(COALESCE(SUM(l.cost_nano_usd % 1000000000), 0) AS BIGINT) AS lines_low \
         FROM requests r JOIN attempts a ON a.request_id = r.id \
         LEFT JOIN cost_lines l ON l.request_id = a.request_id AND l.ordinal = a.ordinal \
         WHERE (r.started_at, r.id) > ($1, $2) AND (r.started_at, r.id) <= ($3, $4) \
         GROUP BY a.request_id, a.ordinal ORDER BY a.request_id, a.ordinal",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(until.0)
    .bind(until.1)
    .fetch_all(connection)
    .await)
    .map_err(during(OPERATION))?;
    let mut attempts: HashMap<Uuid, Vec<AttemptRow>> = HashMap::new();
    for row in rows {
        attempts.entry(row.request_id).or_default().push(row);
    }
    Ok(attempts)
}

/// A check under way.
#[derive(Default)]
struct Check {
    report: LedgerReport,
    /// The day whose requests are being added up.
    day: Option<i64>,
    /// Sums before this instant have been compared.
    compared_until: Option<i64>,
    /// What the day's requests add up to.
    cells: Cells,
    /// What all requests add up to.
    ever: Cells,
}

impl Check {
    async fn file(&mut self, transaction: &mut Transaction) -> Result<(), StoreError> {
        let Transaction::Sqlite(connection) = transaction else { return Ok(()) };
        let mut faults = sqlx::query_scalar::<_, String>("PRAGMA integrity_check").fetch(&mut **connection);
        while let Some(fault) = faults.try_next().await.map_err(during(OPERATION))? {
            if fault != "ok" {
                self.report.tell(|| format!("the file is damaged: {fault}"));
            }
        }
        Ok(())
    }

    async fn request(
        &mut self,
        transaction: &mut Transaction,
        request: &RequestRow,
        attempts: &[AttemptRow],
    ) -> Result<(), StoreError> {
        let id = request.id.simple();
        if request.details != 1 {
            self.report.tell(|| format!("request {id} has no details"));
        }
        self.report.attempts += counted_rows(attempts.len());
        if request.settled_at.is_none() {
            self.report.open += 1;
            if !attempts.is_empty() {
                self.report.tell(|| format!("request {id} is in flight but has attempts"));
            }
            return Ok(());
        }
        self.report.settled += 1;
        for attempt in attempts {
            self.attempt(attempt)?;
        }
        self.end(request, attempts)?;
        let day = Timestamp::from_micros(request.started_at).floor_to(Step::Day.micros()).as_micros();
        if self.day != Some(day) {
            self.sums_until(transaction, day).await?;
            self.day = Some(day);
        }
        self.add(request)
    }

    /// An attempt's cost against its lines.
    fn attempt(&mut self, attempt: &AttemptRow) -> Result<(), StoreError> {
        let status = word("attempts.cost_status", &attempt.cost_status, CostStatus::from_word)?;
        let lines = i128::from(attempt.lines_high) * 1_000_000_000 + i128::from(attempt.lines_low);
        let fits = match status {
            CostStatus::ProviderCharged | CostStatus::Unpriced => true,
            CostStatus::Estimated if attempt.lines == 0 => true,
            CostStatus::Estimated | CostStatus::Exact => {
                attempt.lines == attempt.priced_lines && attempt.cost_nano_usd.map(i128::from) == Some(lines)
            }
        };
        if !fits {
            self.report.tell(|| {
                format!(
                    "attempt {} of request {} cost {:?} nano-dollars, its lines {lines}",
                    attempt.ordinal,
                    attempt.request_id.simple(),
                    attempt.cost_nano_usd,
                )
            });
        }
        Ok(())
    }

    /// A request's end against its attempts.
    fn end(&mut self, request: &RequestRow, attempts: &[AttemptRow]) -> Result<(), StoreError> {
        let mut usage = Usage::default();
        let mut status = CostStatus::Exact;
        let mut cost = Some(0_i128);
        for attempt in attempts {
            usage = usage.plus(&parsed("attempts.usage", &attempt.usage)?);
            status = status.max(word("attempts.cost_status", &attempt.cost_status, CostStatus::from_word)?);
            cost = cost.zip(attempt.cost_nano_usd).map(|(sum, part)| sum + i128::from(part));
        }
        let cost = cost.and_then(|cost| i64::try_from(cost).ok());
        let status = if cost.is_none() { CostStatus::Unpriced } else { status };
        let last = attempts.last();
        let expected = (
            cost,
            Some(status.as_str()),
            Some(i64::try_from(attempts.len()).unwrap_or(i64::MAX)),
            Some(counted(usage.tokens_in())),
            Some(counted(usage.tokens_out())),
            last.map(|attempt| (attempt.provider.as_str(), attempt.model.as_str())),
            last.and_then(|attempt| attempt.first_token_us),
        );
        let found = (
            request.cost_nano_usd,
            request.cost_status.as_deref(),
            request.attempts,
            request.tokens_in,
            request.tokens_out,
            request.provider.as_deref().zip(request.model.as_deref()),
            request.first_token_us,
        );
        if expected != found {
            self.report.tell(|| {
                format!("request {} says {found:?}, its attempts say {expected:?}", request.id.simple())
            });
        }
        Ok(())
    }

    /// Adds a settled request to the sums it must be part of.
    fn add(&mut self, request: &RequestRow) -> Result<(), StoreError> {
        let outcome = present("requests.outcome", request.outcome.as_deref())?;
        let outcome = word("requests.outcome", outcome, Outcome::from_word)?;
        let status = present("requests.cost_status", request.cost_status.as_deref())?;
        let status = word("requests.cost_status", status, CostStatus::from_word)?;
        let sums = Sums {
            requests: 1,
            cost_nano_usd: request.cost_nano_usd.unwrap_or(0),
            unpriced: i64::from(status == CostStatus::Unpriced),
            estimated: i64::from(status == CostStatus::Estimated),
            tokens_in: present("requests.tokens_in", request.tokens_in)?,
            tokens_out: present("requests.tokens_out", request.tokens_out)?,
        };
        let simulated = present("requests.simulated", request.simulated)?;
        let keys = Step::ALL.map(|step| RollupKey {
            step,
            start: Timestamp::from_micros(request.started_at).floor_to(step.micros()),
            operation: request.operation.clone(),
            provider: request.provider.clone().unwrap_or_default(),
            model: request.model.clone().unwrap_or_default(),
            user: request.user_name.clone().unwrap_or_default(),
            outcome: outcome.as_str(),
            simulated,
        });
        let latencies = match outcome {
            Outcome::Succeeded => Some(Latencies {
                total_us: present("requests.latency_us", request.latency_us)?,
                first_token_us: request.first_token_us,
            }),
            Outcome::Failed | Outcome::Cancelled | Outcome::Interrupted => None,
        };
        self.cells.add_contribution(keys, &sums, latencies);
        Ok(())
    }

    /// Compares every stored sum that starts before `until` and was not compared yet with what the requests since then
    /// add up to.
    async fn sums_until(&mut self, transaction: &mut Transaction, until: i64) -> Result<(), StoreError> {
        let from = self.compared_until.replace(until).unwrap_or(i64::MIN);
        let mut computed = std::mem::take(&mut self.cells);
        let ever;
        (ever, computed.sums) = computed.sums.into_iter().partition(|(key, _)| key.step == EVER);
        for (key, sums) in ever {
            self.ever.sums.entry(key).or_default().add(&sums);
        }
        for step in Step::ALL {
            self.sums(transaction, step.as_str(), from, until, &mut computed).await?;
            self.latencies(transaction, step.as_str(), from, until, &mut computed).await?;
        }
        self.left_over(computed);
        Ok(())
    }

    async fn sums_ever(&mut self, transaction: &mut Transaction) -> Result<(), StoreError> {
        let mut computed = std::mem::take(&mut self.ever);
        self.sums(transaction, EVER, i64::MIN, i64::MAX, &mut computed).await?;
        self.left_over(computed);
        Ok(())
    }

    /// Compares stored sums of one step, taking what they explain out of `computed`.
    async fn sums(
        &mut self,
        transaction: &mut Transaction,
        step: &str,
        from: i64,
        until: i64,
        computed: &mut Cells,
    ) -> Result<(), StoreError> {
        let rows: Vec<SumsRow> = within!(transaction, connection => sqlx::query_as(
            "SELECT * FROM rollups WHERE step = $1 AND start_at >= $2 AND start_at < $3",
        )
        .bind(step)
        .bind(from)
        .bind(until)
        .fetch_all(connection)
        .await)
        .map_err(during(OPERATION))?;
        for row in rows {
            self.report.rollups += 1;
            let stored = Sums {
                requests: row.requests,
                cost_nano_usd: row.cost_nano_usd,
                unpriced: row.unpriced,
                estimated: row.estimated,
                tokens_in: row.tokens_in,
                tokens_out: row.tokens_out,
            };
            let key = CellKey {
                step: stored_step(&row.step)?,
                start: row.start_at,
                operation: row.operation,
                provider: row.provider,
                model: row.model,
                user: row.user_name,
                outcome: word("rollups.outcome", &row.outcome, Outcome::from_word)?.as_str(),
                simulated: row.simulated,
            };
            let expected = computed.sums.remove(&key);
            if expected != Some(stored) {
                self.report.tell(|| format!("{key:?} is {stored:?}, the ledger says {expected:?}"));
            }
        }
        Ok(())
    }

    async fn latencies(
        &mut self,
        transaction: &mut Transaction,
        step: &str,
        from: i64,
        until: i64,
        computed: &mut Cells,
    ) -> Result<(), StoreError> {
        let rows: Vec<LatencyRow> = within!(transaction, connection => sqlx::query_as(
            "SELECT * FROM rollup_latencies WHERE step = $1 AND start_at >= $2 AND start_at < $3",
        )
        .bind(step)
        .bind(from)
        .bind(until)
        .fetch_all(connection)
        .await)
        .map_err(during(OPERATION))?;
        for row in rows {
            self.report.rollups += 1;
            let key = LatencyKey {
                step: stored_step(&row.step)?,
                start: row.start_at,
                operation: row.operation,
                provider: row.provider,
                model: row.model,
                simulated: row.simulated,
                kind: word("rollup_latencies.kind", &row.kind, LatencyKind::from_word)?,
                bucket: number("rollup_latencies.bucket", row.bucket)?,
            };
            let expected = computed.latencies.remove(&key);
            if expected != Some(row.requests) {
                self.report.tell(|| format!("{key:?} is {}, the ledger says {expected:?}", row.requests));
            }
        }
        Ok(())
    }

    /// Sums the ledger has and no row stores.
    fn left_over(&mut self, computed: Cells) {
        for (key, sums) in computed.sums {
            self.report.tell(|| format!("{key:?} is missing, the ledger says {sums:?}"));
        }
        for (key, count) in computed.latencies {
            self.report.tell(|| format!("{key:?} is missing, the ledger says {count}"));
        }
    }
}

fn stored_step(stored: &str) -> Result<&'static str, StoreError> {
    word("rollups.step", stored, |word| {
        Step::ALL.iter().map(|step| step.as_str()).chain([EVER]).find(|step| *step == word)
    })
}

fn counted_rows(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
