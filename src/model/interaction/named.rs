//! The article or post at an address: its id, and every address that people copy in place of it, since some programs
//! send on what was pasted (interop U11).

use url::{Url, form_urlencoded};
use uuid::Uuid;

use super::{Kind, Reply, store};
use crate::activitypub::urls::{Local, Urls};
use crate::base::ids::InteractionId;
use crate::db::Conn;
use crate::model::post::{self, Article};

/// What an address leads to.
#[derive(Clone, Debug)]
pub enum Named {
    /// An article, deleted or not: by its id, the site's page, our own page, or our redirects between them.
    Article(Box<Article>),
    /// A post of a conversation, by others or by our authors: by its id, the page that it names as its own, or its
    /// place on our page.
    Said(Box<Reply>),
    /// Several replies that name this page as their own; their ids.
    Several(Vec<String>),
}

impl Named {
    /// The article that it is.
    #[must_use]
    pub fn article(self) -> Option<Article> {
        match self {
            Self::Article(article) => Some(*article),
            Self::Said(_) | Self::Several(_) => None,
        }
    }
}

/// Longest address that is looked at, in bytes.
const ADDRESS_MAX: usize = 2048;

/// Query parameters of links in campaigns and social networks.
const TRACKING: [&str; 8] = ["fbclid", "gclid", "dclid", "msclkid", "yclid", "mc_cid", "mc_eid", "igshid"];

/// Finds what an address leads to: exactly, else in other spellings. At most five statements, each by an index.
pub async fn named(conn: &mut Conn, urls: &Urls, address: &str) -> sqlx::Result<Option<Named>> {
    if address.len() > ADDRESS_MAX {
        return Ok(None);
    }
    if let Some(local) = urls.local(address) {
        return of_ours(conn, local).await;
    }
    if let Some(reply) = store::post(conn, address).await? {
        return Ok(Some(Named::Said(Box::new(reply))));
    }
    let Ok(url) = Url::parse(address) else { return Ok(None) };
    if Url::parse(urls.origin()).is_ok_and(|ours| ours.origin() == url.origin()) {
        return match led_from(&url) {
            // It redirects to another address here, but not to one that redirects again.
            Some(address) if !is_leading(urls, &address) => Box::pin(named(conn, urls, &address)).await,
            Some(_) => Ok(None),
            None => on_our_pages(conn, urls, &url).await,
        };
    }
    if let Some(article) = article_on_page(conn, &url, address).await? {
        return Ok(Some(Named::Article(Box::new(article))));
    }
    said_on_page(conn, &url, address).await
}

/// The article of a page of the site, in any spelling of the link, the deleted ones too.
pub async fn article_of_page(conn: &mut Conn, page: &str) -> sqlx::Result<Option<Article>> {
    match Url::parse(page) {
        Ok(url) if page.len() <= ADDRESS_MAX => article_on_page(conn, &url, page).await,
        _ => Ok(None),
    }
}

async fn of_ours(conn: &mut Conn, local: Local) -> sqlx::Result<Option<Named>> {
    Ok(match local {
        Local::Article(uuid) => {
            post::store::article_by_uuid(conn, uuid).await?.map(|article| Named::Article(Box::new(article)))
        }
        Local::Note(uuid) => {
            let note = store::post_by_uuid(conn, uuid).await?.filter(|note| note.kind == Kind::Reply);
            note.map(|note| Named::Said(Box::new(note)))
        }
        _ => None,
    })
}

