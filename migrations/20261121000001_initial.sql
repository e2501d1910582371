-- The first schema: configuration with its history, the ledger, rollups.
--
-- Words in braces and the marked sections are replaced per database by signalbox-store/src/migrations.rs.
-- Money is whole nano-dollars, instants are microseconds since the Unix epoch, durations are microseconds.

-- ------------------------------------------------------------------------------------------------ configuration

CREATE TABLE config_revision (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL
) {clustered};

INSERT INTO config_revision (id, revision) VALUES (1, 0);

CREATE TABLE operations (
    id {text} NOT NULL PRIMARY KEY,
    description {text} NOT NULL,
    capability {text} NOT NULL,
    criticality {text} NOT NULL,
    enabled BOOLEAN NOT NULL,
    batch_eligible BOOLEAN NOT NULL,
    cacheable BOOLEAN NOT NULL,
    changed_at {ts} NOT NULL
) {clustered};

CREATE TABLE routes (
    operation {text} NOT NULL PRIMARY KEY REFERENCES operations (id),
    version BIGINT NOT NULL,
    strategy {text} NOT NULL,
    targets {json} NOT NULL
) {clustered};

CREATE TABLE providers (
    name {text} NOT NULL PRIMARY KEY,
    kind {text} NOT NULL,
    base_url {text} NOT NULL,
    enabled BOOLEAN NOT NULL,
    credential {json} NOT NULL,
    version BIGINT NOT NULL
) {clustered};

CREATE TABLE models (
    provider {text} NOT NULL REFERENCES providers (name) ON DELETE CASCADE,
    name {text} NOT NULL,
    capabilities {json} NOT NULL,
    context_window BIGINT,
    max_output BIGINT,
    PRIMARY KEY (provider, name)
) {clustered};

CREATE TABLE price_cards (
    provider {text} NOT NULL,
    model {text} NOT NULL,
    effective_from {ts} NOT NULL,
    units {json} NOT NULL,
    tiers {json} NOT NULL,
    source_url {text},
    as_of {text},
    PRIMARY KEY (provider, model, effective_from),
    FOREIGN KEY (provider, model) REFERENCES models (provider, name) ON DELETE CASCADE
) {clustered};

-- Only the keyed hash of a key's secret exists.
CREATE TABLE api_keys (
    id {uuid} NOT NULL PRIMARY KEY,
    hash {blob} NOT NULL UNIQUE,
    name {text} NOT NULL,
    last4 {text} NOT NULL,
    operations {json} NOT NULL,
    created_at {ts} NOT NULL,
    revoked_at {ts}
) {clustered};

CREATE TABLE settings (
    name {text} NOT NULL PRIMARY KEY,
    value {text} NOT NULL
) {clustered};

-- The history. `before_json` and `after_json` are text, not JSON: the hash is over their exact bytes.
CREATE TABLE changes (
    seq BIGINT NOT NULL PRIMARY KEY,
    id {uuid} NOT NULL UNIQUE,
    at {ts} NOT NULL,
    actor {text} NOT NULL,
    source {text} NOT NULL,
    kind {text} NOT NULL,
    subject {text} NOT NULL,
    sentence {text} NOT NULL,
    before_json {text},
    after_json {text},
    reason {text},
    prev_hash {blob} NOT NULL,
    hash {blob} NOT NULL
) {clustered};

CREATE INDEX changes_kind ON changes (kind, seq);
CREATE INDEX changes_subject ON changes (subject, seq);
CREATE INDEX changes_actor ON changes (actor, seq);

-- ------------------------------------------------------------------------------------------------ ledger

-- One narrow row per request: inserted open before a provider is called, settled exactly once. What only a request's own
-- page shows is in request_details, so that lists read little.
CREATE TABLE requests (
    id {uuid} NOT NULL PRIMARY KEY,
    node_id {uuid} NOT NULL,
    started_at {ts} NOT NULL,
    operation {text} NOT NULL,
    surface {text} NOT NULL,
    streamed BOOLEAN NOT NULL,
    key_id {uuid},
    user_name {text},
    config_revision BIGINT NOT NULL,
    estimate_nano_usd BIGINT,
    settled_at {ts},
    outcome {text},
    provider {text},
    model {text},
    simulated BOOLEAN,
    attempts BIGINT,
    tokens_in BIGINT,
    tokens_out BIGINT,
    cost_status {text},
    cost_nano_usd BIGINT,
    latency_us BIGINT,
    first_token_us BIGINT,
    finish_reason {text},
    error_code {text},
    CHECK ((settled_at IS NULL) = (outcome IS NULL)),
    CHECK ((settled_at IS NULL) = (cost_status IS NULL)),
    CHECK ((cost_status = 'unpriced') = (cost_nano_usd IS NULL))
) {clustered};

