-- What each node last handed back to a site, and whether it could: `seen` is a hash of all that decides it, empty after a failure.
CREATE TABLE handbacks (
    node TEXT NOT NULL,
    source TEXT NOT NULL,
    folder TEXT NOT NULL,
    seen TEXT NOT NULL,
    passed_at BIGINT NOT NULL,
    error TEXT,
    PRIMARY KEY (node, source, folder)
);
