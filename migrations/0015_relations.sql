-- What somebody elsewhere is to something of ours: one row for each relation, whatever many activities told of it. `object` is the uuid of our
-- actor, article or note; `kind` follow, block, like, dislike, boost; `sign` that of a like, '*' what ended them all. `stands` is what the last
-- activity made of it, `made_at` its `published`, `heard` the number of its arrival; `begun_by` the activity that last began it, with the number
-- of its first arrival.
CREATE TABLE relations (
    remote_actor_id BIGINT NOT NULL REFERENCES remote_actors (id),
    object TEXT NOT NULL,
    kind TEXT NOT NULL,
    sign TEXT NOT NULL,
    stands BIGINT NOT NULL,
    begun_by TEXT,
    begun_first BIGINT NOT NULL,
    made_at BIGINT,
    heard BIGINT NOT NULL,
    PRIMARY KEY (remote_actor_id, object, kind, sign)
);

-- An id that is sent again is read again: `heard` is the number of its last arrival, in which order an actor's activities are understood;
-- `made_at` its `published`, `sign` that of a like, `history` the verdicts it had before, a line each.
ALTER TABLE inbound ADD COLUMN heard BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbound ADD COLUMN made_at BIGINT;
ALTER TABLE inbound ADD COLUMN sign TEXT;
ALTER TABLE inbound ADD COLUMN history TEXT;
UPDATE inbound SET heard = id;
DROP INDEX IF EXISTS inbound_waiting;
CREATE INDEX inbound_waiting ON inbound (actor, heard) WHERE verdict IS NULL;

-- One row for each like, dislike and boost, not for each activity that said so: of several, one that stands is kept, else the last.
CREATE INDEX opinions_once ON interactions (remote_actor_id, article_id) WHERE object_id IS NULL;
DELETE FROM interactions WHERE object_id IS NULL AND remote_actor_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM interactions o WHERE o.object_id IS NULL AND o.remote_actor_id = interactions.remote_actor_id
    AND o.article_id = interactions.article_id AND COALESCE(o.parent_id, 0) = COALESCE(interactions.parent_id, 0)
    AND o.kind = interactions.kind AND COALESCE(o.reaction, '') = COALESCE(interactions.reaction, '')
    AND ((o.ended_at IS NULL AND interactions.ended_at IS NOT NULL)
        OR ((o.ended_at IS NULL) = (interactions.ended_at IS NULL) AND o.id > interactions.id)));
DROP INDEX opinions_once;
DROP INDEX IF EXISTS interactions_sign;
CREATE UNIQUE INDEX interactions_sign ON interactions (remote_actor_id, article_id, kind, COALESCE(parent_id, 0), COALESCE(reaction, ''))
    WHERE object_id IS NULL;

INSERT INTO relations (remote_actor_id, object, kind, sign, stands, begun_by, begun_first, heard)
    SELECT f.remote_actor_id, a.uuid, 'follow', '', 1, f.follow_id, COALESCE(i.id, 0), COALESCE(i.id, 0)
    FROM followers f JOIN actors a ON a.id = f.actor_id JOIN remote_actors r ON r.id = f.remote_actor_id
    LEFT JOIN inbound i ON i.activity_id = f.follow_id AND i.signer = r.url;
INSERT INTO relations (remote_actor_id, object, kind, sign, stands, begun_by, begun_first, heard)
    SELECT b.remote_actor_id, a.uuid, 'block', '', 1, b.activity_id, COALESCE(i.id, 0), COALESCE(i.id, 0)
    FROM blocked_by b JOIN actors a ON a.id = b.actor_id JOIN remote_actors r ON r.id = b.remote_actor_id
    LEFT JOIN inbound i ON i.activity_id = b.activity_id AND i.signer = r.url;
INSERT INTO relations (remote_actor_id, object, kind, sign, stands, begun_by, begun_first, heard)
    SELECT n.remote_actor_id, COALESCE(p.uuid, t.uuid), n.kind, COALESCE(n.reaction, ''), 1, n.activity_id, COALESCE(i.id, n.id), COALESCE(i.id, n.id)
    FROM interactions n JOIN articles t ON t.id = n.article_id LEFT JOIN interactions p ON p.id = n.parent_id
    JOIN remote_actors r ON r.id = n.remote_actor_id LEFT JOIN inbound i ON i.activity_id = n.activity_id AND i.signer = r.url
    WHERE n.object_id IS NULL AND n.ended_at IS NULL;
