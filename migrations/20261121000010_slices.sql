-- Slices: what each of several nodes may use of a purse, and what it has used of that.

-- `cost_nano_usd`, `tokens` and `requests` are what the node was granted since the period began; the new columns are what
-- its settled requests came to, written with their postings. Where one process has the database to itself there are none.
ALTER TABLE budget_slices ADD COLUMN settled_cost_nano_usd BIGINT NOT NULL DEFAULT 0;
ALTER TABLE budget_slices ADD COLUMN settled_tokens BIGINT NOT NULL DEFAULT 0;
ALTER TABLE budget_slices ADD COLUMN settled_requests BIGINT NOT NULL DEFAULT 0;

-- Grows with every change of what is granted: an exchange that was thought lost cannot come true later.
ALTER TABLE budget_slices ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;

-- The nodes that serve now. One whose beat stands still is gone.
CREATE TABLE nodes (
    id {uuid} NOT NULL PRIMARY KEY,
    -- Which process it is: another one of the same identity takes its place.
    life {uuid} NOT NULL,
    beat BIGINT NOT NULL,
    seen_at {ts} NOT NULL
) {clustered};

-- only postgres
INSERT INTO budget_slices (budget_id, start_at, member, node_id, cost_nano_usd, tokens, requests, settled_cost_nano_usd,
    settled_tokens, settled_requests)
SELECT b.budget_id, b.start_at, b.member, r.node_id, 0, 0, 0, CAST(SUM(b.cost_nano_usd) AS BIGINT),
    CAST(SUM(b.tokens) AS BIGINT), CAST(SUM(b.requests) AS BIGINT)
FROM budget_postings b JOIN requests r ON r.id = b.request_id
GROUP BY b.budget_id, b.start_at, b.member, r.node_id;
-- both
