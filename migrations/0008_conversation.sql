-- A conversation has two sides: what our authors answer stands in one table with what others say. Either `remote_actor_id` or `actor_id` is set.
-- `kind`: reply, quote, like, dislike, boost, and notice (a private word to an author, kept only if the operator wants it, never shown).
-- `uuid` names a note of ours, or our permission of a quote. `source` is our author's Markdown; what exceeds `published_revision` is still to be said.
-- `ended_by` is the Undo that ended an opinion by its shape, naming an activity that we did not know (yet).
-- Shown is what has none of `ended_at` (taken back by who said it), `held_at` (waits for a moderator), `hidden_at` (a moderator's word) and `block_id`.
CREATE TABLE interactions_new (
    id BIGINT PRIMARY KEY NOT NULL,
    article_id BIGINT NOT NULL REFERENCES articles (id),
    remote_actor_id BIGINT REFERENCES remote_actors (id),
    actor_id BIGINT REFERENCES actors (id),
    kind TEXT NOT NULL,
    activity_id TEXT NOT NULL,
    object_id TEXT UNIQUE,
    uuid TEXT UNIQUE,
    parent_id BIGINT REFERENCES interactions_new (id),
    document TEXT,
    source TEXT,
    reaction TEXT,
    published_at BIGINT NOT NULL,
    updated_at BIGINT,
    received_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_by BIGINT,
    held_at BIGINT,
    hidden_at BIGINT,
    hidden_why TEXT,
    block_id BIGINT,
    revision BIGINT NOT NULL DEFAULT 0,
    published_revision BIGINT NOT NULL DEFAULT 0
);
INSERT INTO interactions_new (id, article_id, remote_actor_id, kind, activity_id, object_id, parent_id, document, reaction, published_at,
    updated_at, received_at, ended_at)
    SELECT id, article_id, remote_actor_id, kind, activity_id, object_id, parent_id, document, reaction, published_at, updated_at,
    received_at, ended_at FROM interactions ORDER BY id;
DROP TABLE interactions;
ALTER TABLE interactions_new RENAME TO interactions;
CREATE INDEX interactions_shown ON interactions (article_id, kind, published_at)
    WHERE ended_at IS NULL AND held_at IS NULL AND hidden_at IS NULL AND block_id IS NULL;
-- One row for each activity that said so: somebody may like, take it back and like again, and the three may come in any order.
CREATE UNIQUE INDEX interactions_sign ON interactions (remote_actor_id, activity_id) WHERE object_id IS NULL;
CREATE INDEX interactions_author ON interactions (remote_actor_id);
CREATE INDEX interactions_activity ON interactions (activity_id);
CREATE INDEX interactions_parent ON interactions (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX interactions_held ON interactions (held_at) WHERE held_at IS NOT NULL;
CREATE INDEX interactions_blocked ON interactions (block_id) WHERE block_id IS NOT NULL;
CREATE INDEX interactions_ended_by ON interactions (ended_by) WHERE ended_by IS NOT NULL;
CREATE INDEX interactions_unsaid ON interactions (id) WHERE revision > published_revision;

-- Every wording of a reply that was seen, by when it was written: the newest is shown, the others are its history.
CREATE TABLE wordings (
    interaction_id BIGINT NOT NULL REFERENCES interactions (id),
    as_of BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (interaction_id, as_of)
);
INSERT INTO wordings (interaction_id, as_of, document)
    SELECT id, COALESCE(updated_at, published_at), document FROM interactions WHERE kind = 'reply' AND document IS NOT NULL;

-- An activity of ours may be about a note of ours, and because of an activity of somebody else's.
ALTER TABLE activities ADD COLUMN interaction_id BIGINT REFERENCES interactions (id);
ALTER TABLE activities ADD COLUMN inbound_id BIGINT REFERENCES inbound (id);
CREATE INDEX activities_interaction ON activities (interaction_id) WHERE interaction_id IS NOT NULL;
CREATE INDEX activities_inbound ON activities (inbound_id) WHERE inbound_id IS NOT NULL;

-- How an activity was proved, and what was thought on the way to its verdict (a JSON list of sentences). `path` is `fetched` for a document that
-- we read ourselves at its origin. `article_id` is the conversation it took part in.
ALTER TABLE inbound ADD COLUMN key_id TEXT;
ALTER TABLE inbound ADD COLUMN scheme TEXT;
ALTER TABLE inbound ADD COLUMN steps TEXT;
-- What ended a Follow that was let in otherwise than by an Undo of its id: the Undo that named an id unknown (yet), or 0 for our own word.
ALTER TABLE inbound ADD COLUMN ended_by BIGINT;
CREATE INDEX inbound_object ON inbound (object_id) WHERE object_id IS NOT NULL;

-- Documents elsewhere that we mean to read: the parent of a reply, a post that was forwarded or only named, a page of a conversation.
-- `purpose`: post, end (whether it is gone), actor, collection. `depth` counts the steps from what came by itself. `outcome` is set when it is settled.
CREATE TABLE wanted (
    id BIGINT PRIMARY KEY NOT NULL,
    url TEXT NOT NULL,
    purpose TEXT NOT NULL,
    host TEXT NOT NULL,
    article_id BIGINT REFERENCES articles (id),
    inbound_id BIGINT REFERENCES inbound (id),
    depth BIGINT NOT NULL DEFAULT 0,
    asked_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT NOT NULL,
    lease_owner TEXT,
    outcome TEXT,
    reason TEXT,
    settled_at BIGINT,
    UNIQUE (url, purpose)
);
CREATE INDEX wanted_due ON wanted (next_attempt_at) WHERE outcome IS NULL;
CREATE INDEX wanted_host ON wanted (host, settled_at);
CREATE INDEX wanted_article ON wanted (article_id) WHERE article_id IS NOT NULL;

-- As others show an actor elsewhere, and where it moved. `webfinger` is the name that it claims (FEP-2c59).
ALTER TABLE remote_actors ADD COLUMN avatar_url TEXT;
ALTER TABLE remote_actors ADD COLUMN emoji TEXT;
ALTER TABLE remote_actors ADD COLUMN webfinger TEXT;
ALTER TABLE remote_actors ADD COLUMN also_known_as TEXT;
ALTER TABLE remote_actors ADD COLUMN moved_to TEXT;
ALTER TABLE remote_actors ADD COLUMN moved_at BIGINT;

-- Who elsewhere blocks which of our actors: they follow no more, and their Follow counts for nothing until they take it back (interop E16).
CREATE TABLE blocked_by (
    actor_id BIGINT NOT NULL REFERENCES actors (id),
    remote_actor_id BIGINT NOT NULL REFERENCES remote_actors (id),
    activity_id TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (actor_id, remote_actor_id)
);

-- What others report to us (interop E15): never public. `objects` is a JSON list of addresses.
CREATE TABLE reports (
    id BIGINT PRIMARY KEY NOT NULL,
    inbound_id BIGINT NOT NULL UNIQUE REFERENCES inbound (id),
    reporter TEXT NOT NULL,
    objects TEXT NOT NULL,
    comment TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    resolved_at BIGINT,
    resolution TEXT
);
CREATE INDEX reports_open ON reports (received_at) WHERE resolved_at IS NULL;

-- Which program last read what was deferred: a newer one, which understands more, reads it again.
INSERT INTO counters (name, value) VALUES ('reader', 1) ON CONFLICT (name) DO NOTHING;
