-- Toggles and the kill switch.

-- A row with an empty operation is for all operations that have none of their own. The rows of locked toggles are for
-- display: what they are is in the program, which puts them right again when they say something else.
CREATE TABLE toggles (
    name {text} NOT NULL,
    operation {text} NOT NULL,
    enabled BOOLEAN NOT NULL,
    changed_at {ts} NOT NULL,
    changed_by {text} NOT NULL,
    note {text},
    PRIMARY KEY (name, operation)
) {clustered};

INSERT INTO toggles (name, operation, enabled, changed_at, changed_by) VALUES
    ('advisor_can_change_routes', '', FALSE, 0, 'the build'),
    ('advisor_can_approve_costs', '', FALSE, 0, 'the build');

-- What was a setting until now.
INSERT INTO toggles (name, operation, enabled, changed_at, changed_by)
SELECT name, '', value = 'true',
    COALESCE((SELECT MAX(at) FROM changes WHERE kind = 'setting' AND subject = 'log_payloads'), 0),
    COALESCE((SELECT MAX(actor) FROM changes WHERE kind = 'setting' AND subject = 'log_payloads'), 'local')
FROM settings WHERE name = 'log_payloads';
DELETE FROM settings WHERE name = 'log_payloads';

-- Whether all AI traffic is stopped, by whom and why.
CREATE TABLE kill_switch (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    stopped BOOLEAN NOT NULL,
    at {ts} NOT NULL,
    actor {text} NOT NULL,
    source {text} NOT NULL,
    reason {text}
) {clustered};

INSERT INTO kill_switch (id, stopped, at, actor, source) VALUES (1, FALSE, 0, '', '');

-- only sqlite
CREATE TRIGGER toggles_locked_stay_off BEFORE UPDATE ON toggles
WHEN NEW.name IN ('advisor_can_change_routes', 'advisor_can_approve_costs') AND NEW.enabled
BEGIN SELECT RAISE(ABORT, 'this toggle is locked in the build'); END;
CREATE TRIGGER toggles_locked_are_off BEFORE INSERT ON toggles
WHEN NEW.name IN ('advisor_can_change_routes', 'advisor_can_approve_costs') AND NEW.enabled
BEGIN SELECT RAISE(ABORT, 'this toggle is locked in the build'); END;
CREATE TRIGGER toggles_locked_keep_their_name BEFORE UPDATE OF name, operation ON toggles
WHEN OLD.name IN ('advisor_can_change_routes', 'advisor_can_approve_costs')
BEGIN SELECT RAISE(ABORT, 'this toggle is locked in the build'); END;
CREATE TRIGGER toggles_locked_stay BEFORE DELETE ON toggles
WHEN OLD.name IN ('advisor_can_change_routes', 'advisor_can_approve_costs')
BEGIN SELECT RAISE(ABORT, 'this toggle is locked in the build'); END;
CREATE TRIGGER kill_switch_stays BEFORE DELETE ON kill_switch
BEGIN SELECT RAISE(ABORT, 'the kill switch is never removed'); END;
-- only postgres
CREATE TRIGGER toggles_locked_are_off BEFORE INSERT OR UPDATE ON toggles
    FOR EACH ROW WHEN (NEW.name IN ('advisor_can_change_routes', 'advisor_can_approve_costs') AND NEW.enabled)
    EXECUTE FUNCTION signalbox_refuse('this toggle is locked in the build');
CREATE TRIGGER toggles_locked_keep_their_name BEFORE UPDATE OF name, operation ON toggles
    FOR EACH ROW WHEN (OLD.name IN ('advisor_can_change_routes', 'advisor_can_approve_costs'))
    EXECUTE FUNCTION signalbox_refuse('this toggle is locked in the build');
CREATE TRIGGER toggles_locked_stay BEFORE DELETE ON toggles
    FOR EACH ROW WHEN (OLD.name IN ('advisor_can_change_routes', 'advisor_can_approve_costs'))
    EXECUTE FUNCTION signalbox_refuse('this toggle is locked in the build');
CREATE TRIGGER toggles_never_emptied BEFORE TRUNCATE ON toggles
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('these toggles are locked in the build');
CREATE TRIGGER kill_switch_stays BEFORE DELETE OR TRUNCATE ON kill_switch
    FOR EACH STATEMENT EXECUTE FUNCTION signalbox_refuse('the kill switch is never removed');
-- both
