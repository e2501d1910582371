//! The texts of the scripts, fixed at compile time, in a few sizes, so that they stay prepared. Places for rows that a
//! batch does not fill are NULL and skipped.

/// Requests a script has places for. A script runs for its whole length before a request can have the processor again,
/// so the largest takes less than a millisecond.
pub(super) const SIZES: [usize; 5] = [1, 2, 4, 8, 16];
pub(super) const SIZE_MAX: usize = 16;

/// Places per request in the script about attempts and sums; most requests have one attempt and three lines.
pub(super) const ATTEMPTS_EACH: usize = 2;
pub(super) const LINES_EACH: usize = 6;
pub(super) const SUMS_EACH: usize = 4;
pub(super) const LATENCIES_EACH: usize = 6;

/// Repeats the text of a row.
macro_rules! times {
    (1, $row:expr) => {
        $row
    };
    (2, $row:expr) => {
        concat!($row, ",", $row)
    };
    (3, $row:expr) => {
        concat!($row, ",", $row, ",", $row)
    };
    (4, $row:expr) => {
        times!(2, times!(2, $row))
    };
    (6, $row:expr) => {
        times!(2, times!(3, $row))
    };
    (8, $row:expr) => {
        times!(2, times!(4, $row))
    };
    (16, $row:expr) => {
        times!(4, times!(4, $row))
    };
}

/// A script in every size.
macro_rules! sizes {
    ($script:ident, $before:literal, $after:literal) => {
        [
            concat!($before, $script!(1), $after),
            concat!($before, $script!(2), $after),
            concat!($before, $script!(4), $after),
            concat!($before, $script!(8), $after),
            concat!($before, $script!(16), $after),
        ]
    };
}

macro_rules! starts {
    ($size:tt) => {
        concat!(
            "INSERT INTO requests (id, node_id, started_at, operation, surface, streamed, key_id, user_name, ",
            "config_revision, estimate_nano_usd) SELECT * FROM (VALUES ",
            times!($size, "(?,?,?,?,?,?,?,?,?,?)"),
            ") WHERE column1 IS NOT NULL ON CONFLICT (id) DO NOTHING; ",
            "INSERT INTO request_details (request_id, requested_model, tags, decision, holding, ",
            "refused_by) SELECT * FROM (VALUES ",
            times!($size, "(?,?,?,?,?,?)"),
            ") WHERE column1 IS NOT NULL ON CONFLICT (request_id) DO NOTHING;"
        )
    };
}

/// Requests that begin and end in one batch; those that are there already, open or settled, are left as they are.
macro_rules! wholes {
    ($size:tt) => {
        concat!(
            "INSERT INTO requests (id, node_id, started_at, operation, surface, streamed, key_id, user_name, ",
            "config_revision, estimate_nano_usd, settled_at, outcome, provider, model, simulated, attempts, tokens_in, ",
            "tokens_out, cost_status, cost_nano_usd, latency_us, first_token_us, finish_reason, error_code, cache, ",
            "saved_nano_usd) SELECT * FROM (VALUES ",
            times!($size, "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
            ") WHERE column1 IS NOT NULL ON CONFLICT (id) DO NOTHING RETURNING id; ",
            "INSERT INTO request_details (request_id, requested_model, tags, decision, holding, ",
            "refused_by) SELECT * FROM (VALUES ",
            times!($size, "(?,?,?,?,?,?)"),
            ") WHERE column1 IS NOT NULL ON CONFLICT (request_id) DO NOTHING;"
        )
    };
}

macro_rules! ends {
    ($size:tt) => {
        concat!(
            "UPDATE requests SET settled_at = v.column2, outcome = v.column3, provider = v.column4, ",
            "model = v.column5, simulated = v.column6, attempts = v.column7, tokens_in = v.column8, ",
            "tokens_out = v.column9, cost_status = v.column10, cost_nano_usd = v.column11, ",
            "latency_us = v.column12, first_token_us = v.column13, finish_reason = v.column14, ",
            "error_code = v.column15, cache = v.column16, saved_nano_usd = v.column17 FROM (VALUES ",
            times!($size, "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"),
            ") AS v WHERE requests.id = v.column1 AND requests.settled_at IS NULL RETURNING requests.id;"
        )
    };
}

macro_rules! details {
    ($size:tt) => {
        concat!(
            "INSERT INTO attempts (request_id, ordinal, provider, model, outcome, failure, http_status, message, ",
            "started_us, first_token_us, finished_us, usage, cost_status, cost_nano_usd, card) ",
            "SELECT * FROM (VALUES ",
            times!($size, times!(2, "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")),
            ") WHERE column1 IS NOT NULL; ",
            "INSERT INTO cost_lines (request_id, ordinal, line, unit, quantity, price_nano_usd, price_per, ",
            "cost_nano_usd) SELECT * FROM (VALUES ",
            times!($size, times!(6, "(?,?,?,?,?,?,?,?)")),
            ") WHERE column1 IS NOT NULL; ",
            "INSERT INTO rollups (step, start_at, operation, provider, model, user_name, outcome, simulated, ",
            "requests, cost_nano_usd, unpriced, estimated, tokens_in, tokens_out) SELECT * FROM (VALUES ",
            times!($size, times!(4, "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)")),
            ") WHERE column1 IS NOT NULL ",
            "ON CONFLICT (step, start_at, operation, provider, model, user_name, outcome, simulated) DO UPDATE SET ",
            "requests = rollups.requests + excluded.requests, ", held_sum!("rollups", "cost_nano_usd"), ", ",
            "unpriced = rollups.unpriced + excluded.unpriced, estimated = rollups.estimated + excluded.estimated, ",
            held_sum!("rollups", "tokens_in"), ", ", held_sum!("rollups", "tokens_out"), "; ",
            "INSERT INTO rollup_latencies (step, start_at, operation, provider, model, simulated, kind, bucket, ",
            "requests) SELECT * FROM (VALUES ",
            times!($size, times!(6, "(?,?,?,?,?,?,?,?,?)")),
            ") WHERE column1 IS NOT NULL ",
            "ON CONFLICT (step, start_at, operation, provider, model, simulated, kind, bucket) DO UPDATE SET ",
            "requests = rollup_latencies.requests + excluded.requests;"
        )
    };
}

pub(super) static STARTS_ALONE: [&str; 5] = sizes!(starts, "BEGIN IMMEDIATE; ", " COMMIT");
pub(super) static STARTS: [&str; 5] = sizes!(starts, "", "");
pub(super) static WHOLES_FIRST: [&str; 5] = sizes!(wholes, "BEGIN IMMEDIATE; ", "");
pub(super) static WHOLES: [&str; 5] = sizes!(wholes, "", "");
pub(super) static ENDS_FIRST: [&str; 5] = sizes!(ends, "BEGIN IMMEDIATE; ", "");
pub(super) static ENDS: [&str; 5] = sizes!(ends, "", "");
pub(super) static DETAILS: [&str; 5] = sizes!(details, "", "");
pub(super) static DETAILS_LAST: [&str; 5] = sizes!(details, "", " COMMIT");
