-- `begun` counts the claims in a row that nobody ended in order: the process died of them, or the work panicked. Any orderly end sets it back.
ALTER TABLE hosts ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE wanted ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;

-- The same for what a loop works without a lease: a row goes with the orderly end of its item. Not worked before `not_before`.
CREATE TABLE begun (
    worker TEXT NOT NULL,
    item TEXT NOT NULL,
    times BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    why TEXT,
    PRIMARY KEY (worker, item)
);

-- How often each loop of each node failed at its work, and what it said last: for people.
CREATE TABLE worker_failures (
    node TEXT NOT NULL,
    worker TEXT NOT NULL,
    times BIGINT NOT NULL,
    panics BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (node, worker)
);

-- What was begun twice in vain is worked alone.
CREATE INDEX inbound_suspect ON inbound (id) WHERE verdict IS NULL AND attempts >= 2;
CREATE INDEX wanted_suspect ON wanted (id) WHERE outcome IS NULL AND begun >= 2;

-- Of each host the document whose turn it is, and what is being read there.
CREATE INDEX wanted_turn ON wanted (host, next_attempt_at, id) WHERE outcome IS NULL;
CREATE INDEX wanted_leased ON wanted (host) WHERE outcome IS NULL AND lease_owner IS NOT NULL;
