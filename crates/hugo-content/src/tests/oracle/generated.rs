//! Trees put together by chance, the same at every run.

use super::Tree;

/// A small generator of numbers (xorshift); its only merit is that every run gives the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).expect("a few sides")).expect("a small number")
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }

    /// One of these in one of three cases, else nothing.
    fn rarely<'a>(&mut self, of: &[&'a str]) -> &'a str {
        if self.roll(3) == 0 { self.one(of) } else { "" }
    }
}

const CONFIGS: &[&[&str]] = &[
    &["timeZone: Europe/Amsterdam\n", "timeZone: America/Los_Angeles\n", "timeZone: Asia/Tokyo\n"],
    &["removePathAccents: true\n", "disablePathToLower: true\n"],
    &["uglyURLs: true\n"],
    &[
        "permalinks: {post: '/:year/:month/:slug/'}\n",
        "permalinks: {post: '/:sections/:filename/', news: '/n/:title'}\n",
        "permalinks: {blog: '/:section/:yearday-:weekday/:slugorfilename/'}\n",
    ],
    &[
        "frontmatter: {date: [':filename', ':default']}\n",
        "frontmatter: {publishDate: [publishDate], lastmod: [lastmod, date]}\n",
    ],
    &["ignoreFiles: ['draft-.*']\n", "ignoreFiles: ['/two/']\n"],
    &[
        "languages: {en: {weight: 1}, nl: {weight: 2}}\n",
        "languages: {en: {weight: 1}, nl: {weight: 2}}\ndefaultContentLanguageInSubdir: true\n",
        "defaultContentLanguage: nl\nlanguages: {en: {weight: 1}, nl: {weight: 2}}\n",
    ],
];

const FOLDERS: &[&str] =
    &["post", "post/one", "post/one/two", "post/Één", "news", "news/2024", "blog", "blog/a.b", "blog/two words"];
const NAMES: &[&str] =
    &["First Post", "tweede", "2024-02-03-dated", "v2.0", "Ünï", "a_b-c", "draft-x", "What's new?", "C++", "été"];
const ENDS: &[&str] = &[".md", ".markdown", ".html", "/index.md", ".nl.md", ".en.md"];
const HEADS: &[&[&str]] = &[
    &["title: Some Title!\n", "title: 'Ça va? Oui.'\n", "title: 2024\n"],
    &["date: 2024-03-05\n", "date: 2024-07-05T23:30:00\n", "date: 2088-01-01\n", "date: 2023-12-31T23:00:00-08:00\n"],
    &["publishDate: 2020-01-01\n", "publishDate: 2088-06-06\n", "pubdate: 2021-01-01\n"],
    &["expiryDate: 2020-02-02\n", "expiryDate: 2088-02-02\n"],
    &["lastmod: 2024-04-04\n"],
    &["draft: true\n", "draft: false\n"],
    &["slug: A Slug\n", "slug: été-2\n", "slug: x.y\n"],
];
/// Cascades have shapes of their own: the older versions joined them otherwise.
const SECTIONS: &[&str] = &["title: A section", "draft: true", "date: 2022-02-02"];

pub(super) fn all() -> Vec<Tree> {
    let mut dice = Dice(0x5eed_0f7e);
    (0..12).map(|number| tree(number, &mut dice)).collect()
}

fn tree(number: usize, dice: &mut Dice) -> Tree {
    let config: String = CONFIGS.iter().map(|options| dice.rarely(options)).collect();
    let mut tree = Tree::new(&format!("generated {number}: {config}"), &config);
    for folder in FOLDERS {
        if dice.roll(3) == 0 {
            let head = dice.one(SECTIONS);
            tree = tree.file(&format!("content/{folder}/_index.md"), &format!("---\n{head}\n---\n"));
        }
        // Each name once in a folder: what two files of one name are is shown by the shapes.
        for name in NAMES {
            if dice.roll(2) == 0 {
                let head: String = HEADS.iter().map(|lines| dice.rarely(lines)).collect();
                let end = dice.one(ENDS);
                tree = tree.file(&format!("content/{folder}/{name}{end}"), &format!("---\n{head}---\nText.\n"));
            }
        }
    }
    tree
}
