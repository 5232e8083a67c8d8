-- Who fetched an article with a signed request: its Delete reaches them, its Updates do not (design, section 5).
CREATE TABLE fetched (
    article_id BIGINT NOT NULL REFERENCES articles (id),
    inbox_id BIGINT NOT NULL REFERENCES inboxes (id),
    host_id BIGINT NOT NULL REFERENCES hosts (id),
    fetched_at BIGINT NOT NULL,
    PRIMARY KEY (article_id, inbox_id)
);
CREATE INDEX fetched_host ON fetched (article_id, host_id);

-- Whose text is to be forgotten after a while.
CREATE INDEX inbound_texts ON inbound (settled_at) WHERE raw <> '' AND settled_at IS NOT NULL;
