//! Reads Rust roughly: enough to tell code from comments and texts, and to find the paths in it.

/// The code with comments, texts and characters blanked out; every line keeps its number.
pub(crate) fn bare(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => line_end(&chars, at),
            '/' if chars.get(at + 1) == Some(&'*') => comment_end(&chars, at),
            'r' if !follows_word(&chars, at) => raw_text_end(&chars, at).unwrap_or(at),
            '"' => text_end(&chars, at),
            '\'' => character_end(&chars, at),
            _ => at,
        };
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// The texts in the code, each with the line (from 1) at which it begins; comments and characters are none.
pub(crate) fn texts(text: &str) -> Vec<(usize, String)> {
    let chars: Vec<char> = text.chars().collect();
    let (mut found, mut at, mut line) = (Vec::new(), 0, 1);
    while at < chars.len() {
        let (end, is_text) = match chars[at] {
            '/' if chars.get(at + 1) == Some(&'/') => (line_end(&chars, at), false),
            '/' if chars.get(at + 1) == Some(&'*') => (comment_end(&chars, at), false),
            'r' if !follows_word(&chars, at) => raw_text_end(&chars, at).map_or((at, false), |end| (end, true)),
            '"' => (text_end(&chars, at), true),
            '\'' => (character_end(&chars, at), false),
            _ => (at, false),
        };
        let end = end.max(at + 1);
        let piece: String = chars[at..end].iter().collect();
        if is_text {
            found.push((line, piece.clone()));
        }
        line += piece.matches('\n').count();
        at = end;
    }
    found
}

fn follows_word(chars: &[char], at: usize) -> bool {
    // `b"…"` and `br"…"` are texts; any other letter before makes it a name.
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') && chars[at - 1] != 'b'
}

fn line_end(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |length| at + length)
}

fn comment_end(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

fn raw_text_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    let start = at + 1 + hashes;
    (chars.get(start) == Some(&'"')).then_some(())?;
    let closes =
        |i: &usize| chars[*i] == '"' && chars[i + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
    Some((start + 1..chars.len()).find(closes).map_or(chars.len(), |quote| quote + 1 + hashes))
}

fn text_end(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

/// The end of a character; a lifetime has none and stays.
fn character_end(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            let close = (at + 3..chars.len()).find(|i| chars[*i] == '\'');
            close.map_or(chars.len(), |close| close + 1)
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

/// A name that follows the package's root in a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RootName {
    /// From 1.
    pub(crate) line: usize,
    /// `*` for all of them.
    pub(crate) name: String,
    /// Whether it was reached by `super::`, not by `crate::`.
    pub(crate) by_super: bool,
}

/// Each name that bare code takes from a root, as `crate::`: `crate::a`, `crate::{b, c::d}`, and a chain of `supers`
/// or more `super::` (how many lead from this file to the root).
pub(crate) fn root_names(code: &str, root: &str, supers: usize) -> Vec<RootName> {
    let chain = "super::".repeat(supers);
    let by_crate = names_after(code, root).into_iter().map(|(line, name)| RootName { line, name, by_super: false });
    let by_super = names_after(code, &chain).into_iter().map(|(line, name)| RootName { line, name, by_super: true });
    by_crate.chain(by_super).collect()
}

/// Each name that bare code takes from `root` (as `sqlx::`), with its line from 1.
pub(crate) fn names_after(code: &str, root: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices(root).filter(|_| !root.is_empty()) {
        let before = code[..start].chars().next_back();
        // A longer word or a longer chain of `super::` leads elsewhere; `::sqlx::` and `$crate::` do not.
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || (root.starts_with("super") && c == ':')) {
            continue;
        }
        let rest = &code[start + root.len()..];
        let line = code[..start].matches('\n').count() + 1;
        for (offset, name) in first_names(rest) {
            found.push((line + rest[..offset].matches('\n').count(), name));
        }
    }
    found
}

/// The first name of a path, or of each path in braces, with where it stands.
fn first_names(rest: &str) -> Vec<(usize, String)> {
    let lead = rest.len() - rest.trim_start().len();
    if !rest[lead..].starts_with('{') {
        return name_at(rest, lead).into_iter().collect();
    }
    let (mut depth, mut fresh, mut names) = (0, false, Vec::new());
    for (offset, c) in rest.char_indices().skip(lead) {
        match c {
            '{' => {
                depth += 1;
                fresh = depth == 1;
            }
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            c if fresh && !c.is_whitespace() => {
                names.extend(name_at(rest, offset));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at(rest: &str, offset: usize) -> Option<(usize, String)> {
    let word = &rest[offset..];
    if word.starts_with('*') {
        return Some((offset, "*".to_owned()));
    }
    let name: String = word.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some((offset, name))
}

/// The lines (from 1, first and last) of each module marked `#[cfg(test)]` in bare code.
pub(crate) fn test_lines(code: &str) -> Vec<(usize, usize)> {
    let line = |offset: usize| code[..offset].matches('\n').count() + 1;
    let mut found = Vec::new();
    for (start, _) in code.match_indices("#[cfg(test)]") {
        let Some(open) = code[start..].find(['{', ';']).map(|length| start + length) else { continue };
        let mut depth = 0;
        let close = code[open..].char_indices().find(|(_, c)| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            depth == 0
        });
        found.push((line(start), close.map_or(usize::MAX, |(length, _)| line(open + length))));
    }
    found
}

#[test]
fn comments_and_texts_are_no_code() {
    let text = "a /* x /* y */ z */ b // c\n'\\'' 'q' 'life \"d\\\" // e\" f r#\"g \" h\"# br\"i\" str\"j\" k";
    let words: Vec<String> = bare(text).split_whitespace().map(str::to_owned).collect();
    assert_eq!(words, ["a", "b", "'life", "f", "b", "str", "k"]);
    assert_eq!(bare(text).lines().count(), 2);
}

#[test]
fn texts_are_told_from_comments() {
    let text = "// \"a\"\nlet b = \"c \\\" d\"; /* \"e\" */\nlet f = r#\"g\nh\"#; '\"' \"i\"";
    let found: Vec<(usize, String)> = texts(text);
    let found: Vec<(usize, &str)> = found.iter().map(|(line, text)| (*line, text.as_str())).collect();
    assert_eq!(found, [(2, "\"c \\\" d\""), (3, "r#\"g\nh\"#"), (4, "\"i\"")]);
}

#[test]
fn names_from_the_root_are_found() {
    let names = |code: &str, supers| {
        root_names(code, "crate::", supers).into_iter().map(|name| (name.line, name.name)).collect::<Vec<_>>()
    };
    let expect =
        |names: &[(usize, &str)]| names.iter().map(|(line, name)| (*line, (*name).to_owned())).collect::<Vec<_>>();
    assert_eq!(names("use crate::a::B;\nlet x = crate::c();", 9), expect(&[(1, "a"), (2, "c")]));
    assert_eq!(names("use crate::{\n a::{b, c},\n d};", 9), expect(&[(2, "a"), (3, "d")]));
    assert_eq!(names("use crate::*; $crate::e!()", 9), expect(&[(1, "*"), (1, "e")]));
    assert_eq!(names("use super::f; use super::super::g;", 2), expect(&[(1, "g")]));
    assert_eq!(names("use mycrate::a;", 9), []);
}

#[test]
fn test_modules_are_found() {
    let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\nfn c() {}";
    assert_eq!(test_lines(code), [(2, 5)]);
    assert_eq!(test_lines("#[cfg(test)]\nmod tests;\nfn d() {}"), [(1, 2)]);
}
