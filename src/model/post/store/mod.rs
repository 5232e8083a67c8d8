//! The only SQL for posts and articles.

mod articles;
mod posts;

pub(crate) use articles::{
    PAGES, article, article_by_context, count_in_community, count_publishers, count_standing, count_standing_of,
    delete_article, insert_article, mark_said, next_expiry, owners_in_community, push_article, revise_article,
    set_expiry, standing_in,
};
pub use articles::{article_by_uuid, articles_on_pages, count_unsaid, spoken_of, standing_articles, unsaid};
pub(crate) use posts::{count_states, park_key, release, restore_key, save_post, traced, withhold, withhold_post};
pub use posts::{post, posts, posts_after, posts_by_key};
