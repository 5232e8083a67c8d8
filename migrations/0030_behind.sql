-- An activity that came while an earlier one of its actor had no verdict stands behind it, and no claim looks at it before its turn.
ALTER TABLE inbound ADD COLUMN behind BIGINT NOT NULL DEFAULT 0;
DROP INDEX IF EXISTS inbound_queue;
CREATE INDEX inbound_queue ON inbound (heard) WHERE verdict IS NULL AND behind = 0;
DROP INDEX IF EXISTS inbound_waiting;
CREATE INDEX inbound_waiting ON inbound (actor, signer, heard) WHERE verdict IS NULL;
