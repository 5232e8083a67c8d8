//! The relation of a remote actor to something of ours: one, however many activities told of it (ADR 12).

pub(crate) mod store;

use std::collections::BTreeMap;

use clock::Timestamp;

use crate::base::stored::words;

words! {
    #[derive(PartialOrd, Ord, Hash)]
    pub(crate) enum Kind {
        /// They follow one of our actors.
        Follow = "follow",
        /// They block one of our actors, and so follow no more.
        Block = "block",
        /// They like it; one relation for each emoji that a like comes with.
        Like = "like",
        /// They vote it down, and so like it no more.
        Dislike = "dislike",
        Boost = "boost",
    }
}

impl Kind {
    /// Those to an actor of ours.
    pub(crate) const OF_ACTORS: [Self; 2] = [Self::Follow, Self::Block];

    /// Those to an article or a note of ours.
    pub(crate) const OF_POSTS: [Self; 3] = [Self::Like, Self::Dislike, Self::Boost];

    /// What an activity of this type begins. An emoji reaction is a like with an emoji (FEP-c0e0).
    pub(crate) fn of_activity(kind: &str) -> Option<Self> {
        match kind {
            "Follow" => Some(Self::Follow),
            "Block" => Some(Self::Block),
            "Like" | "EmojiReact" => Some(Self::Like),
            "Dislike" => Some(Self::Dislike),
            "Announce" => Some(Self::Boost),
            _ => None,
        }
    }

    /// What ends when this begins: who blocks does not follow, and a vote is up or down (Lemmy changes it without an Undo).
    fn opposite(self) -> Option<Self> {
        match self {
            Self::Follow => Some(Self::Block),
            Self::Block => Some(Self::Follow),
            Self::Like => Some(Self::Dislike),
            Self::Dislike => Some(Self::Like),
            Self::Boost => None,
        }
    }
}

/// Most emoji of one actor on one thing; Pleroma lets people react with as many as they like.
pub(crate) const SIGNS_MAX: usize = 32;

/// In place of an emoji: all of them, and any.
const ANY: &str = "*";

/// An activity that begins or ends a relation, and when it was made as far as that can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its id.
    pub(crate) id: String,
    /// Its `published`.
    pub(crate) made: Option<Timestamp>,
    /// The number of its first arrival.
    pub(crate) first: i64,
    /// The number of its last arrival: another than the first where one id is sent again, and nothing in it tells that it
    /// was made only once.
    pub(crate) last: i64,
}

impl Event {
    fn came_again(&self) -> bool {
        self.last != self.first
    }
}

/// What became of a relation: a register of the last activity about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Whether it stands.
    pub(crate) stands: bool,
    /// The activity that last began it.
    pub(crate) begun_by: Option<String>,
    /// The number of that activity's first arrival.
    pub(crate) begun_first: i64,
    /// When the last activity about it was made.
    pub(crate) made: Option<Timestamp>,
    /// The number of the arrival of the last activity about it.
    pub(crate) heard: i64,
}

impl Cell {
    /// Whether an activity was made after the last one: by their own times, else by the order of arrival.
    fn is_before(&self, event: &Event) -> bool {
        match (event.made, self.made) {
            (Some(made), Some(last)) if made != last => made > last,
            _ => event.last > self.heard,
        }
    }

    /// Whether both have a time, so that their order is known.
    fn tells_order(&self, event: &Event) -> bool {
        matches!((event.made, self.made), (Some(made), Some(last)) if made != last)
    }

    fn is_begun_by(&self, event: &Event) -> bool {
        if self.tells_order(event) || !event.came_again() || !self.is_before(event) {
            return self.is_before(event);
        }
        // The same id sent again is a new activity where the relation ended in between; else it is the same once more.
        // It is also the same once more where the server gave a later one an id of its own.
        !self.stands && self.heard > event.first && self.begun_by.as_ref().is_none_or(|id| *id == event.id)
    }

    fn is_ended_by(&self, event: &Event) -> bool {
        if self.tells_order(event) || !event.came_again() || !self.is_before(event) {
            return self.is_before(event);
        }
        // As above: it ends again what began again by an id that was there before it.
        !self.stands || self.begun_first < event.first
    }
}

/// What an activity that begins a relation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// The relation stands because of it.
    Now,
    /// Another activity counts: this one came before, or the other was made later.
    Before,
    /// It had been undone before it came.
    Undone,
    /// There are [`SIGNS_MAX`] of that kind already.
    TooMany,
}

/// All relations of one remote actor to one thing of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Relations {
    cells: BTreeMap<(Kind, String), Cell>,
}

impl Relations {
    pub(crate) fn stands(&self, kind: Kind, sign: &str) -> bool {
        self.cells.get(&(kind, sign.to_owned())).is_some_and(|cell| cell.stands)
    }

