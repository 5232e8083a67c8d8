-- An actor's activities are understood in the order of their last arrival, and found in it.
DROP INDEX IF EXISTS inbound_ended_by;
DROP INDEX IF EXISTS inbound_queue;
CREATE INDEX inbound_queue ON inbound (heard) WHERE verdict IS NULL;
DROP INDEX IF EXISTS inbound_undone;
CREATE INDEX inbound_undone ON inbound (object_id, actor, heard);

-- Who has an inbox, in order.
DROP INDEX IF EXISTS remote_actors_inbox;
CREATE INDEX remote_actors_inbox ON remote_actors (inbox_id, id);
