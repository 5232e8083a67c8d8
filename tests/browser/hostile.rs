//! What nobody should be able to do with a reply, sent as any reply is: signed, and through the inbox.

use std::collections::HashMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::elsewhere::{EVIL, looks, picture};
use crate::stage::{Post, Said, Stage};

/// Whatever calls `pwned` has won.
const LINK: &str = "javascript:pwned('link')";
const ATTRIBUTE: &str = r#""><img src=x onerror="pwned('attribute')"><script>pwned('attribute')</script>"#;
const DATA: &str = "data:text/html,<script>pwned('data')</script>";
/// A server that counts its visitors, if it can.
const FOREIGN: &str = "https://tracker.example/pixel.png";

const MALLORY: &str = "mallory@evil.example";
const LONG: &str = "long@evil.example";
const TURNED: &str = "turned@evil.example";
const BROKEN: &str = "broken@evil.example";

/// How many answers stand below each other.
const DEEP: u64 = 60;

/// Below what an inbox takes, which is 1 MiB of JSON.
const NEARLY_ALL: usize = 950_000;

/// Whoever means ill, with their looks.
pub(crate) fn people() -> HashMap<&'static str, Value> {
    let emoji =
        |name: &str, url: &str| json!({ "type": "Emoji", "name": name, "icon": { "type": "Image", "url": url } });
    let mut mallory = looks(EVIL, ATTRIBUTE, None);
    for (key, value) in [("url", LINK), ("summary", ATTRIBUTE)] {
        mallory[key] = value.into();
    }
    mallory["icon"] = json!({ "type": "Image", "url": LINK });
    let mut broken = looks(EVIL, ":bad: :far: :js: :page:", Some("broken.png"));
    broken["tag"] = json!([
        emoji(":bad:", &picture(EVIL, "broken.png")),
        emoji(":far:", &picture(EVIL, "nowhere.png")),
        emoji(":js:", LINK),
        emoji(":page:", &picture(EVIL, "script.png")),
        emoji(ATTRIBUTE, &picture(EVIL, "broken.png")),
        null_emoji(),
    ]);
    HashMap::from([
        ("mallory", mallory),
        ("long", looks(EVIL, &"W".repeat(300), None)),
        (
            "turned",
            looks(
                EVIL,
                "\u{202e}Reversed\u{2066}\u{202d} Z\u{0351}\u{0351}\u{0351}\u{0351}\u{0351}",
                Some("script.png"),
            ),
        ),
        ("broken", broken),
    ])
}

fn null_emoji() -> Value {
    json!({ "type": "Emoji", "name": null, "icon": null })
}

/// Script wherever HTML has ever run one.
fn scripts() -> String {
    format!(
        r#"<p onclick="pwned('click')" onmouseover="pwned('over')" style="position:fixed;inset:0">plain</p>
        <script>pwned('script')</script><style>body{{background:url({FOREIGN})}}</style>
        <img src="{FOREIGN}" onerror="pwned('image')"><svg onload="pwned('svg')"><script>pwned('svg')</script></svg>
        <iframe src="{LINK}" srcdoc="<script>parent.pwned('frame')</script>"></iframe><object data="{FOREIGN}"></object>
        <math><mtext></p><style><!--</style><img title="--&gt;&lt;img src onerror=pwned('mutation')&gt;"></mtext></math>
        <form action="{FOREIGN}"><input name="childNodes"><input name="nodeType" autofocus onfocus="pwned('focus')"></form>
        <img name="body"><a id="x" href="{LINK}">bad link</a> <a href="JaVaScRiPt:pwned(1)">worse</a> <a href="{DATA}">data</a>
        <a href="https://good.example/" onclick="pwned('a')" target="_self">good link</a> <a href=" &#14; javascript:pwned(2)">odd</a>
        <video src="{FOREIGN}" autoplay onloadstart="pwned('video')"></video><base href="https://evil.example/">
        <meta http-equiv="refresh" content="0;url={FOREIGN}"><link rel="stylesheet" href="{FOREIGN}">
        <details open ontoggle="pwned('toggle')">x</details><noscript><p title="</noscript><img src=x onerror=pwned('noscript')>">
        <template><script>pwned('template')</script></template><xmp><img src=x onerror="pwned('xmp')"></xmp><plaintext>"#
    )
}

