-- The page for people that a post elsewhere says is its own, of the origin of its id: by it a post is found that is named so. NULL for others.
ALTER TABLE interactions ADD COLUMN page TEXT;
CREATE INDEX interactions_page ON interactions (page) WHERE page IS NOT NULL;

-- Up to which row the pages of posts that were there before are filled in; done once, at the next start.
INSERT INTO counters (name, value) VALUES ('pages', 0) ON CONFLICT (name) DO NOTHING;
