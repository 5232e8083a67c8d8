//! What may be read through all the same, and why.

use crate::support::Engine;

/// Tables that do not grow with what strangers say.
pub(crate) const SMALL: [(&str, &str); 12] = [
    ("actors", "one for each author and community of ours"),
    ("authors", "as many as write for the site"),
    ("unfinished_work", "what the outbox began and did not end, each thing once"),
    ("block_lists", "as many as an operator imported"),
    ("communities", "as many as are configured"),
    ("counters", "a few numbers with names"),
    ("foreign_hosts", "a few of the latest names that our proxy passed; older ones go with each write"),
    ("comment_exports", "one for each configured folder and node"),
    ("keys", "two or three for each actor of ours"),
    ("settings", "a few facts of the first start"),
    ("worker_failures", "a line for each loop and kind of failure"),
    ("sources", "as many as are configured"),
];

/// Indexes that hold only what waits or fails just now, and may be read through.
pub(crate) const QUEUES: [&str; 17] = [
    "activities_waiting",
    "articles_unsaid",
    "deliveries_inbox",
    "deliveries_waiting",
    "hosts_due",
    "hosts_failing",
    "inbound_queue",
    "inbound_suspect",
    "inbound_waiting",
    "interactions_held",
    "interactions_unsaid",
    "reports_open",
    "fetch_queue_asker",
    "fetch_queue_due",
    "fetch_queue_leased",
    "fetch_queue_queue",
    "fetch_queue_suspect",
];

/// Files whose SQL is made as the program runs.
pub(crate) const MADE_AS_IT_RUNS: [(&str, &str); 1] =
    [("src/server/backup/store.rs", "a backup reads every table from end to end, which is what it is for")];

/// Statements of one engine alone, by a part of their text.
pub(crate) const ONLY_ON: [(&str, Engine); 5] = [
    ("FOR NO KEY UPDATE", Engine::Postgres),
    ("EXTRACT(EPOCH", Engine::Postgres),
    ("sqlite_master", Engine::Sqlite),
    ("pragma_", Engine::Sqlite),
    ("backup_facts", Engine::Sqlite),
];

/// A statement that may do what is a fault otherwise.
pub(crate) struct Allowed {
    /// Where it stands.
    pub(crate) file: &'static str,
    /// A part of its text.
    pub(crate) part: &'static str,
    /// A part of what it does.
    pub(crate) fault: &'static str,
    pub(crate) why: &'static str,
}

pub(crate) const ALLOWED: [Allowed; 17] = [
    Allowed {
        file: "src/federation/delivery/store/ledger.rs",
        part: "d.attempts > 0 AND (d.outcome IS NULL",
        fault: "sorts all",
        why: "the deliveries of one article, when an operator asks for that post",
    },
    Allowed {
        file: "src/federation/delivery/store/ledger.rs",
        part: "JOIN hosts h ON h.id = d.host_id WHERE d.activity_id",
        fault: "sorts all",
        why: "the recipients of one activity, when an operator asks what became of it",
    },
    Allowed {
        file: "src/federation/delivery/store/recipients.rs",
        part: "FROM interactions WHERE parent_id = $1",
        fault: "sorts all",
        why: "the answers to one note of ours, when it is edited or deleted",
    },
    Allowed {
        file: "src/inbox/store/rejections.rs",
        part: "ORDER BY times DESC",
        fault: "",
        why: "a week of counts, of which each day has a thousand lines at most for each reason",
    },
    Allowed {
        file: "src/inbox/store/fetch_queue",
        part: "w.url = $1 OR w.inbound_id = $2",
        fault: "sorts all",
        why: "what was asked for by one address or because of one activity",
    },
    Allowed {
        file: "src/model/interaction/store/reading.rs",
        part: "WITH RECURSIVE above",
        fault: "sorts all",
        why: "a conversation is read whole to be laid out: its own replies, and nothing that was said elsewhere",
    },
    Allowed {
        file: "src/moderation/store/blocks.rs",
        part: "ON l.id = b.list_id ORDER BY b.id",
        fault: "",
        why: "all blocks, read into memory once they have changed",
    },
    Allowed {
        file: "src/moderation/store/blocks.rs",
        part: "severity = 'block' ORDER BY",
        fault: "",
        why: "the blocks that an operator made or imported, all of which are asked about everybody",
    },
    Allowed {
        file: "src/model/post/store/articles.rs",
        part: "SELECT article_id FROM activities WHERE actor_id = $1",
        fault: "sorts all",
        why: "the articles of one actor of ours",
    },
    Allowed {
        file: "src/model/post/store/articles.rs",
        part: "GROUP BY a.owner_actor_id ORDER BY MAX",
        fault: "sorts all",
        why: "the authors of one community",
    },
    Allowed {
        file: "src/model/post/store/articles.rs",
        part: "SELECT COUNT(*) FROM articles WHERE deleted_at IS NULL",
        fault: "",
        why: "a site's own articles, counted over an index",
    },
    Allowed {
        file: "src/model/post/store/posts.rs",
        part: "GROUP BY state",
        fault: "",
        why: "a site's own pages, counted when an operator asks how things stand",
    },
    Allowed {
        file: "src/federation/delivery/store/missing.rs",
        part: "FROM remote_actors r JOIN inboxes i ON i.id",
        fault: "sorts all",
        why: "those whose inbox is one and the same",
    },
    Allowed {
        file: "src/federation/delivery/store/missing.rs",
        part: "ROW_NUMBER() OVER",
        fault: "sorts all",
        why: "those whose inbox is one and the same",
    },
    Allowed {
        file: "src/inbox/store/fetch_queue/mod.rs",
        part: "hosts_waiting (host)",
        fault: "sorts all",
        why: "one document of each host for which any waits",
    },
    Allowed {
        file: "src/model/interaction/store/pages.rs",
        part: "page IN ($1",
        fault: "sorts all",
        why: "who names one of nine addresses as their page",
    },
    Allowed {
        file: "src/model/post/store/articles.rs",
        part: "url IN ($1",
        fault: "sorts all",
        why: "the articles of nine addresses of pages",
    },
];
