-- What a profile says beyond name and bio, as JSON: pairs of a plain name and clean HTML.
ALTER TABLE actors ADD COLUMN fields TEXT;
-- A change of the profile raises `revision`; what exceeds `said_revision` is still to be said as an Update of the actor.
ALTER TABLE actors ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE actors ADD COLUMN said_revision BIGINT NOT NULL DEFAULT 0;
CREATE INDEX actors_unsaid ON actors (id) WHERE revision > said_revision;

-- Over what the source says of an author, so that only a change there is a change; NULL in rows older than it.
ALTER TABLE authors ADD COLUMN fingerprint TEXT;
