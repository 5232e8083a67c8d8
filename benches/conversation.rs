//! What a conversation of a thousand replies costs, as pages and as JSON, beside an axum that says hello. Prints a table;
//! asserts nothing about time.
//!
//! `cargo bench --bench conversation`. Everything stays on this machine's loopback addresses. With
//! `VEERPONT_BENCH_SHOW=127.0.0.1:9700` it serves the sample site with that conversation there, to be looked at, until it is
//! killed.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a bench may stop where it finds the world broken")]
#![allow(clippy::print_stdout, reason = "it is what a bench is for")]
#![allow(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use clock::Clock;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use veerpont::activitypub::incoming::{self, parse_post};
use veerpont::app::{App, user_agent};
use veerpont::base::ids::{ArticleId, InteractionId, RemoteActorId};
use veerpont::config::Config;
use veerpont::federation::remote;
use veerpont::model::interaction::store::{NewPost, NewReaction};
use veerpont::model::interaction::{self, Author, CleanPost, Kind, Target, Words};
use veerpont::model::post::Article;
use veerpont::net::client::Client;
use veerpont::server;
use veerpont::site::source::sync::{self, SyncOptions};

const REPLIES: usize = 1000;
const PEOPLE: usize = 80;
const TIMES: usize = 100;

/// Serves the conversation there instead of measuring.
const SHOW: &str = "VEERPONT_BENCH_SHOW";

fn main() {
    // `cargo test --benches` runs benches too, and wants no minutes of it.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    match std::env::var(SHOW) {
        Ok(address) => runtime.block_on(show(folder.path(), &address)),
        Err(_) => runtime.block_on(measure(folder.path())),
    }
}

async fn bridge(folder: &Path, origin: &str, pictures: SocketAddr) -> App {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/demo/sample_site");
    let text = format!(
        "[server]\norigin = \"{origin}\"\nhandle_domain = \"ferrytown.example\"\n[database]\nurl = \"sqlite://talk.db\"\n\
         [secrets]\nmaster_key_file = \"master.key\"\n\
         [network]\nallow_http = true\nallow_addresses = [\"127.0.0.0/8\"]\nconnect_to = [\"pictures.example:80={pictures}\"]\n\
         [[community]]\nname = \"Sandhaven\"\nhandle = \"sandhaven\"\nteam_handle = \"editors\"\n\
         summary = \"Notes from a harbour town: the ferry, the repair café, and the tide.\"\n\
         [[source]]\nname = \"site\"\nkind = \"hugo\"\ncommunity = \"sandhaven\"\npath = \"{}\"\n\
         public_url = \"http://ferrytown.example/\"\nauthors = \"published\"\n",
        site.display()
    );
    let config = Config::parse(&text, folder, "the bench's configuration", &|_| None).expect("a configuration");
    let net = Client::network(&config.network, user_agent(&config.server.origin)).expect("a client");
    let app = server::open_with(config, Clock::system(), net).await.expect("a bridge");
    sync::sync(&app, "site", SyncOptions::default(), |_, _| {}).await.expect("a sync");
    server::drain(&app).await.expect("everything is said");
    app
}

async fn the_article(app: &App) -> Article {
    let mut conn = app.db.read().await.expect("a connection");
    let page = "http://ferrytown.example/post/repair-cafe-first-year/";
    veerpont::model::interaction::named::article_of_page(&mut conn, page)
        .await
        .expect("a row")
        .expect("the sample site's post")
}

/// A thousand replies of eighty people, in threads of all depths, some with warnings, emoji, pictures and other scripts.
async fn converse(app: &App, article: &Article) {
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let id = person(app, number).await;
        opinion(app, article.id, id, Kind::Like, number.is_multiple_of(7).then_some("🎉")).await;
        if number.is_multiple_of(3) {
            opinion(app, article.id, id, Kind::Boost, None).await;
        }
        people.push(id);
    }
    let mut said: Vec<InteractionId> = Vec::new();
    for number in 0..REPLIES {
        let parent = if number.is_multiple_of(5) {
            None
        } else {
            said.get((number - 1).saturating_sub(number % 3 * (number % 2))).copied()
        };
        said.push(reply(app, article, people[number * 31 % PEOPLE], parent, number).await);
    }
}

const NAMES: [&str; 8] = [
    "Ann de Vries",
    "jo :boat:",
    "مريم",
    "A very long name that somebody gave themselves, since nobody stopped them from doing that at all",
    "李雷",
    "Bob ⛵",
    "",
    "Eve <b>bold</b>",
];

