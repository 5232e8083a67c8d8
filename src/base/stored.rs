//! What of our types stands in a column of the database: a number or a text (ADR 1).

use clock::Timestamp;
use sqlx::{Any, Decode, Encode, Type};
use uuid::Uuid;

/// A type that a column holds.
pub(crate) trait Stored: Sized {
    /// A number or a text.
    type As: for<'q> Encode<'q, Any> + for<'r> Decode<'r, Any> + Type<Any> + 'static;
    /// As the column holds it.
    fn stored(self) -> Self::As;
    /// From the column; `None` where that holds something else.
    fn from_stored(stored: Self::As) -> Option<Self>;
}

/// Says how types are stored: as what, written how, and read how.
macro_rules! stored {
    ($($name:ty as $stored:ty: $write:expr, $read:expr;)+) => {$(
        impl $crate::base::stored::Stored for $name {
            type As = $stored;
            fn stored(self) -> $stored {
                $write(self)
            }
            fn from_stored(stored: $stored) -> Option<Self> {
                $read(stored)
            }
        }
    )+};
}
pub(crate) use stored;

stored! {
    i64 as i64: std::convert::identity, Some;
    String as String: std::convert::identity, Some;
    bool as i64: i64::from, |stored| Some(stored != 0);
    Timestamp as i64: Timestamp::millis, |stored| Some(Timestamp::from_millis(stored));
    Uuid as String: |uuid: Uuid| uuid.to_string(), |stored: String| Uuid::parse_str(&stored).ok();
}

/// An enum of words.
pub trait Word: Copy + 'static {
    /// All there are.
    const ALL: &'static [Self];
    /// As the database and people have it.
    fn word(self) -> &'static str;
    /// From the database, or from people.
    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.word() == text)
    }
}

impl<W: Word> Stored for W {
    type As = String;
    fn stored(self) -> String {
        self.word().to_owned()
    }
    fn from_stored(stored: String) -> Option<Self> {
        Self::parse(&stored)
    }
}

/// Declares an enum of which each variant is a word, in the database, in JSON and to people.
macro_rules! words {
    ($(#[$outer:meta])* $vis:vis enum $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$inner])* $variant,)+
        }

        impl $name {
            /// As the database and people have it.
            #[must_use]
            $vis const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl $crate::base::stored::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];
            fn word(self) -> &'static str {
                self.as_str()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;
