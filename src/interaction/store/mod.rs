//! The only SQL for interactions: posts of a conversation, opinions of it, and both as they are shown.

mod opinions;
mod posts;
mod reading;
mod rulings;

pub use opinions::{NewOpinion, end_by_activity, end_opinion, put_opinion};
pub use posts::{
    NewPost, decide, edit_post, end_all, end_post, insert_post, post, post_by_row, post_by_uuid, reopen_post, wordings,
};
pub use reading::{Filter, Page, answers, conversation, count_replies, count_states, list, people, reply_ids, shown};
pub use rulings::{Ruling, Said, is_shown_somewhere, ruling, said_after, set_block};

/// What is shown, of an interaction `i`.
macro_rules! standing {
    () => {
        "i.ended_at IS NULL AND i.held_at IS NULL AND i.hidden_at IS NULL AND i.block_id IS NULL"
    };
}
use standing;
