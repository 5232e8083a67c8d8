//! Where Hugo's versions differ from one another or from us, and why. Nothing else may differ.

use std::ops::Range;

use super::Said;
use crate::entry::Visibility;

/// What may differ, and with which versions.
pub(super) struct Difference {
    pub(super) why: &'static str,
    /// Minor versions of Hugo 0.x.
    pub(super) of: Range<u32>,
    applies: fn(&Case<'_>) -> bool,
}

/// A file of which Hugo and we say different things.
pub(super) struct Case<'a> {
    pub(super) tree: &'a str,
    /// The site's `hugo.yaml`.
    pub(super) config: &'a str,
    pub(super) file: &'a str,
    pub(super) we: Option<&'a Said>,
    pub(super) they: Option<&'a Said>,
}

impl Difference {
    pub(super) fn explains(&self, minor: u32, case: &Case<'_>) -> bool {
        self.of.contains(&minor) && (self.applies)(case)
    }
}

impl Case<'_> {
    /// Whether only the address differs, and Hugo's becomes ours by this change.
    fn address(&self, change: impl Fn(&str) -> String) -> bool {
        self.we.zip(self.they).is_some_and(|(we, they)| {
            we.date == they.date && we.visibility == they.visibility && we.url == change(&they.url)
        })
    }

    /// Whether only the address differs.
    fn only_address(&self) -> bool {
        self.address(|_| self.we.map(|we| we.url.clone()).unwrap_or_default())
    }
}

const ANY: Range<u32> = 0..u32::MAX;
/// What 0.111 does and 0.168 does not; where between them it changed, only the remark says, if anything does.
const OLD: Range<u32> = 0..168;
/// What 0.168 does and 0.111 does not.
const NEW: Range<u32> = 112..u32::MAX;

/// Everything that is known.
pub(super) fn known() -> Vec<Difference> {
    let mut all = of_old_versions();
    all.extend(of_old_cascades());
    all.extend(of_new_versions());
    let any = |why, applies| Difference { why, of: ANY, applies };
    all.extend([
        any("Hugo leaves a `?` in `url` as it is, though the address then leads elsewhere", |case| {
            case.address(|url| url.replace('?', "%3F"))
        }),
        any("what `build` or `headless` hides is withheld, whether Hugo lists it or not", |case| {
            case.we.is_some_and(|we| we.visibility == Visibility::Withheld)
        }),
    ]);
    all
}

fn of_new_versions() -> Vec<Difference> {
    let new = |why, applies| Difference { why, of: NEW, applies };
    vec![
        new("a blank behind a slug is dropped, also before .html", |case| {
            case.address(|url| url.replace("/-a-.html", "/a.html").replace("/a-.html", "/a.html"))
        }),
        new("since 0.152 `08` and `1e3` in YAML are texts", |case| {
            case.address(|url| url.replace("/08/", "/8/").replace("/1e3/", "/1000/"))
        }),
        new("since 0.152 `yes` in YAML is a text and so no draft; we hold the post back as before", |case| {
            case.tree == "published" && case.file.ends_with("/p02.md")
        }),
        new("what `build.list: local` leaves out of Hugo's list is public all the same", |case| {
            case.tree == "built" && case.file.ends_with("/p03.md")
        }),
        new("a section's `slug` changes the addresses below it, of which we warn", |case| {
            case.tree.starts_with("section slug") && case.only_address()
        }),
    ]
}

fn of_old_cascades() -> Vec<Difference> {
    let old = |why, applies| Difference { why, of: OLD, applies };
    vec![
        old("a `_target` outside of a list was passed over", |case| case.tree.starts_with("cascade: {_target")),
        old("of several cascades only those without a target counted together", |case| {
            case.tree.starts_with("cascade: [{_target")
        }),
        old("`params` in a cascade were for the page's `params` only", |case| {
            case.tree.starts_with("cascade: {params")
        }),
        old("`url` had no tokens before 0.131", |case| case.tree.starts_with("cascade: {url") && case.only_address()),
    ]
}

fn of_old_versions() -> Vec<Difference> {
    let old = |why, applies| Difference { why, of: OLD, applies };
    vec![
        old("several blanks in a file's name became one hyphen", |case| {
            ["  ", " - ", " & "].iter().any(|blanks| case.file.contains(blanks)) && case.only_address()
        }),
        old("a `#` in a path was not encoded, so the address led elsewhere", |case| {
            case.address(|url| url.replace('#', "%23"))
        }),
        old("extensions in capitals were no content", |case| case.file.contains(".MD") && case.they.is_none()),
        old("of index.md and index.html the latter was taken", |case| case.file.contains("/both/index.")),
        old("HTML without front matter was no page", |case| case.file.ends_with("nofm2.html") && case.they.is_none()),
        old("a folder could be a section and a post at once", |case| case.file.ends_with("/z/other.md")),
        old("a slug's blanks became hyphens even around it", |case| case.address(|url| url.replace("/-a-", "/a"))),
        old("a `url` that ends with /index.html was given a slash", |case| {
            case.address(|url| url.replace("/index.html/", "/"))
        }),
        old("`y` and `No` in YAML were truth values before 0.152", |case| {
            case.address(|url| url.replace("/true", "/y").replace("/false", "/no"))
        }),
        old("a line's end in a slug became a hyphen", |case| case.address(|url| url.replace("/line-/", "/line/"))),
        old("what we read as a date was none: it is plain what the author meant", |case| {
            case.tree.starts_with("date: ") && case.they.is_some_and(|they| they.date.is_none())
        }),
        old("an index in a language that the site has not was an index all the same", |case| {
            case.tree == "one" && case.file.ends_with("index.nl.md")
        }),
        old("a blank at a name's end became a hyphen with `disablePathToLower` too", |case| {
            case.config.contains("disablePathToLower") && case.address(|url| url.replace("trail-/", "trail/"))
        }),
        old("`defaultContentLanguageInSubdir` counted only with several languages", |case| {
            case.config.contains("InSubdir") && case.we.is_some_and(|we| we.url.contains("/en/")) && case.only_address()
        }),
        old("a slash in a title stayed one in permalinks", |case| case.address(|url| url.replace("/t/u", "/t-u"))),
        old("a `+` at the end of a permalink became a hyphen", |case| {
            case.file.contains("C++") && case.address(|url| url.replace("c-/", "c/").replace("C-/", "C/"))
        }),
        old("`last` of one section was none", |case| case.config.contains("last") && case.only_address()),
    ]
}
