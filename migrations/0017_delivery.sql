-- Groups no longer say that only moderators may post to them: whoever knows one is told once.
UPDATE actors SET revision = revision + 1 WHERE kind = 'Group' AND deleted_at IS NULL;

-- Actors elsewhere whose inbox answered that it is not there (`answer`: 404 or 410): their document is read again, once a day at most, of one
-- `host` one at a time. `due_at` is NULL once it was read.
CREATE TABLE rereads (
    remote_actor_id BIGINT PRIMARY KEY NOT NULL REFERENCES remote_actors (id),
    inbox_id BIGINT NOT NULL REFERENCES inboxes (id),
    host TEXT NOT NULL,
    answer BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    due_at BIGINT,
    attempts BIGINT NOT NULL DEFAULT 0,
    lease_owner TEXT
);
CREATE INDEX rereads_due ON rereads (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX rereads_host ON rereads (host, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX rereads_inbox ON rereads (inbox_id, asked_at);
CREATE INDEX IF NOT EXISTS remote_actors_inbox ON remote_actors (inbox_id);
CREATE INDEX IF NOT EXISTS remote_actors_shared ON remote_actors (shared_inbox_id) WHERE shared_inbox_id IS NOT NULL;
