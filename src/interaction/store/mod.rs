//! The only SQL for interactions: posts of a conversation, opinions of it, and both as they are shown.

mod opinions;
mod posts;
mod reading;

pub use opinions::{NewOpinion, end_by_activity, end_opinion, put_opinion};
pub use posts::{
    NewPost, decide, edit_post, end_all, end_post, insert_post, post, post_by_row, post_by_uuid, reopen_post, wordings,
};
pub use reading::{
    Filter, Order, Page, answers, conversation, count_replies, count_states, face, list, people, reply_ids, shown,
    words,
};

/// What is shown, of an interaction `i`.
macro_rules! standing {
    () => {
        "i.ended_at IS NULL AND i.held_at IS NULL AND i.hidden_at IS NULL AND i.block_id IS NULL"
    };
}
use standing;
