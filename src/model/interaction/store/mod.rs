//! The only SQL for interactions: posts of a conversation, notes of ours among them, opinions of it, and all as they are shown.

mod counts;
mod notes;
mod pages;
mod posts;
mod reactions;
mod reading;
mod review;
mod versions;

pub use counts::{answers, answers_below, count_held, count_replies, count_states};
pub use notes::{
    NotesToEnd, answers_to_note, count_notes, count_unsaid_notes, end_notes, insert_note, mark_note_said, note_by_uuid,
    reply_ids_below, revise_note, speaker, unsaid_notes, writer,
};
pub use pages::{fill_pages, said_on_pages};
pub use posts::{
    History, NewPost, decide, edit_post, end_all, end_post, history, insert_post, post, post_by_row, post_by_uuid,
    post_versions, reopen_post, words,
};
pub use reactions::{NewReaction, end_opinion, put_opinion};
pub use reading::{
    ConversationPage, Filter, Order, conversation, face, list, looked_at, people, reply_ids, shown, shown_words,
};
pub use review::{Ruling, Said, is_shown_somewhere, ruling, said_after, set_block};
pub use versions::{ConversationVersion, changed_with, changes, versions};

/// What is shown, of an interaction `i`.
macro_rules! standing {
    () => {
        "i.ended_at IS NULL AND i.held_at IS NULL AND i.hidden_at IS NULL AND i.block_id IS NULL"
    };
}
use standing;
