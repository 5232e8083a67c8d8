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
