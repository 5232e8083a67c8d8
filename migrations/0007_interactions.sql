-- What others said of our articles: replies at any depth, likes, dislikes, boosts. A row is kept after its end, without its words, so that what
-- was taken back cannot come again. `document` is a reply as it is shown, in JSON; `reaction` the sign that a like came with.
CREATE TABLE interactions (
    id BIGINT PRIMARY KEY NOT NULL,
    article_id BIGINT NOT NULL REFERENCES articles (id),
    remote_actor_id BIGINT NOT NULL REFERENCES remote_actors (id),
    kind TEXT NOT NULL,
    activity_id TEXT NOT NULL,
    object_id TEXT UNIQUE,
    parent_id BIGINT REFERENCES interactions (id),
    document TEXT,
    reaction TEXT,
    published_at BIGINT NOT NULL,
    updated_at BIGINT,
    received_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX interactions_shown ON interactions (article_id, kind, published_at) WHERE ended_at IS NULL;
-- One row for each activity that said so: somebody may like, take it back and like again, and the three may come in any order.
CREATE UNIQUE INDEX interactions_sign ON interactions (remote_actor_id, activity_id) WHERE kind <> 'reply';
CREATE INDEX interactions_author ON interactions (remote_actor_id);

-- What an activity must wait for: it is read again when a post with this id comes in.
ALTER TABLE inbound ADD COLUMN waits_for TEXT;
CREATE INDEX inbound_awaiting ON inbound (waits_for) WHERE waits_for IS NOT NULL;
