-- When the next article expires: until then what lists articles may be served as it was made.
CREATE INDEX articles_expiring ON articles (expires_at) WHERE deleted_at IS NULL AND expires_at IS NOT NULL;
-- How often profiles changed is known without a counter.
DELETE FROM counters WHERE name = 'profiles';
