//! Reading our own types from rows that hold only TEXT and BIGINT, and writing them.

use clock::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::base::stored::Word;

/// Columns of our own types.
pub trait Columns {
    /// Text.
    ///
    /// # Errors
    /// When the column is not there or holds something else; so for all of these.
    fn text(&self, column: &str) -> sqlx::Result<String>;
    /// Text or NULL.
    fn maybe_text(&self, column: &str) -> sqlx::Result<Option<String>>;
    /// A whole number.
    fn int(&self, column: &str) -> sqlx::Result<i64>;
    /// A whole number or NULL.
    fn maybe_int(&self, column: &str) -> sqlx::Result<Option<i64>>;
    /// A number that says yes unless it is 0.
    fn flag(&self, column: &str) -> sqlx::Result<bool>;
    /// A moment.
    fn time(&self, column: &str) -> sqlx::Result<Timestamp>;
    /// A moment or NULL.
    fn maybe_time(&self, column: &str) -> sqlx::Result<Option<Timestamp>>;
    /// A public name.
    fn uuid(&self, column: &str) -> sqlx::Result<Uuid>;
    /// A word.
    fn word<W: Word>(&self, column: &str) -> sqlx::Result<W>;
    /// JSON of one of our types.
    fn json<T: DeserializeOwned>(&self, column: &str) -> sqlx::Result<T>;
    /// JSON of one of our types, or NULL.
    fn maybe_json<T: DeserializeOwned>(&self, column: &str) -> sqlx::Result<Option<T>>;
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> sqlx::Result<String> {
        self.try_get(column)
    }

    fn maybe_text(&self, column: &str) -> sqlx::Result<Option<String>> {
        self.try_get(column)
    }

    fn int(&self, column: &str) -> sqlx::Result<i64> {
        self.try_get(column)
    }

    fn maybe_int(&self, column: &str) -> sqlx::Result<Option<i64>> {
        self.try_get(column)
    }

    fn flag(&self, column: &str) -> sqlx::Result<bool> {
        Ok(self.int(column)? != 0)
    }

    fn time(&self, column: &str) -> sqlx::Result<Timestamp> {
        self.int(column).map(Timestamp::from_millis)
    }

    fn maybe_time(&self, column: &str) -> sqlx::Result<Option<Timestamp>> {
        Ok(self.maybe_int(column)?.map(Timestamp::from_millis))
    }

    fn uuid(&self, column: &str) -> sqlx::Result<Uuid> {
        Uuid::parse_str(&self.text(column)?).map_err(decode_error)
    }

    fn word<W: Word>(&self, column: &str) -> sqlx::Result<W> {
        let word = self.text(column)?;
        W::parse(&word).ok_or_else(|| decode_error(format!("{column} is no `{word}`")))
    }

    fn json<T: DeserializeOwned>(&self, column: &str) -> sqlx::Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(decode_error)
    }

    fn maybe_json<T: DeserializeOwned>(&self, column: &str) -> sqlx::Result<Option<T>> {
        self.maybe_text(column)?.map(|text| serde_json::from_str(&text).map_err(decode_error)).transpose()
    }
}

/// A row that does not hold what we wrote.
pub(crate) fn decode_error(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// One of our types as JSON text, for a column.
///
/// # Errors
/// When the type cannot be written as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}
