-- A host is forgotten when no inbox of it is left: one reference fewer, which no index served.
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