-- Lists are newest first and paged by (started_at, id), so every filter's index ends with them.
CREATE INDEX requests_started ON requests (started_at, id);
CREATE INDEX requests_open ON requests (started_at, id) WHERE settled_at IS NULL;
CREATE INDEX requests_operation ON requests (operation, started_at, id);
CREATE INDEX requests_key ON requests (key_id, started_at, id) WHERE key_id IS NOT NULL;
CREATE INDEX requests_user ON requests (user_name, started_at, id) WHERE user_name IS NOT NULL;
CREATE INDEX requests_provider ON requests (provider, started_at, id) WHERE provider IS NOT NULL;
CREATE INDEX requests_model ON requests (model, started_at, id) WHERE model IS NOT NULL;
CREATE INDEX requests_cost ON requests (cost_nano_usd, started_at, id) WHERE cost_nano_usd IS NOT NULL;
-- The usual outcome and the usual cost status are most rows: an index of them would cost each request a page and find
-- nothing faster than the plain list.
CREATE INDEX requests_outcome ON requests (outcome, started_at, id) WHERE outcome <> 'succeeded';
CREATE INDEX requests_cost_status ON requests (cost_status, started_at, id) WHERE cost_status <> 'exact';

CREATE TABLE request_details (
    request_id {uuid} NOT NULL PRIMARY KEY REFERENCES requests (id),
    requested_model {text} NOT NULL,
    tags {json} NOT NULL,
    decision {json} NOT NULL
) {clustered};

CREATE TABLE request_errors (
    request_id {uuid} NOT NULL PRIMARY KEY REFERENCES requests (id),
    message {text} NOT NULL
) {clustered};

CREATE TABLE attempts (
    request_id {uuid} NOT NULL REFERENCES requests (id),
    ordinal BIGINT NOT NULL,
    provider {text} NOT NULL,
    model {text} NOT NULL,
    outcome {text} NOT NULL,
    failure {text},
    http_status BIGINT,
    message {text},
    started_us BIGINT NOT NULL,
    first_token_us BIGINT,
    finished_us BIGINT NOT NULL,
    usage {json} NOT NULL,
    cost_status {text} NOT NULL,
    cost_nano_usd BIGINT,
    card {json},
    PRIMARY KEY (request_id, ordinal),
    CHECK ((cost_status = 'unpriced') = (cost_nano_usd IS NULL))
) {clustered};

CREATE TABLE cost_lines (
    request_id {uuid} NOT NULL,
    ordinal BIGINT NOT NULL,
    line BIGINT NOT NULL,
    unit {text} NOT NULL,
    quantity BIGINT NOT NULL,
    price_nano_usd BIGINT,
    price_per BIGINT,
    cost_nano_usd BIGINT,
    PRIMARY KEY (request_id, ordinal, line),
    FOREIGN KEY (request_id, ordinal) REFERENCES attempts (request_id, ordinal)
) {clustered};

-- Prompts and answers, only when their logging is on. They may be removed (retention) but not changed.
CREATE TABLE payloads (
    request_id {uuid} NOT NULL REFERENCES requests (id),
    part {text} NOT NULL CHECK (part IN ('request', 'response')),
    body {blob} NOT NULL,
    PRIMARY KEY (request_id, part)
) {clustered};

-- ------------------------------------------------------------------------------------------------ rollups

