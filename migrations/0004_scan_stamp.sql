-- `failures` counts the looks in a row that failed, so that the next ones wait longer. `requested_at` is set when
-- somebody asks for a scan and cleared when one begins: what is asked for during a scan is not lost.
-- `stamp` is what the tree of the last complete scan looked like without reading it, `seen` what that scan brought, as JSON.
ALTER TABLE sources ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN requested_at BIGINT;
ALTER TABLE sources ADD COLUMN stamp TEXT;
ALTER TABLE sources ADD COLUMN seen TEXT;
