-- Every statement finds its rows by an index, however much there is of others: tests/statements explains all of them.

-- A conversation: all of it, what somebody said in it, and what is shown of it, in order.
CREATE INDEX interactions_article ON interactions (article_id, id);
DROP INDEX interactions_author;
CREATE INDEX interactions_author ON interactions (remote_actor_id, kind, article_id);
CREATE INDEX interactions_ours ON interactions (actor_id, id) WHERE actor_id IS NOT NULL;
DROP INDEX interactions_parent;
CREATE INDEX interactions_parent ON interactions (parent_id, kind, published_at) WHERE parent_id IS NOT NULL;

-- The queues of a moderator, by state, the latest first.
DROP INDEX interactions_activity;
DROP INDEX interactions_held;
DROP INDEX interactions_blocked;
CREATE INDEX interactions_held ON interactions (id) WHERE object_id IS NOT NULL AND ended_at IS NULL AND held_at IS NOT NULL;
CREATE INDEX interactions_hidden ON interactions (id) WHERE object_id IS NOT NULL AND ended_at IS NULL AND hidden_at IS NOT NULL;
CREATE INDEX interactions_blocked ON interactions (id) WHERE object_id IS NOT NULL AND ended_at IS NULL AND block_id IS NOT NULL;
CREATE INDEX interactions_ended ON interactions (id) WHERE object_id IS NOT NULL AND ended_at IS NOT NULL;

-- Counts the changes of each article's conversation, so that whoever shows it need not read it to see that it is another.
CREATE TABLE talks (
    article_id BIGINT PRIMARY KEY NOT NULL REFERENCES articles (id),
    changes BIGINT NOT NULL
);
INSERT INTO talks (article_id, changes) SELECT article_id, COUNT(*) FROM interactions GROUP BY article_id;

-- Somebody elsewhere, by their inboxes and their handles.
CREATE INDEX remote_actors_username ON remote_actors (LOWER(username));
CREATE INDEX remote_actors_webfinger ON remote_actors (LOWER(webfinger));
DROP INDEX followers_remote;
CREATE INDEX followers_remote ON followers (remote_actor_id, actor_id);
CREATE INDEX blocked_by_remote ON blocked_by (remote_actor_id, activity_id);

-- What was sent: to an inbox, of an activity, and which servers fail.
CREATE INDEX inboxes_host ON inboxes (host_id);
CREATE INDEX reach_inbox ON reach (inbox_id);
DROP INDEX deliveries_activity;
CREATE INDEX deliveries_activity ON deliveries (activity_id, inbox_id);
CREATE INDEX hosts_failing ON hosts (id) WHERE failing_since IS NOT NULL OR gone_at IS NOT NULL;

-- What came: by verdict and by what it is about, the latest first, and what an Undo ended.
DROP INDEX inbound_verdict;
CREATE INDEX inbound_verdict ON inbound (verdict, id);
DROP INDEX inbound_object;
CREATE INDEX inbound_object ON inbound (object_id, id) WHERE object_id IS NOT NULL;
DROP INDEX inbound_undone;
CREATE INDEX inbound_undone ON inbound (object_id, actor, id);
CREATE INDEX inbound_ended_by ON inbound (ended_by) WHERE ended_by > 0;
DROP INDEX inbound_texts;
CREATE INDEX inbound_texts ON inbound (verdict, settled_at) WHERE raw <> '' AND settled_at IS NOT NULL;
CREATE INDEX inbound_queue ON inbound (id) WHERE verdict IS NULL;
CREATE INDEX wanted_queue ON wanted (id) WHERE outcome IS NULL;
CREATE INDEX wanted_waiting ON wanted (host, id) WHERE outcome IS NULL;
CREATE INDEX wanted_settled ON wanted (settled_at) WHERE outcome IS NOT NULL;
CREATE INDEX wanted_inbound ON wanted (inbound_id) WHERE inbound_id IS NOT NULL;
DROP INDEX reports_open;
CREATE INDEX reports_open ON reports (id) WHERE resolved_at IS NULL;

-- What we say of our articles.
DROP INDEX activities_article;
CREATE INDEX activities_article ON activities (article_id, id);
DROP INDEX activities_interaction;
CREATE INDEX activities_interaction ON activities (interaction_id, id) WHERE interaction_id IS NOT NULL;
DROP INDEX activities_inbound;
CREATE INDEX activities_inbound ON activities (inbound_id, id) WHERE inbound_id IS NOT NULL;

-- A site's own: pages and articles.
DROP INDEX articles_unsaid;
CREATE INDEX articles_unsaid ON articles (published_at, id) WHERE revision > published_revision;
DROP INDEX articles_url;
CREATE INDEX articles_url ON articles (url, created_at);
CREATE INDEX articles_standing ON articles (published_at, owner_actor_id) WHERE deleted_at IS NULL;
CREATE INDEX articles_community ON articles (community_id, owner_actor_id, published_at) WHERE deleted_at IS NULL;
CREATE INDEX posts_key ON posts (key);
CREATE INDEX posts_article ON posts (article_id) WHERE article_id IS NOT NULL;
