-- A host is forgotten when no inbox of it is left, an inbox when no article that stands was sent to it: whoever forgets looks first.
-- A reference would cost a look at another table for each row that a fan-out writes (ADR 15).
CREATE TABLE article_delivered_new (
    article_id BIGINT NOT NULL,
    inbox_id BIGINT NOT NULL,
    PRIMARY KEY (article_id, inbox_id)
);
INSERT INTO article_delivered_new (article_id, inbox_id) SELECT article_id, inbox_id FROM article_delivered ORDER BY article_id, inbox_id;
DROP TABLE article_delivered;
ALTER TABLE article_delivered_new RENAME TO article_delivered;
CREATE INDEX article_delivered_inbox ON article_delivered (inbox_id);

CREATE TABLE article_fetched_new (
    article_id BIGINT NOT NULL REFERENCES articles (id),
    inbox_id BIGINT NOT NULL REFERENCES inboxes (id),
    host_id BIGINT NOT NULL,
    fetched_at BIGINT NOT NULL,
    PRIMARY KEY (article_id, inbox_id)
);
INSERT INTO article_fetched_new (article_id, inbox_id, host_id, fetched_at)
    SELECT article_id, inbox_id, host_id, fetched_at FROM article_fetched ORDER BY article_id, inbox_id;
DROP TABLE article_fetched;
ALTER TABLE article_fetched_new RENAME TO article_fetched;
CREATE INDEX article_fetched_host ON article_fetched (article_id, host_id);
CREATE INDEX article_fetched_inbox ON article_fetched (inbox_id);
