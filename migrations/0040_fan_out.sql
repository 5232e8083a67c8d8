-- Where a follower is sent what goes to all followers: the shared inbox if they have one, else their own. A fan-out walks over
-- these in order (ADR 15). It is one of the actor's own, so that it needs no reference.
CREATE TABLE followers_new (
    actor_id BIGINT NOT NULL REFERENCES actors (id),
    remote_actor_id BIGINT NOT NULL REFERENCES remote_actors (id),
    inbox_id BIGINT NOT NULL,
    follow_id TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (actor_id, remote_actor_id)
);
INSERT INTO followers_new (actor_id, remote_actor_id, inbox_id, follow_id, since)
    SELECT f.actor_id, f.remote_actor_id, COALESCE(r.shared_inbox_id, r.inbox_id), f.follow_id, f.since
    FROM followers f JOIN remote_actors r ON r.id = f.remote_actor_id ORDER BY f.actor_id, f.remote_actor_id;
DROP TABLE followers;
ALTER TABLE followers_new RENAME TO followers;
CREATE INDEX followers_remote ON followers (remote_actor_id, actor_id);
CREATE INDEX followers_inbox ON followers (actor_id, inbox_id);

-- The deliveries of one activity are neighbours, in the order of their inboxes: a fan-out appends. They are written from inboxes that
-- are there, and go before them.
CREATE TABLE deliveries_new (
    activity_id BIGINT NOT NULL REFERENCES activities (id),
    inbox_id BIGINT NOT NULL,
    host_id BIGINT NOT NULL,
    holds_inbox_id BIGINT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    by_reference BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    attempted_at BIGINT,
    answer BIGINT,
    error TEXT,
    outcome TEXT,
    settled_at BIGINT,
    PRIMARY KEY (activity_id, inbox_id)
);
INSERT INTO deliveries_new (activity_id, inbox_id, host_id, holds_inbox_id, created_at, expires_at, by_reference, attempts, attempted_at,
    answer, error, outcome, settled_at)
    SELECT activity_id, inbox_id, host_id, holds_inbox_id, created_at, expires_at, by_reference, attempts, attempted_at, answer, error,
    outcome, settled_at FROM deliveries ORDER BY activity_id, inbox_id;
DROP TABLE deliveries;
ALTER TABLE deliveries_new RENAME TO deliveries;
CREATE INDEX deliveries_waiting ON deliveries (host_id, inbox_id, activity_id) WHERE settled_at IS NULL;
CREATE INDEX deliveries_inbox ON deliveries (inbox_id) WHERE settled_at IS NULL;
CREATE INDEX deliveries_holding ON deliveries (holds_inbox_id) WHERE settled_at IS NULL AND holds_inbox_id IS NOT NULL;

-- The inboxes of a host are neighbours too; those that are gone are few.
DROP INDEX inboxes_host;
CREATE INDEX inboxes_host ON inboxes (host_id, id);
CREATE INDEX inboxes_gone ON inboxes (id) WHERE shared = 1 AND gone_at IS NOT NULL;

-- Of which part of its audience a fan-out queues just now. One under way begins anew: nothing is queued twice.
ALTER TABLE activities ADD COLUMN fanout_part BIGINT NOT NULL DEFAULT 0;
UPDATE activities SET fanout_cursor = 0 WHERE fanned_out_at IS NULL;
