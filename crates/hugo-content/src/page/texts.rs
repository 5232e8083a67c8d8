//! What a page says, rendered: its content and its summary, or why it is held.

use serde_json::Value;

use super::{Page, SiteFacts};
use crate::bounds::{Meter, Over};
use crate::config::SiteConfig;
use crate::frontmatter::{field, text};
use crate::markup::Markup;
use crate::scan::Warning;
use crate::{content, markdown, shortcodes, summary};

/// Warnings about a page's shortcodes.
const MAX_WARNINGS: usize = 100;

/// What a page says: its summary as the source has it, its summary, and its content.
pub(super) struct Texts {
    pub(super) summary_source: String,
    pub(super) summary: String,
    pub(super) content: String,
    /// Where, and why, the page is held.
    pub(super) held: Option<(u64, String)>,
}

impl Texts {
    fn held(line: u64, why: String) -> Self {
        Self { summary_source: String::new(), summary: String::new(), content: String::new(), held: Some((line, why)) }
    }
}

impl Page {
    pub(super) fn texts(
        &self,
        site: &SiteFacts<'_>,
        resolve: &dyn Fn(&str) -> Option<String>,
        warnings: &mut Vec<Warning>,
    ) -> Texts {
        let markup = &site.config.markup;
        let mut more = 0_u64;
        let mut told = Vec::new();
        let mut warn = |line: u64, message: String| {
            if told.len() < MAX_WARNINGS {
                told.push(self.warning(Some(self.body_line + line - 1), message));
            } else {
                more += 1;
            }
        };
        // A shortcode's HTML is its template's own, whatever the site makes of HTML within Markdown.
        let within = Markup { raw_html: true, ..markup.clone() };
        let meter = Meter::of(self.body.len());
        let around = shortcodes::Surroundings {
            resolve,
            render: &|text| markdown::render(text, "", &within, &meter),
            param: &|key| self.param(key, site.config),
            own: site.own_shortcodes,
        };
        let body = shortcodes::expand(&self.body, &around, &mut warn);
        warnings.append(&mut told);
        if more > 0 {
            warnings.push(
                self.warning(None, format!("its shortcodes give cause for {more} more warnings, which are left out")),
            );
        }
        if let Some((line, why)) = &body.held {
            return Texts::held(self.body_line + line - 1, held_for(why));
        }
        let render = |source: &str| body.fill(&content::html_of(source, &self.title, self.is_html, markup, &meter));
        let dirty = render(&body.text);
        if let Some(over) = meter.over() {
            return Texts::held(self.body_line, held_for_cost(over));
        }
        let content = html::clean_at(&dirty, &self.base());
        let written = text(self.fields.get("summary")).or_else(|| text(self.fields.get("description")));
        let above = content::above_more(&body.text).filter(|above| content::says_something(&render(above)));
        let (summary_source, summary) = match (above, written) {
            (Some(above), _) => {
                let source = content::above_more(&self.body).unwrap_or(above);
                (content::normalized(source), summary::from_html(&render(above)))
            }
            // A summary is rendered with no title to leave out: it may well say the same.
            (None, Some(written)) => {
                let html = content::html_of(&written, "", false, markup, &meter);
                (written, summary::from_html(&html))
            }
            (None, None) => (String::new(), summary::automatic(&content, site.config.summary_length)),
        };
        match meter.over() {
            Some(over) => Texts::held(self.body_line, held_for_cost(over)),
            None => Texts { summary_source, summary, content, held: None },
        }
    }

    /// A parameter of the page, else of the site; `a.b` is one within another.
    fn param(&self, key: &str, config: &SiteConfig) -> Option<String> {
        let key = key.to_lowercase();
        let mut steps = key.split('.');
        let first = steps.next()?;
        let within = |start: Option<&Value>| text(steps.clone().fold(start, |value, step| value?.get(step)));
        let of_site = || within(config.params.as_ref().and_then(|params| params.get(first)));
        within(field(&self.fields, first)).or_else(of_site)
    }
}

fn held_for_cost(over: Over) -> String {
    format!("{over}, so the post is held and stays as it was; make it shorter, or several posts")
}

fn held_for(why: &shortcodes::Held) -> String {
    match why {
        shortcodes::Held::Locked(name) => format!(
            "`{}` speaks of what only some may read, and what it hides cannot be known here, so the post is held and stays \
             as it was; take that part out of the post, or set `fediverse: false`",
            name.trim()
        ),
        shortcodes::Held::TooMuch => {
            "so many shortcodes are begun and not ended here that the post is held; end them with `>}}` or \
             `%}}`"
                .to_owned()
        }
    }
}
