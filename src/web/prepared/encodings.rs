//! Bodies in the encodings that clients accept, each made once.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::ACCEPT_ENCODING;
use tokio::sync::OnceCell;

/// A medium level costs little and saves most.
const BROTLI_LEVEL: u32 = 5;
const BROTLI_WINDOW: u32 = 22;
const BUFFER: usize = 8 * 1024;

/// An encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Brotli,
}

impl Encoding {
    /// The best one that a client accepts (RFC 9110 section 12.5.3).
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        let (mut gzip, mut brotli) = (0.0, 0.0);
        let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        for part in values.flat_map(|value| value.split(',')) {
            let (name, liking) = part.split_once(';').unwrap_or((part, "q=1"));
            let liking = liking.trim().strip_prefix("q=").and_then(|liking| liking.parse::<f32>().ok()).unwrap_or(0.0);
            match name.trim() {
                name if name.eq_ignore_ascii_case("br") => brotli = liking,
                name if name.eq_ignore_ascii_case("gzip") => gzip = liking,
                _ => {}
            }
        }
        if brotli > 0.0 && brotli >= gzip {
            Self::Brotli
        } else if gzip > 0.0 {
            Self::Gzip
        } else {
            Self::Identity
        }
    }

    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    fn encode(self, plain: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(plain.to_vec()),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(plain)?;
                encoder.finish()
            }
            Self::Brotli => {
                let mut encoder = brotli::CompressorWriter::new(Vec::new(), BUFFER, BROTLI_LEVEL, BROTLI_WINDOW);
                encoder.write_all(plain)?;
                encoder.flush()?;
                Ok(encoder.into_inner())
            }
        }
    }
}

/// A body, and what was made of it so far.
#[derive(Debug)]
pub(super) struct Bodies {
    plain: Bytes,
    compresses: bool,
    gzip: OnceCell<Option<Bytes>>,
    brotli: OnceCell<Option<Bytes>>,
}

impl Bodies {
    pub(super) fn new(plain: Bytes, compresses: bool) -> Self {
        Self { plain, compresses, gzip: OnceCell::new(), brotli: OnceCell::new() }
    }

    /// Most bytes that all of them have: one that is not shorter is not kept.
    pub(super) fn weight(&self) -> usize {
        self.plain.len() * if self.compresses { 3 } else { 1 }
    }

    /// The body in this encoding, or as it is where that is no longer.
    pub(super) async fn get(&self, wanted: Encoding) -> (Bytes, Encoding) {
        let cell = match wanted {
            Encoding::Gzip if self.compresses => &self.gzip,
            Encoding::Brotli if self.compresses => &self.brotli,
            _ => return (self.plain.clone(), Encoding::Identity),
        };
        let encoded = cell.get_or_init(async || {
            let plain = self.plain.clone();
            let encoded = tokio::task::spawn_blocking(move || wanted.encode(&plain)).await.ok()?.ok()?;
            (encoded.len() < self.plain.len()).then(|| Bytes::from(encoded))
        });
        match encoded.await {
            Some(encoded) => (encoded.clone(), wanted),
            None => (self.plain.clone(), Encoding::Identity),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_accepted_encoding_is_taken() {
        for (accepted, expected) in [
            ("", Encoding::Identity),
            ("gzip", Encoding::Gzip),
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("br;q=0.5, gzip;q=0.8", Encoding::Gzip),
            ("br;q=0, GZIP", Encoding::Gzip),
            ("identity, deflate", Encoding::Identity),
        ] {
            let headers = [(ACCEPT_ENCODING, accepted.parse().expect("a value"))].into_iter().collect();
            assert_eq!(Encoding::wanted(&headers), expected, "{accepted}");
        }
    }

    #[tokio::test]
    async fn what_is_no_shorter_stays_as_it_is() {
        let bodies = Bodies::new(Bytes::from_static(b"x"), true);
        assert_eq!(bodies.get(Encoding::Brotli).await, (Bytes::from_static(b"x"), Encoding::Identity));
        let bodies = Bodies::new(Bytes::from(vec![b'x'; 1000]), true);
        for wanted in [Encoding::Gzip, Encoding::Brotli] {
            let (body, encoding) = bodies.get(wanted).await;
            assert!(body.len() < 100 && encoding == wanted);
        }
    }
}
