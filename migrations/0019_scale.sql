-- A conversation's replies are found beside a million likes of its article.
DROP INDEX IF EXISTS interactions_article;
CREATE INDEX interactions_article ON interactions (article_id, kind, id);

-- What an actor of ours has that still stands, and what all that they had reached.
DROP INDEX IF EXISTS articles_owner;
CREATE INDEX articles_owner ON articles (owner_actor_id, deleted_at);

-- Who fetched something, by their inbox.
CREATE INDEX fetched_inbox ON fetched (inbox_id);
