-- One SQL for SQLite and PostgreSQL (ADR 1): columns are TEXT and BIGINT only, times are Unix milliseconds,
-- row ids are made by the program (ADR 2), lists and documents are JSON in TEXT.

-- What was fixed at the first start and is refused when it changes: origin, handle_domain.
CREATE TABLE settings (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

-- `activity` numbers our activities in the order of publication; `fanout` is the lock of the fan-out step.
CREATE TABLE counters (
    name TEXT PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('activity', 0), ('fanout', 0);

-- Everyone of ours who can be followed, and the instance itself. A row is never removed and a handle never given again.
CREATE TABLE actors (
    id BIGINT PRIMARY KEY NOT NULL,
    uuid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    summary TEXT NOT NULL,
    icon TEXT,
    created_at BIGINT NOT NULL,
    frozen_at BIGINT,
    deleted_at BIGINT,
    farewell_at BIGINT
);

CREATE TABLE keys (
    actor_id BIGINT NOT NULL REFERENCES actors (id),
    kind TEXT NOT NULL,
    fragment TEXT NOT NULL,
    public TEXT NOT NULL,
    sealed TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT,
    PRIMARY KEY (actor_id, fragment)
);

CREATE TABLE communities (
    id BIGINT PRIMARY KEY NOT NULL,
    handle TEXT NOT NULL UNIQUE,
    group_actor_id BIGINT NOT NULL REFERENCES actors (id),
    house_actor_id BIGINT NOT NULL REFERENCES actors (id)
);

-- `imported_at` is when the first complete scan was committed: before it nothing is pushed.
CREATE TABLE sources (
    id BIGINT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    community_id BIGINT NOT NULL REFERENCES communities (id),
    imported_at BIGINT,
    scanned_at BIGINT,
    complete_scans BIGINT NOT NULL DEFAULT 0,
    error TEXT,
    next_scan_at BIGINT NOT NULL,
    lease_until BIGINT,
    lease_owner TEXT,
    lease_token BIGINT NOT NULL DEFAULT 0
);

-- `choice` is the operator's own decision (in, out); without one the configuration decides.
CREATE TABLE authors (
    id BIGINT PRIMARY KEY NOT NULL,
    source_id BIGINT NOT NULL REFERENCES sources (id),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    bio TEXT NOT NULL,
    avatar TEXT,
    has_profile BIGINT NOT NULL,
    choice TEXT,
    actor_id BIGINT REFERENCES actors (id),
    UNIQUE (source_id, slug)
);

-- What the site says, as the last scan that saw it read it.
CREATE TABLE posts (
    id BIGINT PRIMARY KEY NOT NULL,
    source_id BIGINT NOT NULL REFERENCES sources (id),
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    entry TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    first_seen_at BIGINT NOT NULL,
    hidden_seen_at BIGINT,
    missing_since BIGINT,
    missing_scans BIGINT NOT NULL DEFAULT 0,
    withheld_at BIGINT,
    article_id BIGINT,
    UNIQUE (source_id, key)
);

-- A post as the fediverse knows it. What exceeds `published_revision` is still to be said.
CREATE TABLE articles (
    id BIGINT PRIMARY KEY NOT NULL,
    uuid TEXT NOT NULL UNIQUE,
    context_uuid TEXT NOT NULL UNIQUE,
    post_id BIGINT NOT NULL REFERENCES posts (id),
    community_id BIGINT NOT NULL REFERENCES communities (id),
    owner_actor_id BIGINT NOT NULL REFERENCES actors (id),
    url TEXT NOT NULL,
    content TEXT NOT NULL,
    pushed BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    updated_at BIGINT,
    expires_at BIGINT,
    revision BIGINT NOT NULL,
    published_revision BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX articles_unsaid ON articles (created_at) WHERE revision > published_revision;
CREATE INDEX articles_owner ON articles (owner_actor_id);
CREATE INDEX articles_post ON articles (post_id);
CREATE INDEX articles_url ON articles (url);

-- What we say. `id` is the order; `cause` makes saying it twice impossible; `fanned_out_at` ends the fan-out step.
CREATE TABLE activities (
    id BIGINT PRIMARY KEY NOT NULL,
    uuid TEXT NOT NULL UNIQUE,
    cause TEXT NOT NULL UNIQUE,
    actor_id BIGINT NOT NULL REFERENCES actors (id),
    kind TEXT NOT NULL,
    article_id BIGINT REFERENCES articles (id),
    audience TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    fanout_cursor BIGINT NOT NULL DEFAULT 0,
    fanned_out_at BIGINT
);
CREATE INDEX activities_waiting ON activities (id) WHERE fanned_out_at IS NULL;
CREATE INDEX activities_actor ON activities (actor_id, id);
CREATE INDEX activities_article ON activities (article_id);

-- A remote server is a queue. `generation` counts what was added, so that no wake-up is lost (limits, section 7).
CREATE TABLE hosts (
    id BIGINT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    next_attempt_at BIGINT,
    backoff_until BIGINT,
    failures BIGINT NOT NULL DEFAULT 0,
    failing_since BIGINT,
    gone_at BIGINT,
    error TEXT,
    generation BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT,
    lease_owner TEXT,
    lease_token BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX hosts_due ON hosts (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

CREATE TABLE inboxes (
    id BIGINT PRIMARY KEY NOT NULL,
    host_id BIGINT NOT NULL REFERENCES hosts (id),
    url TEXT NOT NULL UNIQUE,
    shared BIGINT NOT NULL,
    next_attempt_at BIGINT,
    failures BIGINT NOT NULL DEFAULT 0,
    gone_at BIGINT
);

-- One activity for one inbox, kept after it is settled: it says what became of it and why.
CREATE TABLE deliveries (
    inbox_id BIGINT NOT NULL REFERENCES inboxes (id),
    activity_id BIGINT NOT NULL REFERENCES activities (id),
    host_id BIGINT NOT NULL REFERENCES hosts (id),
    holds_inbox_id BIGINT REFERENCES inboxes (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    by_reference BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    attempted_at BIGINT,
    answer BIGINT,
    error TEXT,
    outcome TEXT,
    settled_at BIGINT,
    PRIMARY KEY (inbox_id, activity_id)
);
CREATE INDEX deliveries_waiting ON deliveries (host_id, inbox_id, activity_id) WHERE settled_at IS NULL;
CREATE INDEX deliveries_holding ON deliveries (holds_inbox_id) WHERE settled_at IS NULL AND holds_inbox_id IS NOT NULL;
CREATE INDEX deliveries_activity ON deliveries (activity_id);

-- Who was sent an article, so that its Update and Delete reach them.
CREATE TABLE reach (
    article_id BIGINT NOT NULL REFERENCES articles (id),
    inbox_id BIGINT NOT NULL REFERENCES inboxes (id),
    PRIMARY KEY (article_id, inbox_id)
);

CREATE TABLE remote_actors (
    id BIGINT PRIMARY KEY NOT NULL,
    url TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    username TEXT NOT NULL,
    name TEXT NOT NULL,
    profile_url TEXT NOT NULL,
    inbox_id BIGINT NOT NULL REFERENCES inboxes (id),
    shared_inbox_id BIGINT REFERENCES inboxes (id),
    fetched_at BIGINT NOT NULL,
    gone_at BIGINT
);

CREATE TABLE remote_keys (
    id TEXT PRIMARY KEY NOT NULL,
    remote_actor_id BIGINT NOT NULL REFERENCES remote_actors (id),
    pem TEXT NOT NULL,
    fetched_at BIGINT NOT NULL
);
CREATE INDEX remote_keys_actor ON remote_keys (remote_actor_id);

CREATE TABLE followers (
    actor_id BIGINT NOT NULL REFERENCES actors (id),
    remote_actor_id BIGINT NOT NULL REFERENCES remote_actors (id),
    follow_id TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (actor_id, remote_actor_id)
);
CREATE INDEX followers_remote ON followers (remote_actor_id);

-- A verified activity of somebody else's, as it came, and its verdict. `attempts` is the fence of the lease.
CREATE TABLE inbound (
    id BIGINT PRIMARY KEY NOT NULL,
    activity_id TEXT NOT NULL,
    signer TEXT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT,
    raw TEXT NOT NULL,
    path TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    received_times BIGINT NOT NULL DEFAULT 1,
    attempts BIGINT NOT NULL DEFAULT 0,
    next_attempt_at BIGINT NOT NULL,
    lease_owner TEXT,
    verdict TEXT,
    reason TEXT,
    settled_at BIGINT,
    UNIQUE (activity_id, signer)
);
CREATE INDEX inbound_waiting ON inbound (actor, id) WHERE verdict IS NULL;
CREATE INDEX inbound_undone ON inbound (object_id, actor);
CREATE INDEX inbound_verdict ON inbound (verdict);

-- Requests that were turned away leave no row of their own, only a count.
CREATE TABLE refusals (
    day TEXT NOT NULL,
    host TEXT NOT NULL,
    reason TEXT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (day, host, reason)
);
