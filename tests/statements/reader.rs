//! Reads every statement out of the stores' source, so that a new one cannot escape: texts, `concat!`, and macros of the stores.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::CharIndices;

use crate::support::Engine;

/// A statement as it stands in a store.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// File and line.
    pub(crate) place: String,
    pub(crate) text: String,
    /// The one engine that it is for; both where `None`.
    pub(crate) only: Option<Engine>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Text(String),
    Word(String),
    Mark(char),
}

type Tokens = Vec<(usize, Token)>;

struct Macro {
    parameters: Vec<String>,
    body: Tokens,
}

/// What a text may be, and on which engine.
type Texts = Vec<(String, Option<Engine>)>;

const VERBS: [&str; 5] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];

/// Functions of sqlx and of `db` whose first argument is SQL.
const RUN: [&str; 6] = ["query", "query_scalar", "query_as", "query_with", "query_scalar_with", "raw_sql"];

/// All statements of these files, and what could not be read of them.
pub(crate) fn statements(files: &BTreeMap<String, String>) -> (Vec<Statement>, Vec<String>) {
    let tokens: BTreeMap<&String, Tokens> = files.iter().map(|(path, text)| (path, tokens(text))).collect();
    let mut all = BTreeMap::new();
    let mut of_file = BTreeMap::new();
    for (path, tokens) in &tokens {
        let macros = macros(tokens);
        all.extend(macros.iter().map(|(name, (_, of))| (name.clone(), Macro::copy(of))));
        of_file.insert(*path, macros);
    }
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for (path, tokens) in &tokens {
        let here = &of_file[path];
        let known = |name: &str| here.get(name).map(|(_, of)| of).or_else(|| all.get(name));
        let mut at = 0;
        while at < tokens.len() {
            if let Some((end, _)) = here.values().find_map(|((start, end), of)| (*start == at).then_some((*end, of))) {
                at = end;
                continue;
            }
            let (line, token) = &tokens[at];
            let place = format!("{path}:{line}");
            if RUN.iter().any(|name| is_word(Some(&tokens[at]), name)) && is_mark(tokens.get(at + 1), '(') {
                faults.extend(unread(tokens, at + 2, &known).map(|why| format!("{place}: {why}")));
            }
            let read = if matches!(token, Token::Mark('[')) { None } else { evaluate(tokens, at, &known) };
            let Some((texts, end)) = read else {
                at += 1;
                continue;
            };
            let texts = texts.into_iter().filter(|(text, _)| VERBS.iter().any(|verb| text.starts_with(verb)));
            found.extend(texts.map(|(text, only)| Statement { place: place.clone(), text, only }));
            at = end;
        }
    }
    (found, faults)
}

/// Why the first argument of a call is no statement that was read. A name alone is one of the texts in the same file: sqlx takes
/// `&'static str` only, and what is made as the program runs has to say `AssertSqlSafe`.
fn unread<'m>(tokens: &Tokens, at: usize, known: &impl Fn(&str) -> Option<&'m Macro>) -> Option<String> {
    if evaluate(tokens, at, known).is_some() || [')', ','].iter().any(|end| is_mark(tokens.get(at + 1), *end)) {
        return None;
    }
    if is_word(tokens.get(at), "AssertSqlSafe") {
        return Some("SQL made as the program runs".to_owned());
    }
    Some("this SQL cannot be read: write it as texts in place, or teach tests/statements/reader.rs".to_owned())
}

fn is_mark(token: Option<&(usize, Token)>, mark: char) -> bool {
    matches!(token, Some((_, Token::Mark(found))) if *found == mark)
}

fn is_word(token: Option<&(usize, Token)>, word: &str) -> bool {
    matches!(token, Some((_, Token::Word(found))) if found == word)
}

impl Macro {
    fn copy(of: &Self) -> Self {
        Self { parameters: of.parameters.clone(), body: of.body.clone() }
    }
}

