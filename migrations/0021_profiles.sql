-- Counts the changes of our actors' profiles: whoever shows them makes anew what it kept.
INSERT INTO counters (name, value) VALUES ('profiles', 0) ON CONFLICT (name) DO NOTHING;
