-- What moderators decided, the last of each thing: `subject` is the id of a reply or of somebody, `domain NAME`, `keyword WORD` or `list NAME`;
-- `what` tells it in words, `decided_by` who.
CREATE TABLE decisions (
    id BIGINT PRIMARY KEY NOT NULL,
    subject TEXT NOT NULL,
    what TEXT NOT NULL,
    why TEXT,
    decided_by TEXT,
    decided_at BIGINT NOT NULL
);
CREATE INDEX decisions_subject ON decisions (subject, id);

-- What stood in Host where signed requests were made for another name: a proxy that does not pass Host on, most often. A few are kept.
CREATE TABLE foreign_hosts (
    host TEXT PRIMARY KEY NOT NULL,
    times BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);
