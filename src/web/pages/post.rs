//! A post's page: the article and its whole conversation, for sites without comments and for readers of all the others.

use std::collections::HashMap;

use activitypub_federation::config::Data;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, RawQuery};
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};
use uuid::Uuid;

use super::account_card::{AccountCard, web_address};
use super::content::{self, cut, signs_of};
use super::listed::title;
use super::profile;
use super::{Frame, HTML, of_id, spoken};
use crate::activitypub::incoming::Attachment;
use crate::app::App;
use crate::base::ids::InteractionId;
use crate::db::{Conn, Topic};
use crate::model::author;
use crate::model::interaction::conversation::media::{MediaRef, MediaUrls};
use crate::model::interaction::store::{ConversationPage, Order};
use crate::model::interaction::{Shown, State, Words};
use crate::model::post::Article;
use crate::model::post::store::article_by_uuid;
use crate::web::answer::{Document, Form};
use crate::web::conversation::document::preview;
use crate::web::conversation::{self, Conversation, PAGE, page_of};
use crate::web::error::Failure;
use crate::web::prepared::{Basis, Prepared, rendered};
use crate::web::redirect::lead_to;

/// Most levels by which answers are indented.
const STEPS: usize = 4;

/// Most comments in the structured data for search engines.
const TOLD: usize = 20;

/// Longest description, in characters.
const DESCRIPTION: usize = 200;

const UNKNOWN: Failure = Failure::NotFound("No post of ours has this address.");

#[derive(Template)]
#[template(path = "post.html", config = "src/web/pages/askama.toml")]
struct Post<'a> {
    frame: Frame<'a>,
    /// The article's id.
    id: String,
    /// Of this page.
    address: String,
    /// The site's own page.
    url: &'a str,
    /// Where that is.
    site: String,
    title: String,
    description: String,
    language: &'a str,
    author: AccountCard,
    handle: &'a str,
    /// The authors, where it is not the owner alone.
    byline: Option<String>,
    published: String,
    day: String,
    edited: Option<String>,
    cover: Option<Cover>,
    /// The cover where the site has it, for link cards.
    card: Option<&'a str>,
    /// Clean HTML.
    content: String,
    replies: u64,
    likes: Tally,
    boosts: Tally,
    items: Vec<Item>,
    newer: Option<i64>,
    older: Option<i64>,
    /// For search engines, safe within a script element.
    data: String,
}

struct Cover {
    picture: String,
    alt: String,
}

/// People, and how many more.
struct Tally {
    total: u64,
    faces: Vec<AccountCard>,
    others: u64,
}

impl Tally {
    fn new(total: u64, faces: Vec<AccountCard>) -> Self {
        let shown = u64::try_from(faces.len()).unwrap_or(u64::MAX);
        Self { total, faces, others: total.saturating_sub(shown) }
    }
}

/// A reply as the page shows it.
struct Item {
    /// Its anchor in the page.
    anchor: String,
    /// Its level of indentation.
    step: usize,
    /// Whom it answers, where it is not the article's author, and the anchor of that post.
    to: Option<(String, String)>,
    /// `None` where it is gone.
    said: Option<Said>,
}

/// The content of a reply.
struct Said {
    id: String,
    author: AccountCard,
    url: Option<String>,
    published: String,
    day: String,
    moment: String,
    edited: bool,
    language: Option<String>,
    /// HTML, and plain for the content warning.
    title: Option<String>,
    warning: Option<String>,
    sensitive: bool,
    /// Clean HTML.
    content: String,
    options: Vec<String>,
    pictures: Vec<Hung>,
    links: Vec<Hung>,
}

/// An attachment of a reply.
struct Hung {
    url: String,
    kind: String,
    alt: String,
    /// The address of our copy.
    picture: Option<String>,
}

