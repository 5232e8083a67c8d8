//! Copies of pictures on disk, bounded in size and time: the least recently used go first. Losing the folder loses
//! nothing but time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use clock::Timestamp;
use imagesize::{Compression, ImageType};
use tokio::sync::{Mutex, MutexGuard};

/// How long a copy is kept that nobody asks for.
const UNASKED: Duration = Duration::from_hours(30 * 24);

/// A picture format that browsers show and that can hold no script: never SVG.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Avif,
    Gif,
    Jpeg,
    Png,
    Webp,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Avif, Self::Gif, Self::Jpeg, Self::Png, Self::Webp];

    /// From the first bytes.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        match imagesize::image_type(body).ok()? {
            ImageType::Heif(Compression::Av1) => Some(Self::Avif),
            ImageType::Gif => Some(Self::Gif),
            ImageType::Jpeg => Some(Self::Jpeg),
            ImageType::Png => Some(Self::Png),
            ImageType::Webp => Some(Self::Webp),
            _ => None,
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Avif => "avif",
            Self::Gif => "gif",
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }

    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Avif => "image/avif",
            Self::Gif => "image/gif",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// Opened by itself it is downloaded, not shown: a page shows it all the same.
    pub(super) const fn disposition(self) -> &'static str {
        match self {
            Self::Avif => "attachment; filename=\"picture.avif\"",
            Self::Gif => "attachment; filename=\"picture.gif\"",
            Self::Jpeg => "attachment; filename=\"picture.jpeg\"",
            Self::Png => "attachment; filename=\"picture.png\"",
            Self::Webp => "attachment; filename=\"picture.webp\"",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) kind: Kind,
    pub(super) at: Timestamp,
    pub(super) body: Bytes,
}

/// What is known of a copy without reading it; also in its file's name.
#[derive(Clone, Copy, Debug)]
struct Slot {
    kind: Kind,
    at: Timestamp,
    asked: Timestamp,
    bytes: u64,
}

#[derive(Debug)]
pub(super) struct MediaCache {
    folder: PathBuf,
    most: u64,
    /// `None` until the folder is first read.
    slots: Mutex<Option<HashMap<String, Slot>>>,
}

impl MediaCache {
    pub(super) fn new(folder: &Path, most: u64) -> Self {
        Self { folder: folder.to_owned(), most, slots: Mutex::new(None) }
    }

    /// A copy, if there is one. A file that is gone, or not as it was written, counts as none.
    pub(super) async fn take(&self, hash: &str, now: Timestamp) -> Option<Kept> {
        let slot = {
            let mut slots = self.slots().await;
            let slot = slots.as_mut()?.get_mut(hash)?;
            slot.asked = now;
            *slot
        };
        let body = tokio::fs::read(self.path(hash, slot)).await.unwrap_or_default();
        let whole =
            u64::try_from(body.len()).is_ok_and(|bytes| bytes == slot.bytes) && Kind::of(&body) == Some(slot.kind);
        if whole {
            return Some(Kept { kind: slot.kind, at: slot.at, body: body.into() });
        }
        self.slots().await.as_mut()?.remove(hash);
        None
    }

    /// The copies, read from the folder the first time.
    async fn slots(&self) -> MutexGuard<'_, Option<HashMap<String, Slot>>> {
        let mut slots = self.slots.lock().await;
        if slots.is_none() {
            *slots = Some(looked_into(&self.folder).await);
        }
        slots
    }

    /// Keeps a copy. A failure is logged and harms nobody: the picture is fetched again.
    pub(super) async fn put(&self, hash: &str, kept: &Kept) {
        let bytes = u64::try_from(kept.body.len()).unwrap_or(u64::MAX);
        let slot = Slot { kind: kept.kind, at: kept.at, asked: kept.at, bytes };
        if let Err(error) = self.write(hash, slot, &kept.body).await {
            tracing::warn!(folder = %self.folder.display(), %error, "cannot keep a copy of a picture; may this user write there?");
            return;
        }
        let mut slots = self.slots().await;
        let Some(slots) = slots.as_mut() else { return };
        let mut old: Vec<(String, Slot)> =
            slots.insert(hash.to_owned(), slot).map(|old| (hash.to_owned(), old)).into_iter().collect();
        old.retain(|(_, old)| old.at != slot.at || old.kind != slot.kind);
        old.extend(surplus(slots, self.most, kept.at));
        for (hash, slot) in old {
            // It may have gone already.
            let _ = tokio::fs::remove_file(self.path(&hash, slot)).await;
        }
    }

    /// Under another name first, so that nobody reads half of it.
    async fn write(&self, hash: &str, slot: Slot, body: &[u8]) -> std::io::Result<()> {
        tokio::fs::create_dir_all(&self.folder).await?;
        let path = self.path(hash, slot);
        let beside = path.with_extension("part");
        tokio::fs::write(&beside, body).await?;
        tokio::fs::rename(&beside, &path).await
    }

    fn path(&self, hash: &str, slot: Slot) -> PathBuf {
        self.folder.join(format!("{hash}-{}.{}", slot.at.millis(), slot.kind.extension()))
    }
}