/// The macros that a file defines, each with where it stands.
fn macros(tokens: &Tokens) -> BTreeMap<String, ((usize, usize), Macro)> {
    let mut found = BTreeMap::new();
    for at in 0..tokens.len() {
        let Some((_, Token::Word(name))) = tokens.get(at + 2) else { continue };
        if !is_word(tokens.get(at), "macro_rules") {
            continue;
        }
        let end = closing(tokens, at + 3);
        let pattern_end = closing(tokens, at + 4);
        let parameters = (at + 4..pattern_end).filter(|i| is_mark(tokens.get(*i), '$'));
        let parameters = parameters.filter_map(|i| match &tokens[i + 1].1 {
            Token::Word(name) => Some(name.clone()),
            _ => None,
        });
        // `=>` stands between.
        let body_start = pattern_end + 2;
        let body = tokens[body_start + 1..closing(tokens, body_start) - 1].to_vec();
        found.insert(name.clone(), ((at, end), Macro { parameters: parameters.collect(), body }));
    }
    found
}

/// Behind the mark that closes the one at `open`.
fn closing(tokens: &Tokens, open: usize) -> usize {
    let mut depth = 0;
    for (at, (_, token)) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// The arguments between the marks at `open` and its end.
fn arguments(tokens: &Tokens, open: usize) -> Vec<Tokens> {
    let (mut parts, mut depth) = (vec![Tokens::new()], 0);
    for token in &tokens[open + 1..closing(tokens, open) - 1] {
        match token.1 {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') => depth -= 1,
            Token::Mark(',') if depth == 0 => {
                parts.push(Tokens::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().expect("one at least").push(token.clone());
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// What the expression that begins at `at` may be, and where it ends; `None` where it is no text.
fn evaluate<'m>(tokens: &Tokens, at: usize, known: &impl Fn(&str) -> Option<&'m Macro>) -> Option<(Texts, usize)> {
    match &tokens.get(at)?.1 {
        Token::Text(text) => Some((vec![(text.clone(), None)], at + 1)),
        Token::Mark('[') => {
            let each = arguments(tokens, at).into_iter().map(|part| whole(&part, known));
            Some((each.collect::<Option<Vec<_>>>()?.concat(), closing(tokens, at)))
        }
        Token::Word(name)
            if is_mark(tokens.get(at + 1), '!') && ['(', '['].iter().any(|open| is_mark(tokens.get(at + 2), *open)) =>
        {
            let arguments = arguments(tokens, at + 2);
            let end = closing(tokens, at + 2);
            if name == "concat" {
                let mut texts: Texts = vec![(String::new(), None)];
                for part in arguments {
                    let part = whole(&part, known)?;
                    texts = texts.iter().flat_map(|one| part.iter().map(|more| join(one, more))).collect();
                }
                return Some((texts, end));
            }
            let called = known(name)?;
            Some((whole(&filled(called, &arguments), known)?, end))
        }
        _ => None,
    }
}

fn join(one: &(String, Option<Engine>), more: &(String, Option<Engine>)) -> (String, Option<Engine>) {
    (format!("{}{}", one.0, more.0), one.1.or(more.1))
}

/// The body of a macro with its arguments in place.
fn filled(called: &Macro, arguments: &[Tokens]) -> Tokens {
    let mut body = Tokens::new();
    let mut at = 0;
    while at < called.body.len() {
        let parameter = match (&called.body[at].1, called.body.get(at + 1)) {
            (Token::Mark('$'), Some((_, Token::Word(name)))) => called.parameters.iter().position(|one| one == name),
            _ => None,
        };
        if let Some(argument) = parameter.and_then(|number| arguments.get(number)) {
            body.extend(argument.iter().cloned());
            at += 2;
        } else {
            body.push(called.body[at].clone());
            at += 1;
        }
    }
    body
}

/// What all of these tokens may be: one expression, or `….pick(alone, skip_locked)` as `db/mod.rs` writes for the two engines.
fn whole<'m>(tokens: &Tokens, known: &impl Fn(&str) -> Option<&'m Macro>) -> Option<Texts> {
    if let Some((texts, end)) = evaluate(tokens, 0, known)
        && end == tokens.len()
    {
        return Some(texts);
    }
    let pick = (0..tokens.len()).find(|at| is_word(tokens.get(*at), "pick"))?;
    let [alone, shared] = arguments(tokens, pick + 1).try_into().ok()?;
    let only = |part: &Tokens, engine| -> Option<Texts> {
        Some(whole(part, known)?.into_iter().map(|(text, _)| (text, Some(engine))).collect())
    };
    Some([only(&alone, Engine::Sqlite)?, only(&shared, Engine::Postgres)?].concat())
}

fn tokens(text: &str) -> Tokens {
    let mut found = Tokens::new();
    let mut line = 1;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let start = line;
        match c {
            '\n' => line += 1,
            '/' if text[at..].starts_with("//") => while chars.next_if(|(_, c)| *c != '\n').is_some() {},
            '"' => found.push((start, Token::Text(literal(&mut chars, &mut line)))),
            'r' if text[at..].starts_with("r#\"") || text[at..].starts_with("r\"") => {
                let hashes = text[at + 1..].chars().take_while(|c| *c == '#').count();
                let from = at + 2 + hashes;
                let close = format!("\"{}", "#".repeat(hashes));
                let length = text[from..].find(&close).expect("a raw text ends");
                line += text[from..from + length].matches('\n').count();
                found.push((start, Token::Text(text[from..from + length].to_owned())));
                while chars.next_if(|(i, _)| *i < from + length + close.len()).is_some() {}
            }
            '\'' => skip_character(&mut chars, &text[at + 1..]),
            c if c.is_alphanumeric() || c == '_' => {
                let mut word = c.to_string();
                while let Some((_, c)) = chars.next_if(|(_, c)| c.is_alphanumeric() || *c == '_') {
                    word.push(c);
                }
                found.push((start, Token::Word(word)));
            }
            c if c.is_whitespace() => {}
            c => found.push((start, Token::Mark(c))),
        }
    }
    found
}

/// A character; a lifetime is left where it is.
fn skip_character(chars: &mut Peekable<CharIndices<'_>>, rest: &str) {
    let mut ahead = rest.chars();
    let length = match (ahead.next(), ahead.next()) {
        (Some('\\'), _) => rest[2..].find('\'').map(|more| rest[..2 + more].chars().count() + 1),
        (Some(_), Some('\'')) => Some(2),
        _ => None,
    };
    for _ in 0..length.unwrap_or_default() {
        chars.next();
    }
}

/// The rest of a text after its first quote.
fn literal(chars: &mut Peekable<CharIndices<'_>>, line: &mut usize) -> String {
    let mut text = String::new();
    while let Some((_, c)) = chars.next() {
        match c {
            '"' => break,
            '\n' => {
                *line += 1;
                text.push(c);
            }
            '\\' => match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, '\n')) => {
                    *line += 1;
                    while chars.next_if(|(_, c)| c.is_whitespace()).is_some_and(|(_, c)| {
                        *line += usize::from(c == '\n');
                        true
                    }) {}
                }
                Some((_, c)) => text.push(c),
                None => break,
            },
            c => text.push(c),
        }
    }
    text
}

