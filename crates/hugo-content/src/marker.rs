//! Marks that stand in Markdown for what is put in afterwards, as Hugo does with its shortcodes.

use super::hash::sha256;

/// A word that stands nowhere in a text, so that its numbered marks are found again.
#[derive(Clone, Debug)]
pub(super) struct Marker(String);

impl Marker {
    /// One that begins with `word` and does not occur in `text`; only letters, so that no renderer changes it.
    pub(super) fn unlike(text: &str, word: &str) -> Self {
        let plain = format!("VEERPONT{word}");
        if !text.contains(&plain) {
            return Self(plain);
        }
        // A hash of a text does not stand in it, whoever wrote it.
        let sum = sha256(text);
        let letters = sum.chars().take(24).filter_map(|c| char::from_u32(c.to_digit(16)? + u32::from('A')));
        Self(letters.fold(plain, |mut marker, letter| {
            marker.push(letter);
            marker
        }))
    }

    /// The mark of the piece with this number.
    pub(super) fn mark(&self, number: usize) -> String {
        format!("{}N{number}N", self.0)
    }

    /// Puts each piece in the place of its mark; a paragraph that holds nothing else makes room for it.
    pub(super) fn replace(&self, html: &str, pieces: &[String]) -> String {
        let mut out = String::with_capacity(html.len());
        let mut rest = html;
        while let Some((before, after)) = rest.split_once(&self.0) {
            let number = after.strip_prefix('N').and_then(|after| after.split_once('N'));
            let found = number.and_then(|(number, after)| Some((pieces.get(number.parse::<usize>().ok()?)?, after)));
            let Some((piece, after)) = found else {
                out.push_str(before);
                out.push_str(&self.0);
                rest = after;
                continue;
            };
            let paragraph = before.strip_suffix("<p>").zip(after.strip_prefix("</p>"));
            let (before, after) = paragraph.unwrap_or((before, after));
            out.push_str(before);
            out.push_str(piece);
            rest = after;
        }
        out.push_str(rest);
        out
    }
}
