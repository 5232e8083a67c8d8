//! Statements with their values: how stores ask the database.

use std::any::type_name;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, Decode, Encode, Row, SqlSafeStr, Type};

use super::{Conn, decode_error};
use crate::base::figures::asked;
use crate::base::ids::{Handle, Host};
use crate::base::stored::Stored;

/// A statement, ready to run.
#[must_use = "it does nothing until it is run"]
pub(crate) struct Statement(Query<'static, Any, AnyArguments>);

/// A statement with the values of `$1`, `$2` …: one value, or a tuple or an array of them.
pub(crate) fn query(sql: impl SqlSafeStr, values: impl Values) -> Statement {
    values.bind(Statement(sqlx::query(sql)))
}

impl Statement {
    /// Adds values behind those that there are.
    pub(crate) fn bind(self, values: impl Values) -> Self {
        values.bind(self)
    }

    /// Runs it.
    pub(crate) async fn execute(self, conn: &mut Conn) -> sqlx::Result<()> {
        self.affected(conn).await.map(drop)
    }

    /// Runs it, and says how many rows it wrote.
    pub(crate) async fn affected(self, conn: &mut Conn) -> sqlx::Result<u64> {
        asked();
        Ok(self.0.execute(conn).await?.rows_affected())
    }

    /// Runs it, and says whether it wrote any row.
    pub(crate) async fn changed(self, conn: &mut Conn) -> sqlx::Result<bool> {
        Ok(self.affected(conn).await? > 0)
    }

    /// All rows, as `read` reads each.
    pub(crate) async fn fetch_all<T>(
        self,
        conn: &mut Conn,
        read: impl FnMut(&AnyRow) -> sqlx::Result<T>,
    ) -> sqlx::Result<Vec<T>> {
        asked();
        self.0.fetch_all(conn).await?.iter().map(read).collect()
    }

    /// The only row.
    pub(crate) async fn fetch_one<T>(
        self,
        conn: &mut Conn,
        read: impl FnOnce(&AnyRow) -> sqlx::Result<T>,
    ) -> sqlx::Result<T> {
        asked();
        read(&self.0.fetch_one(conn).await?)
    }

    /// The only row, if there is one.
    pub(crate) async fn fetch_optional<T>(
        self,
        conn: &mut Conn,
        read: impl FnOnce(&AnyRow) -> sqlx::Result<T>,
    ) -> sqlx::Result<Option<T>> {
        asked();
        self.0.fetch_optional(conn).await?.as_ref().map(read).transpose()
    }

    /// The first column of all rows.
    pub(crate) async fn scalars<T: Column>(self, conn: &mut Conn) -> sqlx::Result<Vec<T>> {
        self.fetch_all(conn, first).await
    }

    /// The first column of the only row.
    pub(crate) async fn scalar<T: Column>(self, conn: &mut Conn) -> sqlx::Result<T> {
        self.fetch_one(conn, first).await
    }

    /// The first column of the only row, if there is one.
    pub(crate) async fn maybe_scalar<T: Column>(self, conn: &mut Conn) -> sqlx::Result<Option<T>> {
        self.fetch_optional(conn, first).await
    }

    /// Of rows of a text and a number: how much of each there is, in the order of the texts.
    pub(crate) async fn counts(self, conn: &mut Conn) -> sqlx::Result<Vec<(String, i64)>> {
        let mut counts = self.fetch_all(conn, |row| Ok((row.try_get(0)?, row.try_get(1)?))).await?;
        counts.sort();
        Ok(counts)
    }

    /// Whether there is any row.
    pub(crate) async fn exists(self, conn: &mut Conn) -> sqlx::Result<bool> {
        asked();
        Ok(self.0.fetch_optional(conn).await?.is_some())
    }
}

fn first<T: Column>(row: &AnyRow) -> sqlx::Result<T> {
    T::from_column(row.try_get(0)?)
}

/// What the only column of a row is read as.
pub(crate) trait Column: Sized {
    /// As the database has it.
    type As: for<'r> Decode<'r, Any> + Type<Any>;
    /// From what the database has.
    fn from_column(column: Self::As) -> sqlx::Result<Self>;
}

impl<S: Stored> Column for S {
    type As = S::As;
    fn from_column(column: S::As) -> sqlx::Result<S> {
        S::from_stored(column).ok_or_else(|| decode_error(format!("a column holds no {}", type_name::<S>())))
    }
}

impl<C: Column> Column for Option<C> {
    type As = Option<C::As>;
    fn from_column(column: Self::As) -> sqlx::Result<Self> {
        column.map(C::from_column).transpose()
    }
}

/// A value of a statement.
pub(crate) trait Value {
    /// As the database has it.
    type As: for<'q> Encode<'q, Any> + Type<Any> + 'static;
    /// As the database has it.
    fn value(self) -> Self::As;
}

/// The values of a statement, in their order.
pub(crate) trait Values {
    /// Adds them to a statement.
    fn bind(self, statement: Statement) -> Statement;
}

impl<V: Value> Values for V {
    fn bind(self, Statement(query): Statement) -> Statement {
        Statement(query.bind(self.value()))
    }
}

impl<V: Value, const N: usize> Values for [V; N] {
    fn bind(self, statement: Statement) -> Statement {
        self.into_iter().fold(statement, |statement, value| value.bind(statement))
    }
}

impl Values for () {
    fn bind(self, statement: Statement) -> Statement {
        statement
    }
}

/// Tuples of values, up to the length that is written out.
macro_rules! tuples {
    () => {};
    ($first:ident $one:ident $(, $next:ident $other:ident)*) => {
        impl<$first: Value, $($next: Value),*> Values for ($first, $($next,)*) {
            fn bind(self, statement: Statement) -> Statement {
                let ($one, $($other,)*) = self;
                let statement = $one.bind(statement);
                $(let statement = $other.bind(statement);)*
                statement
            }
        }
        tuples!($($next $other),*);
    };
}
tuples!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l, M m, N n, O o, P p);

impl<S: Stored> Value for S {
    type As = S::As;
    fn value(self) -> S::As {
        self.stored()
    }
}

impl<V: Value> Value for Option<V> {
    type As = Option<V::As>;
    fn value(self) -> Self::As {
        self.map(V::value)
    }
}

/// Of what is borrowed, the text is stored.
macro_rules! texts {
    ($($name:ty),+) => {$(
        impl Value for &$name {
            type As = String;
            fn value(self) -> String {
                self.to_string()
            }
        }
    )+};
}
texts!(str, String, Handle, Host);

impl<'a, T> Value for &'a Option<T>
where
    &'a T: Value,
{
    type As = Option<<&'a T as Value>::As>;
    fn value(self) -> Self::As {
        self.as_ref().map(Value::value)
    }
}