pub(super) async fn show(
    data: Data<App>,
    Extension(prepared): Extension<Prepared>,
    Path((written, uuid)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let app: &App = &data;
    let uuid = Uuid::try_parse(&uuid).map_err(|_| UNKNOWN)?;
    let mut basis = Basis::of(app, &[Topic::Actors, Topic::Articles]);
    let mut conn = app.db.read().await?;
    let article = article_by_uuid(&mut conn, uuid).await?.ok_or(UNKNOWN)?;
    let article = conversation::standing(app, article)?;
    basis.add(app, Topic::Conversation(article.id));
    basis.until(article.expires_at);
    let whose = profile::standing(&mut conn, &written).await?;
    if whose.id != article.owner {
        return Err(UNKNOWN);
    }
    // An id is served at its own address alone (interop A22).
    if Form::wanted(&headers) == Form::Document {
        return Ok(basis.mark(lead_to(&app.urls.article(uuid))?));
    }
    if whose.handle.as_str() != written {
        return Ok(basis.mark(lead_to(&page_of(app, &whose, &article))?));
    }
    let page_asked =
        ConversationPage { order: Order::Threads, from: conversation::from(query.as_deref())?, limit: PAGE };
    let say = Frame::new(app, &headers)?.say;
    drop(conn);
    let key = format!("post {} {} {}", say.lang, article.id, page_asked.from);
    let topics = conversation::topics(article.id);
    let make = async {
        let mut conn = app.db.read().await?;
        let article = conversation::read_again(app, &mut conn, article.id).await?;
        let conversation = Conversation::read(app, &mut conn, article, page_asked).await?;
        drop(conn);
        let (app, headers) = (app.clone(), headers.clone());
        rendered(move || Ok(Post::new(&app, Frame::new(&app, &headers)?, &conversation, page_asked.from).render()?))
            .await
    };
    let body = prepared.body(app, key, &topics, make).await?;
    Ok(basis.mark(of_id(spoken(say, Document::text(HTML, body)), &app.urls.article(uuid))))
}

/// Most pages of a conversation that are searched for one reply.
const LOOKED_THROUGH: i64 = 5;

/// The address of a reply on our page of its article; the page alone where it stands too far below.
pub(in crate::web) async fn place_of(
    app: &App,
    conn: &mut Conn,
    article: &Article,
    reply: InteractionId,
) -> Result<String, Failure> {
    let owner = author::store::actor(conn, article.owner).await?.ok_or(UNKNOWN)?;
    let page = page_of(app, &owner, article);
    let mut asked = ConversationPage { order: Order::Threads, from: 0, limit: PAGE };
    for _ in 0..LOOKED_THROUGH {
        let (found, next) = conversation::replies(app, conn, article.id, asked).await?;
        if found.iter().any(|(shown, _)| shown.row == reply) {
            let query = if asked.from > 0 { format!("?from={}", asked.from) } else { String::new() };
            return Ok(format!("{page}{query}#{}", anchor(reply)));
        }
        let Some(next) = next else { break };
        asked.from = next;
    }
    Ok(format!("{page}#conversation"))
}

impl<'a> Post<'a> {
    fn new(app: &'a App, frame: Frame<'a>, conversation: &'a Conversation, from: i64) -> Self {
        let (article, mut album) = (&conversation.article, MediaUrls::for_pages(app));
        let text = &article.content;
        let author = AccountCard::new(&conversation.author(app), &mut album);
        let likes = conversation
            .likes
            .iter()
            .map(|(who, sign)| AccountCard::new(who, &mut album).with_reaction(sign.as_deref()));
        let likes = Tally::new(conversation.answers.likes, likes.collect());
        let boosts = conversation.boosts.iter().map(|who| AccountCard::new(who, &mut album)).collect();
        let teaser = if text.summary.is_empty() { &text.content } else { &text.summary };
        let cover = text.image.as_ref().and_then(|image| {
            let picture = album.show(MediaRef::Cover(article.id), &image.url)?;
            Some(Cover { picture, alt: image.alt.clone() })
        });
        let is_alone = text.byline.len() == 1 && !text.owner_is_team;
        let mut post = Self {
            id: app.urls.article(article.uuid),
            address: page_of(app, &conversation.owner, article),
            url: &article.url,
            site: url::Url::parse(&article.url)
                .ok()
                .and_then(|url| url.host_str().map(str::to_owned))
                .unwrap_or_default(),
            title: title(article),
            description: cut(&html::text(teaser).replace('\n', " "), DESCRIPTION),
            language: &text.language,
            author,
            handle: conversation.owner.handle.as_str(),
            byline: (!is_alone && !text.byline.is_empty()).then(|| text.byline.join(", ")),
            published: article.published_at.rfc3339(),
            day: frame.say.day(article.published_at),
            edited: article.updated_at.map(|at| frame.say.day(at)),
            cover,
            card: text.image.as_ref().map(|image| image.url.as_str()),
            content: content::article(article.id, &text.content, &mut album),
            replies: conversation.answers.replies,
            likes,
            boosts: Tally::new(conversation.answers.boosts, boosts),
            items: items(&frame, &conversation.replies, &mut album),
            newer: (from > 0).then_some((from - PAGE).max(0)),
            older: conversation.next,
            data: String::new(),
            frame,
        };
        post.data = in_script(&post.structured(app));
        post
    }

    /// As search engines read a discussion (schema.org).
    fn structured(&self, app: &App) -> Value {
        let said = self.items.iter().filter_map(|item| item.said.as_ref());
        let comments: Vec<Value> = said
            .take(TOLD)
            .map(|said| {
                json!({
                    "@type": "Comment",
                    "url": said.url,
                    "datePublished": said.published,
                    "text": cut(&html::text(&said.content), 1000),
                    "author": { "@type": "Person", "name": said.author.plain, "url": said.author.url },
                })
            })
            .collect();
        let count = |kind: &str, n: u64| json!({ "@type": "InteractionCounter", "interactionType": format!("https://schema.org/{kind}"), "userInteractionCount": n });
        json!({
            "@context": "https://schema.org",
            "@type": "DiscussionForumPosting",
            "headline": self.title,
            "text": self.description,
            "url": self.address,
            "mainEntityOfPage": self.url,
            "image": self.card,
            "inLanguage": self.language,
            "datePublished": self.published,
            "author": { "@type": "Person", "name": self.author.plain, "url": format!("{}/@{}", app.urls.origin(), self.handle) },
            "commentCount": self.replies,
            "interactionStatistic": [count("LikeAction", self.likes.total), count("ShareAction", self.boosts.total)],
            "comment": comments,
        })
    }
}

/// JSON that cannot end the script element around it.
fn in_script(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn items(frame: &Frame<'_>, replies: &[(Shown, usize)], album: &mut MediaUrls) -> Vec<Item> {
    let here: HashMap<&str, &Shown> = replies.iter().map(|(shown, _)| (shown.id.as_str(), shown)).collect();
    let item = |(shown, depth): &(Shown, usize)| {
        let above = shown.parent.as_deref().and_then(|parent| here.get(parent));
        let to = above.filter(|above| above.state == State::Shown);
        let said = shown.words.as_ref().filter(|_| shown.state == State::Shown);
        Item {
            anchor: anchor(shown.row),
            step: (*depth).min(STEPS),
            to: to.map(|above| (content::name(&above.author, album), anchor(above.row))),
            said: said.map(|words| said_in(frame, shown, words, album)),
        }
    };
    replies.iter().map(item).collect()
}

fn anchor(reply: InteractionId) -> String {
    format!("r{reply}")
}

fn said_in(frame: &Frame<'_>, shown: &Shown, words: &Words, album: &mut MediaUrls) -> Said {
    let signs = signs_of(shown, words, album);
    let hung = words.attachments.iter().enumerate().filter(|(_, one)| web_address(&one.url).is_some());
    let (pictures, links) = hung.map(|one| hung_of(one, shown, album)).partition(|hung: &Hung| hung.picture.is_some());
    Said {
        id: shown.id.clone(),
        author: AccountCard::new(&shown.author, album),
        url: web_address(&words.url),
        published: shown.published.rfc3339(),
        day: frame.say.day(shown.published),
        moment: frame.say.moment(shown.published),
        edited: shown.updated.is_some(),
        language: words.language.clone(),
        title: words.title.as_deref().map(|text| content::line(text, &signs)),
        warning: words.warning.as_deref().map(|text| content::line(text, &signs)),
        sensitive: words.sensitive,
        content: content::reply(words, &signs),
        options: words.options.iter().map(|option| content::line(option, &signs)).collect(),
        pictures,
        links,
    }
}

fn hung_of((number, one): (usize, &Attachment), shown: &Shown, album: &mut MediaUrls) -> Hung {
    Hung {
        picture: preview(shown, number, one, album),
        url: one.url.clone(),
        kind: one.media_type.clone().unwrap_or_default(),
        alt: html::straight(one.alt.as_deref().unwrap_or_default()).into_owned(),
    }
}
