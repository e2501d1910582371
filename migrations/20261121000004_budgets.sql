-- Budgets: what may be used, what was charged to them and why.

CREATE TABLE budgets (
    id {uuid} NOT NULL PRIMARY KEY,
    name {text} NOT NULL,
    scope {json} NOT NULL,
    period {text} NOT NULL,
    zone {text} NOT NULL,
    limits {json} NOT NULL,
    thresholds {json} NOT NULL,
    action {text} NOT NULL,
    overrun_percent BIGINT NOT NULL,
    enabled BOOLEAN NOT NULL,
    version BIGINT NOT NULL
) {clustered};

-- A purse: a budget in one period, for one of its members ('' where all share one). Made with the first request that holds
-- something in it; what it was charged is the sum of its postings. Purses of a removed budget stay.
CREATE TABLE budget_periods (
    budget_id {uuid} NOT NULL,
    start_at {ts} NOT NULL,
    member {text} NOT NULL,
    cost_nano_usd BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (budget_id, start_at, member)
) {clustered};

-- What a settled request was charged in each purse, written with its settlement.
CREATE TABLE budget_postings (
    request_id {uuid} NOT NULL REFERENCES requests (id),
    budget_id {uuid} NOT NULL,
    start_at {ts} NOT NULL,
    member {text} NOT NULL,
    cost_nano_usd BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (request_id, budget_id, start_at, member)
) {clustered};

-- What an admin added to a purse, or took off; each with its entry in the change history.
CREATE TABLE budget_adjustments (
    change_id {uuid} NOT NULL PRIMARY KEY,
    at {ts} NOT NULL,
    budget_id {uuid} NOT NULL,
    start_at {ts} NOT NULL,
    member {text} NOT NULL,
    cost_nano_usd BIGINT NOT NULL,
    actor {text} NOT NULL,
    reason {text} NOT NULL
) {clustered};

CREATE INDEX budget_adjustments_purse ON budget_adjustments (budget_id, start_at, member);

-- The part of a purse that one node of several may use without asking the others.
CREATE TABLE budget_slices (
    budget_id {uuid} NOT NULL,
    start_at {ts} NOT NULL,
    member {text} NOT NULL,
    node_id {uuid} NOT NULL,
    cost_nano_usd BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (budget_id, start_at, member, node_id)
) {clustered};

-- The latest call of an open request, if that is not the one it was started with; gone when the request is settled.
CREATE TABLE open_calls (
    request_id {uuid} NOT NULL PRIMARY KEY REFERENCES requests (id),
    call {json} NOT NULL
) {clustered};

-- What a request's first call held in budgets, and the budget that refused it.
ALTER TABLE request_details ADD COLUMN holding {json};
ALTER TABLE request_details ADD COLUMN refused_by {json};

-- only sqlite
CREATE TRIGGER budget_postings_kept BEFORE UPDATE ON budget_postings
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER budget_postings_never_deleted BEFORE DELETE ON budget_postings
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER budget_adjustments_kept BEFORE UPDATE ON budget_adjustments
BEGIN SELECT RAISE(ABORT, 'an adjustment is answered by another one'); END;
CREATE TRIGGER budget_adjustments_never_deleted BEFORE DELETE ON budget_adjustments
BEGIN SELECT RAISE(ABORT, 'an adjustment is answered by another one'); END;
-- only postgres
CREATE TRIGGER budget_postings_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON budget_postings
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('the ledger is append-only');
CREATE TRIGGER budget_adjustments_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON budget_adjustments
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('an adjustment is answered by another one');
-- both