async fn person(app: &App, number: usize) -> RemoteActorId {
    let id = format!("http://pictures.example/users/{number}");
    let document = json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "Person",
        "preferredUsername": format!("user{number}"), "name": NAMES[number % NAMES.len()], "inbox": format!("{id}/inbox"),
        "url": format!("http://pictures.example/@user{number}"),
        "icon": (number % 4 != 3).then(|| json!({ "type": "Image", "url": format!("http://pictures.example/{number}.gif") })),
        "tag": [{ "type": "Emoji", "name": ":boat:", "icon": { "url": "http://pictures.example/200.gif" } }],
    });
    let actor = incoming::parse_actor(&document).expect("an actor");
    let (ids, now) = (app.ids.clone(), app.clock.now());
    let kept =
        app.db.write(move |conn| Box::pin(async move { remote::actors::keep(conn, &ids, actor, None, now).await }));
    kept.await.expect("an actor").id
}

async fn opinion(app: &App, article: ArticleId, who: RemoteActorId, kind: Kind, reaction: Option<&'static str>) {
    let (id, now) = (InteractionId(app.ids.row()), app.clock.now());
    let target = Target { article, said: None };
    let kept = app.db.write(move |conn| {
        Box::pin(async move {
            let activity_id = format!("http://pictures.example/{id}");
            let opinion = NewReaction { id, target, author: who, kind, activity_id: &activity_id, reaction };
            interaction::store::put_opinion(conn, &opinion, now).await
        })
    });
    kept.await.expect("an opinion");
}

const TEXTS: [&str; 6] = [
    "<p>I came with a lamp and left with a lamp that works. Thank you! :boat:</p>",
    "<p><span class=\"h-card\"><a href=\"http://pictures.example/@user1\" class=\"u-url mention\">@<span>user1</span></a></span> that is what I said. See <a href=\"https://example.org/a/very/long/address/that/does/not/end/soon/and/goes/on/and/on/until/it/ends\">the list</a>, and bring a <em>screwdriver</em>.</p>",
    "<p>هذا رائع! شكرا لكم على العمل الجميل.</p>",
    "<p>Two things:</p><ul><li>toasters are riveted</li><li>radios are not</li></ul><blockquote><p>most of them</p></blockquote><pre><code>for thing in table { mend(thing) }</code></pre>",
    "<p>DonaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftDonaudampfschifffahrtselektrizitätenhauptbetriebswerk</p>",
    "<p>Ja, dat was een mooie ochtend. Volgende week weer?</p><p>Ik neem taart mee.</p>",
];

fn document(article: &Article, number: usize) -> Value {
    let id = format!("http://pictures.example/notes/{number}");
    let mut note = json!({
        "id": id, "type": "Note", "attributedTo": "http://pictures.example/users/1", "inReplyTo": article.url,
        "content": TEXTS[number % TEXTS.len()], "to": ["https://www.w3.org/ns/activitystreams#Public"],
        "tag": [{ "type": "Emoji", "name": ":boat:", "icon": { "url": "http://pictures.example/200.gif" } }],
    });
    if number % 11 == 4 {
        note["summary"] = "contains a toaster".into();
    }
    if number % 9 == 2 {
        note["attachment"] = json!([{ "type": "Document", "mediaType": "image/gif", "name": "The mended lamp", "url": format!("http://pictures.example/{}.gif", number % 200) }]);
        note["sensitive"] = number.is_multiple_of(2).into();
    }
    note
}

async fn reply(
    app: &App,
    article: &Article,
    who: RemoteActorId,
    parent: Option<InteractionId>,
    number: usize,
) -> InteractionId {
    let words = Words::of(CleanPost::of(parse_post(&document(article, number)).expect("a post")));
    let (id, now) = (InteractionId(app.ids.row()), app.clock.now());
    let minutes = u64::try_from(number).expect("a number");
    let published = now - Duration::from_hours(48) + Duration::from_secs(60 * minutes);
    let article = article.id;
    let kept = app.db.write(move |conn| {
        Box::pin(async move {
            let object_id = format!("http://pictures.example/notes/{number}");
            let activity_id = format!("{object_id}/create");
            let post = NewPost {
                id,
                article,
                author: Author::Remote(who),
                kind: Kind::Reply,
                activity_id: &activity_id,
                object_id: &object_id,
                uuid: None,
                parent,
                words: &words,
                published,
                updated: None,
                held: None,
            };
            interaction::store::insert_post(conn, &post, now).await?;
            // Now and then one is taken back.
            if number % 50 == 1 { interaction::store::end_post(conn, id, now).await } else { Ok(()) }
        })
    });
    kept.await.expect("a reply");
    id
}

