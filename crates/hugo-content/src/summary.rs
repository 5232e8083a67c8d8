//! The teaser that stands for a post where only the summary is shown (interop B1, B2).

/// Characters of text, not counting tags (interop B2).
const LONGEST: usize = 500;

/// Paragraphs of text from a summary's HTML, at most 500 characters, cut at a sentence or a word.
pub(super) fn from_html(dirty: &str) -> String {
    html::paragraphs(&cut(&teaser(dirty), LONGEST))
}

/// Hugo's automatic summary: the first words of the content, `length` of them and on to the end of their sentence.
pub(super) fn automatic(content: &str, length: usize) -> String {
    let mut taken = String::new();
    let mut count = 0;
    for paragraph in teaser(content).split("\n\n") {
        if count >= length {
            break;
        }
        if !taken.is_empty() {
            taken.push_str("\n\n");
        }
        taken.push_str(&to_sentence_end(paragraph, length - count));
        count += paragraph.split_whitespace().count();
    }
    html::paragraphs(&cut(&taken, LONGEST))
}

/// The text without headings, which repeat the title that readers show above the summary.
fn teaser(dirty: &str) -> String {
    html::text(&html::without_headings(&html::clean(dirty)))
}

fn to_sentence_end(paragraph: &str, words: usize) -> String {
    let mut taken = 0;
    let mut count = 0;
    for part in paragraph.split_inclusive(char::is_whitespace) {
        taken += part.len();
        count += usize::from(!part.trim().is_empty());
        if count >= words && ends_sentence(part) {
            break;
        }
    }
    paragraph.get(..taken).unwrap_or(paragraph).trim_end().to_owned()
}

fn ends_sentence(word: &str) -> bool {
    word.trim_end().trim_end_matches(['"', '\'', '”', '’', '»', ')']).ends_with(['.', '!', '?', '…', '。'])
}

/// At most `longest` characters: whole sentences if they fill at least half, else whole words and an ellipsis.
fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let short: String = text.chars().take(longest - 1).collect();
    let mut sentence_end = 0;
    let mut word_end = 0;
    let mut at = 0;
    for part in short.split_inclusive(char::is_whitespace) {
        at += part.len();
        if part.ends_with(char::is_whitespace) {
            word_end = at;
            if ends_sentence(part) {
                sentence_end = at;
            }
        }
    }
    let head = |end: usize| short.get(..end).unwrap_or_default().trim_end();
    if head(sentence_end).chars().count() * 2 >= longest {
        return head(sentence_end).to_owned();
    }
    let words =
        if word_end == 0 { short.as_str() } else { head(word_end).trim_end_matches([',', ';', ':', '-', '–']) };
    format!("{words}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_summary_ends_at_a_sentence_or_a_word() {
        assert_eq!(cut("One two. Three four five", 16), "One two.");
        assert_eq!(cut("One two, three four", 12), "One two…");
        assert_eq!(cut("abcdefghij", 5), "abcd…");
        assert_eq!(cut("short", 5), "short");
    }

    #[test]
    fn summaries_are_paragraphs_without_headings() {
        assert_eq!(from_html("<h2>T</h2><p>a <b>b</b> &lt;</p><script>x</script><p>c</p>"), "<p>a b &lt;</p><p>c</p>");
        assert_eq!(from_html(""), "");
        assert_eq!(automatic("<p>One two three. Four five.</p><p>Six.</p>", 2), "<p>One two three.</p>");
        assert_eq!(automatic("<p>One.</p><p>Two.</p><p>Three.</p>", 2), "<p>One.</p><p>Two.</p>");
        let long = format!("<p>{}</p>", "word ".repeat(300));
        let text = html::text(&from_html(&long));
        assert!(text.chars().count() <= 500 && text.ends_with("word…"), "{text}");
    }
}
