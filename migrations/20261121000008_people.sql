-- Who may look at or change the installation. The person at the machine is its first admin.

CREATE TABLE people (
    name {text} NOT NULL PRIMARY KEY,
    role {text} NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at {ts} NOT NULL,
    version BIGINT NOT NULL
) {clustered};

-- only sqlite
INSERT INTO people VALUES ('local', 'admin', TRUE, CAST(unixepoch('subsec') * 1000000 AS INTEGER), 1);
-- only postgres
INSERT INTO people VALUES ('local', 'admin', TRUE, CAST(EXTRACT(EPOCH FROM now()) * 1000000 AS BIGINT), 1);
-- both
CREATE INDEX changes_at ON changes (at);