/// A picture of one colour for each number.
fn picture(number: u8) -> Vec<u8> {
    let [red, green, blue] =
        [number.wrapping_mul(47) / 2 + 90, number.wrapping_mul(91) / 2 + 90, number.wrapping_mul(13) / 2 + 90];
    let mut gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00".to_vec();
    gif.extend([red, green, blue, 0, 0, 0]);
    gif.extend(b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;");
    gif
}

async fn pictures() -> SocketAddr {
    let show = async |axum::extract::Path(name): axum::extract::Path<String>| {
        let number = name.trim_end_matches(".gif").parse().unwrap_or(0);
        ([("content-type", "image/gif")], picture(number))
    };
    here(Router::new().route("/{name}", get(show))).await
}

async fn here(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn show(folder: &Path, address: &str) {
    let app = bridge(folder, &format!("http://{address}"), pictures().await).await;
    let article = the_article(&app).await;
    converse(&app, &article).await;
    let listener = TcpListener::bind(address).await.expect("that address is free");
    let running = server::start_on(app, listener).await.expect("a bridge");
    println!("http://{}/  and the post  http://{}/@joris-dekker/{}", running.address, running.address, article.uuid);
    std::future::pending::<()>().await;
}

async fn measure(folder: &Path) {
    let app = bridge(folder, "http://127.0.0.1:9", pictures().await).await;
    let article = the_article(&app).await;
    converse(&app, &article).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let running = server::start_on(app, listener).await.expect("a bridge");
    let (at, hello) = (running.address, here(Router::new().route("/", get(async || "hello"))).await);
    let uuid = article.uuid;
    println!("{REPLIES} replies of {PEOPLE} people; {TIMES} times each, one after the other\n");
    println!("{:<34} {:>9} {:>9} {:>10} {:>12}", "", "p50", "p99", "size", "beside hello");
    let plain = Row::of("hello", hello, "/".to_owned()).await;
    plain.print(&plain);
    for (name, path) in [
        ("post page, 200 replies", format!("/@joris-dekker/{uuid}")),
        ("post page, the last of five", format!("/@joris-dekker/{uuid}?from=800")),
        ("JSON, 200 replies", format!("/api/v1/conversation?id=http://127.0.0.1:9/ap/articles/{uuid}")),
        ("JSON for widgets, all replies", format!("/api/v1/statuses/{uuid}/context")),
        ("home page", "/".to_owned()),
        ("feed", "/@sandhaven/feed.atom".to_owned()),
    ] {
        Row::of(name, at, path).await.print(&plain);
    }
    running.stop().await;
}

struct Row {
    name: &'static str,
    times: Vec<Duration>,
    bytes: usize,
}

impl Row {
    async fn of(name: &'static str, at: SocketAddr, path: String) -> Self {
        let (mut times, mut bytes) = (Vec::new(), 0);
        for _ in 0..TIMES {
            let start = Instant::now();
            bytes = ask(at, &path).await;
            times.push(start.elapsed());
        }
        times.sort();
        Self { name, times, bytes }
    }

    fn quantile(&self, percent: usize) -> f64 {
        self.times[(self.times.len() * percent / 100).min(self.times.len() - 1)].as_secs_f64() * 1000.0
    }

    fn print(&self, plain: &Self) {
        println!(
            "{:<34} {:>6.2} ms {:>6.2} ms {:>6} KiB {:>12.0}",
            self.name,
            self.quantile(50),
            self.quantile(99),
            self.bytes / 1024,
            self.quantile(50) / plain.quantile(50)
        );
    }
}

/// Asks for a path and reads all of the answer, which must be right; says how long it is.
async fn ask(at: SocketAddr, path: &str) -> usize {
    let mut stream = TcpStream::connect(at).await.expect("a connection");
    let head = format!("GET {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    assert!(
        answer.starts_with(b"HTTP/1.1 200"),
        "{path}: {}",
        String::from_utf8_lossy(&answer[..answer.len().min(300)])
    );
    answer.len()
}
