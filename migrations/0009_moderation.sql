-- Who is kept out, and how much. `kind`: actor (by id), domain (with all below it), keyword. `severity`: block, or silence: what they write waits
-- for a moderator. `actor_id` is the one of ours whom alone it keeps from; NULL for everyone. `list_id` is the list that brought it; NULL for a
-- moderator's own. Several rows may name the same: any of them counts, and each goes only with what brought it.
CREATE TABLE block_lists (
    id BIGINT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    file TEXT NOT NULL,
    imported_at BIGINT NOT NULL
);
CREATE TABLE blocks (
    id BIGINT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    severity TEXT NOT NULL,
    actor_id BIGINT REFERENCES actors (id),
    list_id BIGINT REFERENCES block_lists (id),
    reason TEXT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX blocks_one ON blocks (kind, value, COALESCE(actor_id, 0), COALESCE(list_id, 0));
CREATE INDEX blocks_list ON blocks (list_id) WHERE list_id IS NOT NULL;

-- `blocks` counts the changes of them, `blocks_enforced` those that what was there before has been brought in line with.
INSERT INTO counters (name, value) VALUES ('blocks', 0), ('blocks_enforced', 0);

-- Nothing is delivered to a blocked server but the end of things: Delete and Reject.
ALTER TABLE hosts ADD COLUMN blocked_at BIGINT;

-- When its state was last decided, by a rule or by a moderator.
ALTER TABLE interactions ADD COLUMN decided_at BIGINT;