#[test]
fn statements_are_read_whatever_they_are_made_of() {
    let read = |text: &str| {
        let (found, faults) = statements(&BTreeMap::from([("a/store.rs".to_owned(), text.to_owned())]));
        (found.into_iter().map(|one| (one.text, one.only)).collect::<Vec<_>>(), faults)
    };
    let (found, faults) = read(
        "macro_rules! all { ($rest:literal) => { concat!(\"SELECT a FROM t \", $rest) }; }
         macro_rules! both { ($of:expr) => { [concat!(\"SELECT 1 FROM (\", $of, \")\"), \"DELETE FROM t\"] }; }
         macro_rules! claim { ($db:expr, $a:literal, $b:literal) => { $db.way().pick(concat!($a, $b), concat!($a, \" LOCK\", $b)) }; }
         fn f<'c>() { query(\"UPDATE t SET a = '\\\"' -- \\
             b\"); query(all!(\"WHERE b\")); g(both!(all!(\"ORDER BY c\"))); query(claim!(db, \"SELECT 2\", \";\")); query(named); query(named, (a, b)) }",
    );
    assert_eq!(faults, [""; 0]);
    let expected = [
        ("UPDATE t SET a = '\"' -- b", None),
        ("SELECT a FROM t WHERE b", None),
        ("SELECT 1 FROM (SELECT a FROM t ORDER BY c)", None),
        ("DELETE FROM t", None),
        ("SELECT 2;", Some(Engine::Sqlite)),
        ("SELECT 2 LOCK;", Some(Engine::Postgres)),
    ];
    assert_eq!(found, expected.map(|(text, only)| (text.to_owned(), only)));
    for escaping in
        ["query(unknown!(\"SELECT 1\"))", "query_scalar(&format!(\"SELECT 1\"))", "query(AssertSqlSafe(text))"]
    {
        assert_eq!(read(escaping).1.len(), 1, "{escaping}");
    }
}
