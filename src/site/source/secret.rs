//! Secrets that the operator keeps in files.

use std::path::Path;

use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

/// Reads a secret of at most `limit` bytes, without the line break at its end.
///
/// # Errors
/// In words for people, without any of the file's content.
pub(super) async fn read(file: &Path, limit: u64) -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::new());
    let opened = tokio::fs::File::open(file).await.map_err(|error| error.to_string())?;
    opened.take(limit + 1).read_to_string(&mut text).await.map_err(|error| error.to_string())?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > limit {
        return Err(format!("it is longer than {limit} bytes"));
    }
    let secret = Zeroizing::new(text.trim().to_owned());
    if secret.is_empty() {
        return Err("it is empty".to_owned());
    }
    if secret.contains(char::is_control) {
        return Err("it holds more than one line".to_owned());
    }
    Ok(secret)
}