/// The address in one of our redirects: `/ap/resolve?url=` and `/reply?id=`.
fn led_from(url: &Url) -> Option<String> {
    let name = match url.path() {
        "/ap/resolve" => "url",
        "/reply" => "id",
        _ => return None,
    };
    let mut pairs = form_urlencoded::parse(url.query().unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn is_leading(urls: &Urls, address: &str) -> bool {
    let ours = |url: &Url| Url::parse(urls.origin()).is_ok_and(|ours| ours.origin() == url.origin());
    Url::parse(address).is_ok_and(|url| ours(&url) && led_from(&url).is_some())
}

/// An id of ours with something added or missing, `/@handle/UUID`, and there the place of a reply.
async fn on_our_pages(conn: &mut Conn, urls: &Urls, url: &Url) -> sqlx::Result<Option<Named>> {
    let path = url.path().strip_suffix('/').unwrap_or(url.path());
    if let Some(local) = urls.local(&format!("{}{path}", urls.origin())) {
        return of_ours(conn, local).await;
    }
    let page = path.strip_prefix("/@").and_then(|page| page.split_once('/'));
    let Some(uuid) = page.and_then(|(_, uuid)| Uuid::try_parse(uuid).ok()) else { return Ok(None) };
    let Some(article) = post::store::article_by_uuid(conn, uuid).await? else { return Ok(None) };
    let place = url.fragment().and_then(|place| place.strip_prefix('r')).and_then(|row| row.parse().ok());
    if let Some(row) = place
        && let Some(reply) = store::post_by_row(conn, InteractionId(row)).await?
        && reply.article == article.id
        && reply.kind == Kind::Reply
    {
        return Ok(Some(Named::Said(Box::new(reply))));
    }
    Ok(Some(Named::Article(Box::new(article))))
}

async fn article_on_page(conn: &mut Conn, url: &Url, page: &str) -> sqlx::Result<Option<Article>> {
    let spellings = of_site(url, page);
    let found = post::store::articles_on_pages(conn, &spellings).await?;
    // Of one page, the newest comes first.
    let likeliest = spellings.iter().find_map(|spelling| found.iter().find(|(_, page)| page == spelling));
    match likeliest {
        Some((id, _)) => post::store::article(conn, *id).await,
        None => Ok(None),
    }
}

async fn said_on_page(conn: &mut Conn, url: &Url, page: &str) -> sqlx::Result<Option<Named>> {
    let spellings = of_reply(url, page);
    let found = store::said_on_pages(conn, &spellings).await?;
    let Some(spelling) = spellings.iter().find(|spelling| found.iter().any(|(page, _)| page == *spelling)) else {
        return Ok(None);
    };
    let mut ids: Vec<String> = found.into_iter().filter(|(page, _)| page == spelling).map(|(_, id)| id).collect();
    if ids.len() > 1 {
        return Ok(Some(Named::Several(ids)));
    }
    let Some(id) = ids.pop() else { return Ok(None) };
    Ok(store::post(conn, &id).await?.map(|reply| Named::Said(Box::new(reply))))
}

/// Spellings of a link to a page of the site, the likeliest first: as it is, then without fragment, without tracking
/// parameters and at last without any query; each with and without a slash at its end, and with the other of http and
/// https.
fn of_site(url: &Url, page: &str) -> Vec<String> {
    let (mut plain, mut bare) = (without_tracking(url), url.clone());
    plain.set_fragment(None);
    bare.set_fragment(None);
    bare.set_query(None);
    let mut all = vec![page.to_owned()];
    for one in [plain, bare] {
        spell(&one, &mut all);
    }
    all
}

/// As [`of_site`], of a page elsewhere: there a query may name the page, and a fragment the reply on it.
fn of_reply(url: &Url, page: &str) -> Vec<String> {
    let mut plain = without_tracking(url);
    // A browser's own, which no page has.
    if plain.fragment().is_some_and(|fragment| fragment.is_empty() || fragment.starts_with(":~:")) {
        plain.set_fragment(None);
    }
    let mut all = vec![page.to_owned()];
    spell(&plain, &mut all);
    all
}

fn without_tracking(url: &Url) -> Url {
    let mut url = url.clone();
    if let Some(query) = url.query() {
        let is_mark = |pair: &&str| {
            let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
            name.starts_with("utm_") || TRACKING.contains(&name.as_str())
        };
        let kept: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !is_mark(pair)).collect();
        let kept = kept.join("&");
        url.set_query((!kept.is_empty()).then_some(kept.as_str()));
    }
    url
}

fn spell(url: &Url, all: &mut Vec<String>) {
    let mut url = url.clone();
    let other_scheme = if url.scheme() == "https" { "http" } else { "https" };
    for _ in 0..2 {
        let path = url.path().strip_suffix("index.html").unwrap_or(url.path()).to_owned();
        let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
        for path in [path, other] {
            let mut spelled = url.clone();
            spelled.set_path(&path);
            if !all.iter().any(|known| known == spelled.as_str()) {
                all.push(spelled.into());
            }
        }
        if url.set_scheme(other_scheme).is_err() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::post::store::PAGES as SPELLINGS;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("an address")
    }

    #[test]
    fn a_page_of_the_site_is_found_however_it_is_linked_to() {
        let page = "https://example.org/post/one/";
        for linked in [
            page,
            "https://example.org/post/one",
            "https://example.org/post/one/index.html",
            "http://example.org/post/one/",
            "https://EXAMPLE.org:443/post/one/?utm_source=x&utm_medium=y#part",
            "https://example.org/post/one?replytocom=5#respond",
        ] {
            let all = of_site(&url(linked), linked);
            assert!(all.iter().any(|spelling| spelling == page), "{linked}: {all:?}");
            assert!(all.len() <= SPELLINGS, "{linked}: {all:?}");
        }
        for other in
            ["https://example.org/post/one/two/", "https://other.example/post/one/", "https://example.org/post/"]
        {
            let all = of_site(&url(other), other);
            assert!(all.iter().all(|spelling| spelling != page), "{other}: {all:?}");
        }
        let with_query = "https://example.org/?p=5";
        let all = of_site(&url("https://example.org/?p=5&fbclid=1"), "https://example.org/?p=5&fbclid=1");
        assert!(all.iter().any(|spelling| spelling == with_query), "{all:?}");
    }

    #[test]
    fn a_page_elsewhere_keeps_what_may_name_it() {
        let all = of_reply(&url("https://w.example/?c=6&utm_source=x"), "https://w.example/?c=6&utm_source=x");
        assert!(all.iter().any(|spelling| spelling == "https://w.example/?c=6"), "{all:?}");
        assert!(all.iter().all(|spelling| spelling.contains("c=6")), "{all:?}");
        let all = of_reply(&url("https://w.example/a/#comment-6"), "https://w.example/a/#comment-6");
        assert!(all.iter().all(|spelling| spelling.ends_with("#comment-6")), "{all:?}");
        let all = of_reply(&url("https://w.example/a/#:~:text=x"), "https://w.example/a/#:~:text=x");
        assert!(all.iter().any(|spelling| spelling == "https://w.example/a/"), "{all:?}");
        assert!(all.len() <= SPELLINGS, "{all:?}");
    }
}
