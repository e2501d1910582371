-- Alerts: the inbox, where and when they are told, and what became of each telling.

-- One row per state that a person was told of; the same state again within its window counts up.
CREATE TABLE alerts (
    id {uuid} NOT NULL PRIMARY KEY,
    kind {text} NOT NULL,
    severity {text} NOT NULL,
    subject {text} NOT NULL,
    state_key {text} NOT NULL,
    sentence TEXT NOT NULL,
    first_at {ts} NOT NULL,
    last_at {ts} NOT NULL,
    times BIGINT NOT NULL,
    acknowledged_at {ts},
    acknowledged_by TEXT,
    resolved_at {ts}
);

CREATE INDEX alerts_first ON alerts (first_at, id);
CREATE INDEX alerts_open ON alerts (severity) WHERE acknowledged_at IS NULL AND resolved_at IS NULL;

-- The newest alert of each state, so that two nodes tell it once.
CREATE TABLE alert_states (
    kind {text} NOT NULL,
    state_key {text} NOT NULL,
    alert_id {uuid} NOT NULL,
    since {ts} NOT NULL,
    PRIMARY KEY (kind, state_key)
) {clustered};

-- Secrets of channels are in the vault; `secret` is what may be shown of them.
CREATE TABLE alert_channels (
    id {uuid} NOT NULL PRIMARY KEY,
    name {text} NOT NULL,
    enabled BOOLEAN NOT NULL,
    least {text} NOT NULL,
    is_local BOOLEAN NOT NULL,
    means {json} NOT NULL,
    secret {json},
    version BIGINT NOT NULL
);

-- Rules that differ from the usual one of their kind.
CREATE TABLE alert_rules (
    kind {text} NOT NULL PRIMARY KEY,
    rule {json} NOT NULL
);

-- One row per alert and channel, kept when the channel is gone; without an alert it was a trial of the channel.
CREATE TABLE alert_deliveries (
    id {uuid} NOT NULL PRIMARY KEY,
    alert_id {uuid},
    channel_id {uuid} NOT NULL,
    channel_name TEXT NOT NULL,
    means {text} NOT NULL,
    cause {text} NOT NULL,
    state {text} NOT NULL,
    tries BIGINT NOT NULL,
    created_at {ts} NOT NULL,
    due_at {ts} NOT NULL,
    ended_at {ts},
    error TEXT
);

CREATE INDEX alert_deliveries_created ON alert_deliveries (created_at, id);
CREATE INDEX alert_deliveries_due ON alert_deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX alert_deliveries_alert ON alert_deliveries (alert_id) WHERE alert_id IS NOT NULL;
