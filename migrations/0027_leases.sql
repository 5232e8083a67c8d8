-- One shape of a lease in all queues (src/app/worker/store/leases.rs): due at `next_attempt_at`, which is the end of the lease while
-- `lease_owner` works it; `lease_token` is the fence; `begun` counts claims in a row without an end in order.
UPDATE hosts SET next_attempt_at = lease_until WHERE lease_owner IS NOT NULL AND lease_until IS NOT NULL;
ALTER TABLE hosts DROP COLUMN lease_until;
DROP INDEX hosts_due;
CREATE INDEX hosts_due ON hosts (next_attempt_at, id) WHERE next_attempt_at IS NOT NULL;

UPDATE sources SET next_scan_at = lease_until WHERE lease_owner IS NOT NULL AND lease_until IS NOT NULL;
ALTER TABLE sources DROP COLUMN lease_until;
ALTER TABLE sources RENAME COLUMN next_scan_at TO next_attempt_at;

ALTER TABLE inbound RENAME COLUMN attempts TO begun;
ALTER TABLE inbound ADD COLUMN lease_token BIGINT NOT NULL DEFAULT 0;

ALTER TABLE fetch_queue ADD COLUMN lease_token BIGINT NOT NULL DEFAULT 0;

ALTER TABLE actor_refreshes RENAME COLUMN due_at TO next_attempt_at;
ALTER TABLE actor_refreshes ADD COLUMN lease_token BIGINT NOT NULL DEFAULT 0;
ALTER TABLE actor_refreshes ADD COLUMN begun BIGINT NOT NULL DEFAULT 0;
