-- Who had us ask for a document, by registrable domain: nobody's slow servers hold up what others wait for.
ALTER TABLE wanted ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';
CREATE INDEX wanted_asker ON wanted (asked_by) WHERE outcome IS NULL AND lease_owner IS NOT NULL;

-- Addresses that a report names beyond those that are kept.
ALTER TABLE reports ADD COLUMN more BIGINT NOT NULL DEFAULT 0;

-- Long texts that are not understood and wait for nothing are forgotten first.
CREATE INDEX inbound_long ON inbound (settled_at) WHERE verdict = 'deferred' AND waits_for IS NULL AND LENGTH(raw) > 16384;