/// Removes and returns what nobody asked for in a long time, and what exceeds the bound.
fn surplus(slots: &mut HashMap<String, Slot>, most: u64, now: Timestamp) -> Vec<(String, Slot)> {
    let mut by_age: Vec<(String, Slot)> = slots.iter().map(|(hash, slot)| (hash.clone(), *slot)).collect();
    by_age.sort_by_key(|(_, slot)| slot.asked);
    let mut total: u64 = by_age.iter().map(|(_, slot)| slot.bytes).sum();
    let mut off = Vec::new();
    for (hash, slot) in by_age {
        if total <= most && now.since(slot.asked) < UNASKED {
            break;
        }
        total = total.saturating_sub(slot.bytes);
        slots.remove(&hash);
        off.push((hash, slot));
    }
    off
}

/// What is in the folder; of two copies of one picture the newer.
async fn looked_into(folder: &Path) -> HashMap<String, Slot> {
    let mut slots: HashMap<String, Slot> = HashMap::new();
    let Ok(mut files) = tokio::fs::read_dir(folder).await else { return slots };
    while let Ok(Some(file)) = files.next_entry().await {
        let Some((hash, mut slot)) = file.file_name().to_str().and_then(named) else { continue };
        let Ok(about) = file.metadata().await else { continue };
        slot.bytes = about.len();
        if slots.get(&hash).is_none_or(|other| other.at < slot.at) {
            slots.insert(hash, slot);
        }
    }
    slots
}

fn named(file: &str) -> Option<(String, Slot)> {
    let (stem, extension) = file.split_once('.')?;
    let (hash, at) = stem.split_once('-')?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.extension() == extension)?;
    let at = Timestamp::from_millis(at.parse().ok()?);
    Some((hash.to_owned(), Slot { kind, at, asked: at, bytes: 0 }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(at: i64, tail: usize) -> Kept {
        let mut body = b"GIF89a\x01\x00\x01\x00".to_vec();
        body.resize(10 + tail, 0);
        Kept { kind: Kind::Gif, at: Timestamp::from_millis(at), body: body.into() }
    }

    #[tokio::test]
    async fn the_cache_holds_so_much_and_no_more() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = MediaCache::new(folder.path(), 250);
        for (hash, at) in [("a", 1), ("b", 2)] {
            cache.put(hash, &picture(at, 90)).await;
        }
        assert!(cache.take("a", Timestamp::from_millis(3)).await.is_some(), "now it was asked for last");
        cache.put("c", &picture(4, 90)).await;
        let left = async |cache: &MediaCache| {
            let mut left = Vec::new();
            for hash in ["a", "b", "c"] {
                left.extend(cache.take(hash, Timestamp::from_millis(5)).await.map(|kept| (hash, kept.at.millis())));
            }
            left
        };
        assert_eq!(left(&cache).await, [("a", 1), ("c", 4)]);
        assert_eq!(left(&MediaCache::new(folder.path(), 250)).await, [("a", 1), ("c", 4)], "after a restart too");
        cache.put("a", &picture(6, 10)).await;
        assert_eq!(left(&MediaCache::new(folder.path(), 250)).await, [("a", 6), ("c", 4)]);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 2, "the old copy is gone");
    }

    #[tokio::test]
    async fn a_copy_that_is_not_as_it_was_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = MediaCache::new(folder.path(), 1000);
        cache.put("a", &picture(1, 20)).await;
        std::fs::write(folder.path().join("a-1.gif"), "<svg>").expect("a file");
        assert!(cache.take("a", Timestamp::from_millis(2)).await.is_none());
        cache.put("a", &picture(1, 20)).await;
        std::fs::remove_file(folder.path().join("a-1.gif")).expect("gone");
        assert!(cache.take("a", Timestamp::from_millis(2)).await.is_none());
    }

    #[tokio::test]
    async fn what_nobody_asks_for_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = MediaCache::new(folder.path(), 1000);
        cache.put("a", &picture(1, 20)).await;
        let later = i64::try_from(UNASKED.as_millis()).expect("a number") + 2;
        cache.put("b", &picture(later, 20)).await;
        assert!(cache.take("a", Timestamp::from_millis(later)).await.is_none());
        assert!(cache.take("b", Timestamp::from_millis(later)).await.is_some());
    }
}
