//! Whatever is done to files, a post that keeps its text, or its title and date, keeps its article.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use tokio::runtime::Runtime;
use veerpont::model::post;
use veerpont::site::source::store;

use crate::world::{World, on_each_engine};

/// Few names, so that posts take each other's.
const NAMES: [&str; 6] = ["a", "b", "c", "deep/a", "deep/b", "deep/c"];

/// What somebody does to a tree.
#[derive(Clone, Debug)]
enum Deed {
    Add(Index),
    Rename(Index, Index),
    Swap(Index, Index),
    Rewrite(Index),
    Retitle(Index),
    Delete(Index),
    Undelete(Index, Index),
    Sync,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let which = any::<Index>;
    let deed = prop_oneof![
        3 => which().prop_map(Deed::Add),
        3 => (which(), which()).prop_map(|(post, name)| Deed::Rename(post, name)),
        1 => (which(), which()).prop_map(|(one, other)| Deed::Swap(one, other)),
        2 => which().prop_map(Deed::Rewrite),
        2 => which().prop_map(Deed::Retitle),
        2 => which().prop_map(Deed::Delete),
        2 => (which(), which()).prop_map(|(post, name)| Deed::Undelete(post, name)),
        4 => Just(Deed::Sync),
    ];
    proptest::collection::vec(deed, 1..40)
}

/// A post as its author thinks of it.
#[derive(Clone, Debug)]
struct Thought {
    number: usize,
    /// Where it stands, if it stands anywhere.
    name: Option<&'static str>,
    title: usize,
    body: usize,
    day: u64,
    /// What a scan last saw of it: title and body.
    seen: Option<(usize, usize)>,
    article: Option<i64>,
    /// Where a scan last saw it, unless another post stands there since.
    last: Option<&'static str>,
}

#[derive(Default)]
struct Desk {
    posts: Vec<Thought>,
}

impl Desk {
    fn free(&self, which: Index) -> Option<&'static str> {
        let free: Vec<_> =
            NAMES.into_iter().filter(|name| self.posts.iter().all(|post| post.name != Some(name))).collect();
        (!free.is_empty()).then(|| *which.get(&free))
    }

    fn one(&mut self, which: Index, standing: bool) -> Option<&mut Thought> {
        let mut some: Vec<_> = self.posts.iter_mut().filter(|post| post.name.is_some() == standing).collect();
        if some.is_empty() { None } else { Some(some.swap_remove(which.index(some.len()))) }
    }

    fn take(&mut self, deed: &Deed) {
        match *deed {
            Deed::Add(name) => {
                let number = self.posts.len();
                let name = self.free(name);
                if name.is_some() {
                    let day = u64::try_from(number % 3).unwrap_or(0);
                    self.posts.push(Thought {
                        number,
                        name,
                        title: 0,
                        body: 0,
                        day,
                        seen: None,
                        article: None,
                        last: None,
                    });
                }
            }
            Deed::Rename(which, name) => {
                let name = self.free(name);
                if let (Some(post), Some(_)) = (self.one(which, true), name) {
                    post.name = name;
                }
            }
            Deed::Swap(one, other) => {
                let one = self.one(one, true).map(|post| (post.number, post.name));
                let other = self.one(other, true).map(|post| (post.number, post.name));
                if let (Some((one, its)), Some((other, others))) = (one, other) {
                    self.posts[one].name = others;
                    self.posts[other].name = its;
                }
            }
            // One of the two may change between two looks of a scan, not both.
            Deed::Rewrite(which) => {
                if let Some(post) =
                    self.one(which, true).filter(|post| post.seen.is_none_or(|(title, _)| title == post.title))
                {
                    post.body += 1;
                }
            }
            Deed::Retitle(which) => {
                if let Some(post) =
                    self.one(which, true).filter(|post| post.seen.is_none_or(|(_, body)| body == post.body))
                {
                    post.title += 1;
                }
            }
            Deed::Delete(which) => {
                if let Some(post) = self.one(which, true) {
                    post.name = None;
                }
            }
            Deed::Undelete(which, name) => {
                let name = self.free(name);
                if let (Some(post), Some(_)) = (self.one(which, false), name) {
                    post.name = name;
                }
            }
            Deed::Sync => {}
        }
    }

    /// A new post in the place of one that is nowhere is that one, rewritten (ADR 9: the same key is the same
    /// post); a known one that moves there takes only the place.
    fn settle_places(&mut self) {
        for at in 0..self.posts.len() {
            let (name, known) = (self.posts[at].name, self.posts[at].article.is_some());
            let there = |post: &Thought| post.name.is_none() && post.last == name;
            let gone = self.posts.iter().position(there).filter(|_| name.is_some());
            let Some(gone) = gone else { continue };
            self.posts[gone].last = None;
            if !known {
                self.posts[at].article = self.posts[gone].article.take();
                self.posts[gone].seen = None;
            }
        }
    }

    /// Puts what is thought into the tree, and looks what becomes of it.
    async fn sync(&mut self, world: &World) {
        for name in NAMES {
            if world.site.folder_of(name).exists() {
                world.site.remove(name);
            }
        }
        for post in &self.posts {
            let Some(name) = post.name else { continue };
            let (number, day) = (post.number, post.day);
            let head = format!("title: Post {number}, {}\ndate: 2026-10-0{}", post.title, day + 1);
            world.site.page(name, &head, &format!("Post {number} says {}.", post.body));
        }
        self.settle_places();
        // Minutes, not days: nothing is away for long enough to be removed.
        world.advance(Duration::from_mins(1));
        let before = articles(world).await.1;
        let report = world.publish().await;
        let (by_key, count) = articles(world).await;
        let new = self.posts.iter().filter(|post| post.name.is_some() && post.article.is_none()).count();
        assert_eq!((report.created, report.removed), (new, 0), "{:?}", report.changes);
        assert_eq!(count, before + i64::try_from(new).expect("a number"));
        for post in &mut self.posts {
            let Some(name) = post.name else { continue };
            let article = by_key.get(&format!("post/{name}")).copied();
            assert!(article.is_some(), "post {} has no article at {name}: {by_key:?}", post.number);
            assert!(post.article.is_none() || post.article == article, "{post:?} got another's: {:?}", report.changes);
            post.article = article;
            (post.last, post.seen) = (post.name, Some((post.title, post.body)));
        }
    }
}

/// The article of each post, and how many there are in all.
async fn articles(world: &World) -> (BTreeMap<String, i64>, i64) {
    let mut conn = world.app.db.read().await.expect("a connection");
    let source = store::known(&mut conn).await.expect("sources")[0].id;
    let posts = post::store::posts(&mut conn, source).await.expect("posts");
    let standing = posts.into_iter().filter(|post| post.article_stands);
    let by_key = standing.filter_map(|post| Some((post.key, post.article?.0))).collect();
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM articles").fetch_one(&mut *conn).await.expect("a count");
    (by_key, count)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_post_that_keeps_its_text_or_its_title_and_date_keeps_its_article(deeds in deeds()) {
        Runtime::new().expect("a runtime").block_on(on_each_engine(async |world| {
            world.publish().await;
            let mut desk = Desk::default();
            for deed in deeds.iter().chain([&Deed::Sync]) {
                desk.take(deed);
                if matches!(deed, Deed::Sync) {
                    desk.sync(world).await;
                }
            }
        }));
    }
}
