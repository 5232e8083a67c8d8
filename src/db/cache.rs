//! A bounded cache of what was made from the database, each entry fresh for as long as nothing that it was made from has changed.

use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;

use moka::future::Cache;
use moka::policy::EvictionPolicy;

use super::{Db, Stamp, Topic};

/// What was made, by its key. Cheap to share.
pub(crate) struct Cached<K, V>(Cache<(K, Stamp), V>);

impl<K, V> Clone for Cached<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Cached<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// For `most` entries, of which the one goes that was not asked for the longest.
    pub(crate) fn new(most: u64) -> Self {
        Self::weighed(most, |_, _| 1)
    }

    /// For entries that weigh `most` together.
    pub(crate) fn weighed(most: u64, weight: impl Fn(&K, &V) -> u32 + Send + Sync + 'static) -> Self {
        // What is stale is asked for no more, and goes.
        let cache = Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru());
        Self(cache.weigher(move |(key, _), value| weight(key, value)).build())
    }

    /// What there is, if it is fresh; else what `make` makes, once for all who ask meanwhile. `topics` is all that it is made
    /// from. Where others may have changed that, see [`Db::catch_up`].
    ///
    /// # Errors
    /// Those of `make`, which is asked again the next time.
    pub(crate) async fn get<E: Send + Sync + 'static>(
        &self,
        db: &Db,
        key: K,
        topics: &[Topic<'_>],
        make: impl Future<Output = Result<V, E>>,
    ) -> Result<V, Arc<E>> {
        self.0.try_get_with((key, db.stamp(topics)), make).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::ArticleId;
    use crate::db::changed;

    const TOPICS: [Topic<'static>; 1] = [Topic::Article(ArticleId(1))];

    #[tokio::test]
    async fn what_is_fresh_is_made_once() {
        let (db, cached) = (Db::in_memory().await.expect("a database"), Cached::new(10));
        let get = async |value: Result<u8, &'static str>| {
            cached.get(&db, "key", &TOPICS, async move { value }).await.map_err(|error| *error)
        };
        assert_eq!(get(Err("not now")).await, Err("not now"));
        assert_eq!(get(Ok(1)).await, Ok(1));
        assert_eq!(get(Ok(2)).await, Ok(1));
        let write = db.write(|_| {
            Box::pin(async {
                changed(TOPICS[0]);
                Ok::<_, sqlx::Error>(())
            })
        });
        write.await.expect("a write");
        assert_eq!(get(Ok(3)).await, Ok(3));
    }
}
