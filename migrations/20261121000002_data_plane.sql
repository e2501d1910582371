-- The data plane: strategies, rules, limits, how credentials travel, health that survives a restart, failovers,
-- idempotency, feedback.

ALTER TABLE operations ADD COLUMN cache_ttl_s BIGINT;
ALTER TABLE operations ADD COLUMN allowed_providers {json};

ALTER TABLE routes ADD COLUMN rules {json};
ALTER TABLE routes ADD COLUMN balance {json};
ALTER TABLE routes ADD COLUMN deadline_ms BIGINT;

ALTER TABLE providers ADD COLUMN auth {json};
ALTER TABLE providers ADD COLUMN max_concurrent BIGINT;

ALTER TABLE models ADD COLUMN quality BIGINT;

ALTER TABLE price_cards ADD COLUMN origin {text} NOT NULL DEFAULT 'shipped';
ALTER TABLE price_cards ADD COLUMN batch_percent BIGINT;

ALTER TABLE api_keys ADD COLUMN limits {json};

-- An answer from the cache: the request whose answer it was (`req_…`), and what that one cost.
ALTER TABLE requests ADD COLUMN cache {text};
ALTER TABLE requests ADD COLUMN saved_nano_usd BIGINT;

CREATE INDEX requests_cache ON requests (cache, started_at, id) WHERE cache IS NOT NULL;

-- One row per step from a target that failed to the next one, written with the request's settlement.
CREATE TABLE failovers (
    request_id {uuid} NOT NULL REFERENCES requests (id),
    ordinal BIGINT NOT NULL,
    at {ts} NOT NULL,
    operation {text} NOT NULL,
    from_provider {text} NOT NULL,
    from_model {text} NOT NULL,
    to_provider {text} NOT NULL,
    to_model {text} NOT NULL,
    reason {text} NOT NULL,
    hop_us BIGINT NOT NULL,
    PRIMARY KEY (request_id, ordinal)
) {clustered};

CREATE INDEX failovers_at ON failovers (at, request_id, ordinal);
CREATE INDEX failovers_operation ON failovers (operation, at, request_id, ordinal);

-- What is known of a target's health, as JSON of the core's own type; written when it changes, read at the start.
CREATE TABLE target_health (
    node_id {uuid} NOT NULL,
    provider {text} NOT NULL,
    model {text} NOT NULL,
    state {json} NOT NULL,
    updated_at {ts} NOT NULL,
    PRIMARY KEY (node_id, provider, model)
) {clustered};

-- Each step of a target's circuit, with what tripped it.
CREATE TABLE health_events (
    id {uuid} NOT NULL PRIMARY KEY,
    at {ts} NOT NULL,
    provider {text} NOT NULL,
    model {text} NOT NULL,
    from_state {text} NOT NULL,
    to_state {text} NOT NULL,
    cause {text} NOT NULL,
    actor {text},
    reason {text},
    calls {json} NOT NULL
) {clustered};

CREATE INDEX health_events_at ON health_events (at, id);
CREATE INDEX health_events_target ON health_events (provider, model, at, id);

-- Requests their clients may send again. Only hashes of what the client wrote; the answer is kept until it expires.
CREATE TABLE idempotency (
    key_hash {blob} NOT NULL PRIMARY KEY,
    body_hash {blob} NOT NULL,
    node_id {uuid} NOT NULL,
    request_id {uuid} NOT NULL,
    state {text} NOT NULL CHECK (state IN ('running', 'done')),
    content_type {text},
    body {blob},
    expires_at {ts} NOT NULL
) {clustered};

CREATE INDEX idempotency_expires ON idempotency (expires_at);

-- How good an earlier answer was. Units: tenths of a percent, 0 to 1000.
CREATE TABLE feedback (
    request_id {uuid} NOT NULL REFERENCES requests (id),
    at {ts} NOT NULL,
    score BIGINT NOT NULL CHECK (score BETWEEN 0 AND 1000),
    comment {text},
    PRIMARY KEY (request_id, at)
) {clustered};

CREATE INDEX feedback_at ON feedback (at, request_id);

-- only sqlite
CREATE TRIGGER failovers_kept BEFORE UPDATE ON failovers
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER failovers_never_deleted BEFORE DELETE ON failovers
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER health_events_kept BEFORE UPDATE ON health_events
BEGIN SELECT RAISE(ABORT, 'the events of a circuit are append-only'); END;
CREATE TRIGGER feedback_kept BEFORE UPDATE ON feedback
BEGIN SELECT RAISE(ABORT, 'feedback is append-only'); END;
-- only postgres
CREATE TRIGGER failovers_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON failovers
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('the ledger is append-only');
CREATE TRIGGER health_events_kept BEFORE UPDATE ON health_events
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('the events of a circuit are append-only');
CREATE TRIGGER feedback_kept BEFORE UPDATE ON feedback
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('feedback is append-only');
-- both