    /// The id of the activity by which it began.
    pub(crate) fn begun_by(&self, kind: Kind, sign: &str) -> Option<&str> {
        self.cells.get(&(kind, sign.to_owned()))?.begun_by.as_deref()
    }

    /// Relations that stand and did not before, or the other way round: kind, emoji, and whether they stand.
    pub(crate) fn changed_since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (Kind, &'a str, bool)> {
        let changed = |((kind, sign), cell): &(&(Kind, String), &Cell)| before.stands(*kind, sign) != cell.stands;
        self.cells.iter().filter(changed).map(|((kind, sign), cell)| (*kind, sign.as_str(), cell.stands))
    }

    /// Takes in an activity that begins a relation. `undos` are those of the same actor that name it by its id.
    pub(crate) fn begin(&mut self, kind: Kind, sign: &str, event: &Event, undos: &[Event]) -> Begun {
        let undos: Vec<&Event> = undos.iter().filter(|undo| undo.last < event.last).collect();
        // They may have come before anybody could know what they were about.
        for undo in &undos {
            self.end_one(kind, sign, undo, true);
        }
        let made_later = |undo: &Event| matches!((event.made, undo.made), (Some(made), Some(undone)) if made > undone);
        if let Some(undo) = undos.iter().find(|undo| !event.came_again() && !made_later(undo)) {
            // It was made just before.
            self.end_opposite(kind, &Event { first: undo.last, last: undo.last, ..event.clone() });
            return Begun::Undone;
        }
        let counts = self.cell(kind, sign).is_none_or(|cell| cell.is_begun_by(event));
        if counts {
            let (begun_by, begun_first) = (Some(event.id.clone()), event.first);
            let begun = Cell { stands: true, begun_by, begun_first, made: event.made, heard: event.last };
            if !self.keep(kind, sign, begun) {
                return Begun::TooMany;
            }
        }
        if counts || !event.came_again() {
            self.end_opposite(kind, &Event { first: event.last, ..event.clone() });
        }
        if counts { Begun::Now } else { Begun::Before }
    }

    /// What is known of a relation; of a new emoji, what is known of all.
    fn cell(&self, kind: Kind, sign: &str) -> Option<&Cell> {
        let of = |sign: &str| self.cells.get(&(kind, sign.to_owned()));
        of(sign).or_else(|| of(ANY))
    }

    /// Keeps what became of a relation; false where there are too many of that kind, all standing.
    fn keep(&mut self, kind: Kind, sign: &str, cell: Cell) -> bool {
        let slot = (kind, sign.to_owned());
        if !self.cells.contains_key(&slot) && self.cells.keys().filter(|(of, _)| *of == kind).count() >= SIGNS_MAX {
            let over = self.cells.iter().filter(|((of, sign), cell)| *of == kind && sign != ANY && !cell.stands);
            let Some(oldest) = over.min_by_key(|(_, cell)| cell.heard).map(|(slot, _)| slot.clone()) else {
                return false;
            };
            self.cells.remove(&oldest);
        }
        self.cells.insert(slot, cell);
        true
    }

    /// Takes in an activity that ends relations of a kind: that with this emoji, or with any.
    pub(crate) fn end(&mut self, kind: Kind, sign: Option<&str>, event: &Event) {
        match sign {
            Some(sign) => self.end_one(kind, sign, event, true),
            None if kind == Kind::Like => self.end_every(kind, event, true),
            None => self.end_one(kind, "", event, true),
        }
    }

    /// Ends this when its opposite begins. An activity without a time ends nothing that comes later.
    fn end_opposite(&mut self, kind: Kind, event: &Event) {
        let remember = event.made.is_some();
        match kind.opposite() {
            Some(Kind::Like) => self.end_every(Kind::Like, event, remember),
            Some(opposite) => self.end_one(opposite, "", event, remember),
            None => {}
        }
    }

    fn end_every(&mut self, kind: Kind, event: &Event, remember: bool) {
        for ((of, _), cell) in &mut self.cells {
            if *of == kind {
                end_cell(cell, event);
            }
        }
        if remember {
            self.end_one(kind, ANY, event, true);
        }
    }

    fn end_one(&mut self, kind: Kind, sign: &str, event: &Event, remember: bool) {
        if let Some(cell) = self.cells.get_mut(&(kind, sign.to_owned())) {
            end_cell(cell, event);
        } else if remember {
            let fresh = Cell { stands: false, begun_by: None, begun_first: 0, made: event.made, heard: event.last };
            let mut ended = self.cell(kind, sign).cloned().unwrap_or(fresh);
            end_cell(&mut ended, event);
            self.keep(kind, sign, ended);
        }
    }
}

fn end_cell(cell: &mut Cell, event: &Event) {
    if cell.is_ended_by(event) {
        (cell.stands, cell.made, cell.heard) = (false, event.made, event.last);
    }
}

#[cfg(test)]
mod tests;