/// Sends all of it; hands on how many replies are shown.
pub(crate) async fn conversation(stage: &Stage, post: &Post) -> u64 {
    let mut shown = 0;
    for (by, words, more) in replies() {
        let minute = shown + 1;
        stage.say(Said { by, to: &post.article, minute, words: &words, more }).await;
        shown += 1;
    }
    let mut above = post.article.clone();
    for n in 0..DEEP {
        let words = format!("<p>Deeper {n}</p>");
        above = stage.say(Said { by: MALLORY, to: &above, minute: 60 + n, words: &words, more: json!({}) }).await;
    }
    stage.tell_more(MALLORY, "EmojiReact", post.article.as_str(), &json!({ "content": ATTRIBUTE })).await;
    for who in [LONG, TURNED, BROKEN] {
        stage.tell(who, "Like", post.article.as_str()).await;
        stage.tell(who, "Announce", post.article.as_str()).await;
    }
    shown += DEEP;
    stage
        .until(&post.url, |told| {
            let total = |what: &str| told[what]["total"].as_u64();
            (total("replies"), total("likes"), total("boosts")) == (Some(shown), Some(4), Some(3))
        })
        .await;
    shown
}

fn replies() -> Vec<(&'static str, String, Value)> {
    let plain = |by, words: &str| (by, words.to_owned(), json!({}));
    let everywhere = json!({
        "url": LINK, "summary": ATTRIBUTE, "name": ATTRIBUTE, "sensitive": true, "type": "Note",
        "contentMap": { ATTRIBUTE: "x" }, "language": { "identifier": ATTRIBUTE },
        "attachment": [
            { "type": "Document", "mediaType": "image/png", "url": LINK, "name": ATTRIBUTE },
            { "type": "Document", "mediaType": ATTRIBUTE, "url": DATA, "name": ATTRIBUTE },
            { "type": "Document", "mediaType": "image/png", "url": picture(EVIL, "broken.png"), "name": ATTRIBUTE },
            { "type": "Document", "mediaType": "image/png", "url": picture(EVIL, "script.png"), "name": "A script" },
            { "type": "Document", "mediaType": "text/html", "url": picture(EVIL, "script.png"), "name": ATTRIBUTE },
        ],
        "tag": [
            { "type": "Emoji", "name": ":x:", "icon": { "url": LINK } },
            { "type": "Emoji", "name": ":y:", "icon": { "url": picture(EVIL, "script.png") } },
            { "type": "Mention", "href": LINK, "name": ATTRIBUTE }, { "type": "Hashtag", "href": LINK, "name": ATTRIBUTE },
        ],
    });
    let poll = json!({ "type": "Question", "oneOf": [{ "type": "Note", "name": ATTRIBUTE }, { "type": "Note", "name": LINK }] });
    vec![
        (MALLORY, scripts(), json!({})),
        (MALLORY, "<p>Everywhere :x: :y:</p>".to_owned(), everywhere),
        (MALLORY, "<p>A poll</p>".to_owned(), poll),
        plain(LONG, "<p>A long name</p>"),
        plain(TURNED, "<p>\u{202e}desrever si sihT\u{2066}\u{2067}</p><p dir=\"rtl\">And this</p>"),
        plain(BROKEN, "<p>Broken emoji :bad:</p>"),
        (BROKEN, "<p>Mentions</p>".to_owned(), mentions()),
        plain(BROKEN, &mention_links()),
        plain(MALLORY, &heap("<b onclick=\"pwned('b')\">", "markup</b> ")),
        plain(MALLORY, &heap("<img src=x onerror=\"pwned('heap')\">", "<script>pwned('heap')</script>")),
        plain(MALLORY, &"<blockquote>".repeat(70_000)),
        plain(LONG, &format!("<p>{}</p>", "w".repeat(5000))),
        plain(LONG, &format!("<pre><code>{}</code></pre>", "let wide = true; ".repeat(200))),
        plain(LONG, &format!("<table><tr>{}</tr></table>", "<td>a wide table</td>".repeat(60))),
        plain(LONG, &format!("<p>{}</p>", "Line<br>".repeat(10_000))),
    ]
}

/// Ten thousand people named in tags.
fn mentions() -> Value {
    let mention = |n: u32| json!({ "type": "Mention", "href": format!("https://evil.example/users/{n}"), "name": format!("@{n}@evil.example") });
    json!({ "tag": (0..10_000).map(mention).collect::<Vec<_>>() })
}

/// And in links.
fn mention_links() -> String {
    let mut text = String::from("<p>Links ");
    for n in 0..10_000 {
        // Writing to a String never fails.
        let _ = write!(text, r#"<a href="https://evil.example/@{n}" class="u-url mention">@{n}</a> "#);
    }
    text + "</p>"
}

/// Nearly as much as an inbox takes; each `"` is two bytes of JSON.
fn heap(open: &str, rest: &str) -> String {
    let piece = format!("{open}{rest}");
    let bytes = piece.len() + piece.matches('"').count();
    piece.repeat(NEARLY_ALL / bytes)
}