-- Sums per minute, hour and day, and per `ever` (start 0, no user), from which filter choices are read.
CREATE TABLE rollups (
    step {text} NOT NULL,
    start_at {ts} NOT NULL,
    operation {text} NOT NULL,
    provider {text} NOT NULL,
    model {text} NOT NULL,
    user_name {text} NOT NULL,
    outcome {text} NOT NULL,
    simulated BOOLEAN NOT NULL,
    requests BIGINT NOT NULL,
    cost_nano_usd BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    estimated BIGINT NOT NULL,
    tokens_in BIGINT NOT NULL,
    tokens_out BIGINT NOT NULL,
    PRIMARY KEY (step, start_at, operation, provider, model, user_name, outcome, simulated)
) {clustered};

-- Histograms of succeeded requests' durations.
CREATE TABLE rollup_latencies (
    step {text} NOT NULL,
    start_at {ts} NOT NULL,
    operation {text} NOT NULL,
    provider {text} NOT NULL,
    model {text} NOT NULL,
    simulated BOOLEAN NOT NULL,
    kind {text} NOT NULL,
    bucket BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (step, start_at, operation, provider, model, simulated, kind, bucket)
) {clustered};

-- ------------------------------------------------------------------------------------------------ what never changes

-- only sqlite
CREATE TRIGGER changes_in_order BEFORE INSERT ON changes
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM changes)
BEGIN SELECT RAISE(ABORT, 'the history has no gaps'); END;
CREATE TRIGGER changes_kept BEFORE UPDATE ON changes
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER changes_never_deleted BEFORE DELETE ON changes
BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;

CREATE TRIGGER requests_settled_once BEFORE UPDATE ON requests WHEN OLD.settled_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a settled request never changes'); END;
CREATE TRIGGER requests_start_kept BEFORE UPDATE OF id, node_id, started_at, operation, surface, streamed, key_id,
    user_name, config_revision, estimate_nano_usd ON requests
BEGIN SELECT RAISE(ABORT, 'the start of a request never changes'); END;
CREATE TRIGGER requests_never_deleted BEFORE DELETE ON requests
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER request_details_kept BEFORE UPDATE ON request_details
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER request_details_never_deleted BEFORE DELETE ON request_details
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER request_errors_kept BEFORE UPDATE ON request_errors
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER request_errors_never_deleted BEFORE DELETE ON request_errors
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER attempts_kept BEFORE UPDATE ON attempts
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER attempts_never_deleted BEFORE DELETE ON attempts
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER cost_lines_kept BEFORE UPDATE ON cost_lines
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER cost_lines_never_deleted BEFORE DELETE ON cost_lines
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER payloads_kept BEFORE UPDATE ON payloads
BEGIN SELECT RAISE(ABORT, 'a stored payload never changes'); END;
-- only postgres
-- Sums are changed in place all day long: with room on its page a row's new version needs no new index entry.
ALTER TABLE rollups SET (fillfactor = 50);
ALTER TABLE rollup_latencies SET (fillfactor = 50);

CREATE FUNCTION signalbox_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END
$$;
CREATE FUNCTION signalbox_next_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM changes) THEN
        RAISE EXCEPTION 'the history has no gaps';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER changes_in_order BEFORE INSERT ON changes
    FOR EACH ROW EXECUTE FUNCTION signalbox_next_change();
CREATE TRIGGER changes_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON changes
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('the history is append-only');

CREATE TRIGGER requests_settled_once BEFORE UPDATE ON requests
    FOR EACH ROW WHEN (OLD.settled_at IS NOT NULL)
    EXECUTE FUNCTION signalbox_refuse('a settled request never changes');
CREATE TRIGGER requests_start_kept BEFORE UPDATE OF id, node_id, started_at, operation, surface, streamed, key_id,
    user_name, config_revision, estimate_nano_usd ON requests
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('the start of a request never changes');
CREATE TRIGGER requests_never_deleted BEFORE DELETE OR TRUNCATE ON requests
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('the ledger is append-only');

CREATE TRIGGER request_details_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON request_details
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('the ledger is append-only');
CREATE TRIGGER request_errors_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON request_errors
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('the ledger is append-only');
CREATE TRIGGER attempts_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON attempts
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('the ledger is append-only');
CREATE TRIGGER cost_lines_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON cost_lines
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('the ledger is append-only');
CREATE TRIGGER payloads_kept BEFORE UPDATE OR TRUNCATE ON payloads
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('a stored payload never changes');
-- both
