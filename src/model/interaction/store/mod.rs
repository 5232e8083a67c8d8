//! The only SQL for interactions: posts of a conversation, notes of ours among them, reactions to it, and all as they
//! are shown.

mod counts;
mod notes;
mod pages;
mod posts;
mod reactions;
mod reading;
mod review;
mod versions;

pub use counts::answers;
pub(crate) use counts::{answers_below, count_held, count_replies, count_states};
pub use notes::count_unsaid_notes;
pub(crate) use notes::{
    NotesToEnd, answers_to_note, count_notes, end_notes, insert_note, mark_note_said, note_by_uuid, reply_ids_below,
    revise_note, speaker, unsaid_notes, writer,
};
pub(crate) use pages::{fill_pages, said_on_pages};
pub use posts::{NewPost, decide, end_post, insert_post, post, post_versions, words};
pub(crate) use posts::{edit_post, end_all, history, post_by_row, post_by_uuid, reopen_post};
pub use reactions::{NewReaction, put_opinion};
pub(crate) use reactions::{end_opinion, put_opinions};
pub use reading::{ConversationPage, Filter, Order, conversation, list};
pub(crate) use reading::{face, looked_at, people, reply_ids, shown, shown_words};
pub use review::ruling;
pub(crate) use review::{Ruling, Said, is_shown_somewhere, said_after, set_block};
pub(crate) use versions::{changed_with, changes, versions};

/// Condition for what is shown, of an interaction `i`.
macro_rules! standing {
    () => {
        "i.ended_at IS NULL AND i.held_at IS NULL AND i.hidden_at IS NULL AND i.block_id IS NULL"
    };
}
use standing;
