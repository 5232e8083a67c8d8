-- An actor's activities are understood in the order of their last arrival, and found in it.
DROP INDEX IF EXISTS inbound_ended_by;
DROP INDEX IF EXISTS inbound_queue;
CREATE INDEX inbound_queue ON inbound (heard) WHERE verdict IS NULL;
-- What has no verdict is the queue's: no other index offers itself for it.
DROP INDEX IF EXISTS inbound_verdict;
CREATE INDEX inbound_verdict ON inbound (verdict, id) WHERE verdict IS NOT NULL;
DROP INDEX IF EXISTS inbound_undone;
CREATE INDEX inbound_undone ON inbound (object_id, actor, heard);

DROP INDEX IF EXISTS interactions_ended_by;

-- Who has an inbox, in order.
DROP INDEX IF EXISTS remote_actors_inbox;
CREATE INDEX remote_actors_inbox ON remote_actors (inbox_id, id);
