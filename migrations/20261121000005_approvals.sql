-- Approvals: requests and changes that ask a person, and what became of them.

ALTER TABLE routes ADD COLUMN approval {json};

-- `shown` is the request as the person who decides sees it: it goes as soon as nothing can come of it any more.
-- `fingerprint` tells that the identical request waits already; `moved_at` is when the last step was taken.
CREATE TABLE approvals (
    id {uuid} NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    kind {text} NOT NULL CHECK (kind IN ('request', 'change')),
    state {text} NOT NULL CHECK (
        state IN ('pending', 'approved', 'rejected', 'expired', 'withdrawn', 'consumed', 'applied', 'failed')
    ),
    risk BIGINT NOT NULL CHECK (risk BETWEEN 0 AND 2),
    operation {text},
    fingerprint {blob},
    subject {json} NOT NULL,
    submitter_id {text} NOT NULL,
    submitter {json} NOT NULL,
    shown {text},
    created_at {ts} NOT NULL,
    expires_at {ts} NOT NULL,
    moved_at {ts} NOT NULL,
    decided_at {ts},
    ruling {json},
    ending {json},
    request_id {uuid},
    repeats BIGINT NOT NULL,
    CHECK ((decided_at IS NULL) = (ruling IS NULL)),
    CHECK (state <> 'consumed' OR request_id IS NOT NULL),
    CHECK (state NOT IN ('approved', 'rejected', 'consumed', 'applied', 'failed') OR ruling IS NOT NULL)
) {clustered};

-- The identical request waits once, and a request uses one approval.
CREATE UNIQUE INDEX approvals_waiting_once ON approvals (fingerprint) WHERE state = 'pending' AND fingerprint IS NOT NULL;
CREATE UNIQUE INDEX approvals_request ON approvals (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX approvals_queue ON approvals (risk, created_at, id) WHERE state = 'pending';
CREATE INDEX approvals_open ON approvals (expires_at, id) WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_moved ON approvals (moved_at, id);
CREATE INDEX approvals_decided ON approvals (decided_at) WHERE decided_at IS NOT NULL;
CREATE INDEX approvals_submitter ON approvals (submitter_id) WHERE state = 'pending';
CREATE INDEX approvals_fingerprint ON approvals (fingerprint, created_at) WHERE fingerprint IS NOT NULL;
CREATE INDEX approvals_like ON approvals (operation, submitter_id, decided_at) WHERE operation IS NOT NULL;

-- only sqlite
CREATE TRIGGER approvals_end BEFORE UPDATE ON approvals
WHEN OLD.state IN ('expired', 'withdrawn', 'consumed', 'applied', 'failed')
BEGIN SELECT RAISE(ABORT, 'an approval that has ended never changes'); END;
CREATE TRIGGER approvals_question_kept BEFORE UPDATE OF id, kind, risk, operation, fingerprint, subject, submitter_id,
    submitter, created_at, expires_at ON approvals
BEGIN SELECT RAISE(ABORT, 'what an approval was asked for never changes'); END;
CREATE TRIGGER approvals_never_deleted BEFORE DELETE ON approvals
BEGIN SELECT RAISE(ABORT, 'approvals are kept'); END;
-- only postgres
CREATE TRIGGER approvals_end BEFORE UPDATE ON approvals
    FOR EACH ROW WHEN (OLD.state IN ('expired', 'withdrawn', 'consumed', 'applied', 'failed'))
    EXECUTE FUNCTION signalbox_refuse('an approval that has ended never changes');
CREATE TRIGGER approvals_question_kept BEFORE UPDATE OF id, kind, risk, operation, fingerprint, subject, submitter_id,
    submitter, created_at, expires_at ON approvals
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('what an approval was asked for never changes');
CREATE TRIGGER approvals_never_deleted BEFORE DELETE OR TRUNCATE ON approvals
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('approvals are kept');
-- both
