//! Trees put together by chance, the same at every run.

use super::Tree;

pub(super) fn all() -> Vec<Tree> {
    Vec::new()
}
