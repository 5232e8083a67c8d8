//! The only SQL for posts and articles.

mod articles;
mod posts;

pub use articles::{
    PAGES, article, article_by_context, article_by_uuid, articles_on_pages, count_in_community, count_publishers,
    count_standing, count_standing_of, count_unsaid, delete_article, insert_article, mark_said, owners_in_community,
    push_article, revise_article, set_expiry, spoken_of, standing_articles, standing_in, unsaid,
};
pub use posts::{
    count_states, park_key, post, posts, posts_after, posts_by_key, release, restore_key, save_post, traced, withhold,
    withhold_post,
};
