-- Whether an article was made unlisted: fixed when it is minted, since no Update changes who sees it (interop B8).
ALTER TABLE articles ADD COLUMN unlisted BIGINT NOT NULL DEFAULT 0;
