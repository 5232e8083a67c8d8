-- Tables, columns and values get the names that the field has for them (docs/glossary.md). No row is lost.
ALTER TABLE host_manners RENAME TO peer_capabilities;
ALTER TABLE peer_capabilities RENAME COLUMN took TO accepted_scheme;
ALTER TABLE peer_capabilities RENAME COLUMN took_at TO accepted_at;

ALTER TABLE reach RENAME TO article_delivered;
DROP INDEX reach_inbox;
CREATE INDEX article_delivered_inbox ON article_delivered (inbox_id);

ALTER TABLE fetched RENAME TO article_fetched;
DROP INDEX fetched_host;
DROP INDEX fetched_inbox;
CREATE INDEX article_fetched_host ON article_fetched (article_id, host_id);
CREATE INDEX article_fetched_inbox ON article_fetched (inbox_id);

ALTER TABLE wordings RENAME TO post_versions;
ALTER TABLE talks RENAME TO conversations;
ALTER TABLE refusals RENAME TO rejections;
ALTER TABLE begun RENAME TO unfinished_work;

ALTER TABLE wanted RENAME TO fetch_queue;
DROP INDEX wanted_article;
DROP INDEX wanted_asker;
DROP INDEX wanted_due;
DROP INDEX wanted_host;
DROP INDEX wanted_inbound;
DROP INDEX wanted_leased;
DROP INDEX wanted_queue;
DROP INDEX wanted_settled;
DROP INDEX wanted_suspect;
DROP INDEX wanted_turn;
DROP INDEX wanted_waiting;
CREATE INDEX fetch_queue_article ON fetch_queue (article_id) WHERE article_id IS NOT NULL;
CREATE INDEX fetch_queue_asker ON fetch_queue (asked_by) WHERE outcome IS NULL AND lease_owner IS NOT NULL;
CREATE INDEX fetch_queue_due ON fetch_queue (next_attempt_at) WHERE outcome IS NULL;
CREATE INDEX fetch_queue_host ON fetch_queue (host, settled_at);
CREATE INDEX fetch_queue_inbound ON fetch_queue (inbound_id) WHERE inbound_id IS NOT NULL;
CREATE INDEX fetch_queue_leased ON fetch_queue (host) WHERE outcome IS NULL AND lease_owner IS NOT NULL;
CREATE INDEX fetch_queue_queue ON fetch_queue (id) WHERE outcome IS NULL;
CREATE INDEX fetch_queue_settled ON fetch_queue (settled_at) WHERE outcome IS NOT NULL;
CREATE INDEX fetch_queue_suspect ON fetch_queue (id) WHERE outcome IS NULL AND begun >= 2;
CREATE INDEX fetch_queue_turn ON fetch_queue (host, next_attempt_at, id) WHERE outcome IS NULL;
CREATE INDEX fetch_queue_waiting ON fetch_queue (host, id) WHERE outcome IS NULL;

ALTER TABLE rereads RENAME TO actor_refreshes;
DROP INDEX rereads_due;
DROP INDEX rereads_host;
DROP INDEX rereads_inbox;
CREATE INDEX actor_refreshes_due ON actor_refreshes (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX actor_refreshes_host ON actor_refreshes (host, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX actor_refreshes_inbox ON actor_refreshes (inbox_id, asked_at);

ALTER TABLE handbacks RENAME TO comment_exports;
ALTER TABLE comment_exports RENAME COLUMN passed_at TO exported_at;

ALTER TABLE communities RENAME COLUMN house_actor_id TO team_actor_id;
ALTER TABLE actors RENAME COLUMN farewell_at TO delete_sent_at;

UPDATE activities SET audience = 'outbox-only' WHERE audience = 'listed';
UPDATE activities SET audience = 'article-delivered' WHERE audience = 'reach';
UPDATE activities SET audience = 'article-known' WHERE audience = 'copies';
UPDATE activities SET audience = 'note-delivered' WHERE audience = 'hearers';
UPDATE activities SET audience = 'note-known' WHERE audience = 'traces';
UPDATE activities SET audience = 'actor-known' WHERE audience = 'acquaintances';

UPDATE worker_failures SET worker = 'fetcher' WHERE worker = 'seeker';
UPDATE worker_failures SET worker = 'refresher' WHERE worker = 'rereader';
UPDATE worker_failures SET worker = 'export' WHERE worker = 'handback';
UPDATE unfinished_work SET worker = 'fetcher' WHERE worker = 'seeker';
UPDATE unfinished_work SET worker = 'refresher' WHERE worker = 'rereader';
UPDATE unfinished_work SET worker = 'export' WHERE worker = 'handback';
