//! Hugo's shortcodes, as far as they mean something outside the site (sources 1.5): each becomes Markdown, or goes.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// A shortcode, in the order of its parts: the name, and arguments by name or position.
struct Shortcode {
    name: String,
    closing: bool,
    arguments: Vec<(Option<String>, String)>,
}

impl Shortcode {
    fn argument(&self, name: &str, position: usize) -> Option<&str> {
        let named = self.arguments.iter().find(|(key, _)| key.as_deref() == Some(name));
        let found = named.or_else(|| self.arguments.get(position).filter(|(key, _)| key.is_none()));
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Shortcodes whose inner text stands by itself, and which need no warning when their frame is taken away.
const FRAMES: &[&str] = &[
    "details", "callout", "alert", "spoiler", "toggle", "hint", "notice", "note", "tip", "warning", "steps", "cards",
    "center",
];

/// Replaces every shortcode. `resolve` finds the address of a page by its path, for `ref` and `relref`; `warn` takes
/// the line within the text, counted from 1, and what is to be said.
pub(super) fn replace(
    body: &str,
    resolve: &dyn Fn(&str) -> Option<String>,
    warn: &mut dyn FnMut(u64, String),
) -> String {
    static SHORTCODE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?s)\{\{(<|%)(/\*)?(.*?)(?:\*/)?(?:>|%)\}\}").ok());
    let Some(shortcode) = SHORTCODE.as_ref() else { return body.to_owned() };
    let paired = |name: &str| closes(body, name);
    let replaced = shortcode.replace_all(body, |found: &Captures<'_>| {
        let mark = found.get(1).map_or("<", |m| m.as_str());
        let inner = found.get(3).map_or("", |m| m.as_str());
        if found.get(2).is_some() {
            let end = if mark == "<" { ">" } else { mark };
            return format!("{{{{{mark}{inner}{end}}}}}");
        }
        let at = found.get(0).map_or(0, |m| m.start());
        let code = read(inner);
        markdown(&code, resolve, &paired).unwrap_or_else(|| {
            let line = body.get(..at).unwrap_or_default().matches('\n').count() + 1;
            warn(u64::try_from(line).unwrap_or(u64::MAX), said(&code, &paired));
            String::new()
        })
    });
    replaced.into_owned()
}

fn closes(body: &str, name: &str) -> bool {
    Regex::new(&format!(r"\{{\{{[<%]\s*/\s*{}\s*[>%]\}}\}}", regex::escape(name))).is_ok_and(|end| end.is_match(body))
}

fn said(code: &Shortcode, paired: &dyn Fn(&str) -> bool) -> String {
    let name = &code.name;
    match name.as_str() {
        "ref" | "relref" => {
            format!("`{name}` names a page that was not found, so the link is left out; mend its path")
        }
        _ if paired(name) => format!("the shortcode `{name}` is not known, so only the text within it is kept"),
        _ => format!("the shortcode `{name}` is not known and was left out"),
    }
}

/// What a shortcode is in Markdown; `None` for one that is left out and should be told of.
fn markdown(
    code: &Shortcode,
    resolve: &dyn Fn(&str) -> Option<String>,
    paired: &dyn Fn(&str) -> bool,
) -> Option<String> {
    let link = |start: &str, argument: &str| {
        code.argument(argument, 0).map(|id| if id.starts_with("http") { id.to_owned() } else { format!("{start}{id}") })
    };
    let linked = |address: Option<String>| address.map(|address| format!("<{address}>"));
    match code.name.as_str() {
        _ if code.closing && code.name == "highlight" => Some("\n```\n".to_owned()),
        // The opening one has said what there is to say.
        _ if code.closing => Some(String::new()),
        "figure" | "img" | "image" => figure(code),
        "youtube" => linked(link("https://www.youtube.com/watch?v=", "id")),
        "vimeo" => linked(link("https://vimeo.com/", "id")),
        "instagram" => linked(link("https://www.instagram.com/p/", "id")),
        "x" | "twitter" | "tweet" | "x_simple" | "twitter_simple" => {
            let id = code.argument("id", 1).or_else(|| code.argument("id", 0))?;
            let user = code.argument("user", 0).filter(|user| *user != id).unwrap_or("i");
            Some(format!("<https://x.com/{user}/status/{id}>"))
        }
        "gist" => {
            let (user, id) = (code.argument("user", 0)?, code.argument("id", 1)?);
            Some(format!("<https://gist.github.com/{user}/{id}>"))
        }
        "highlight" => Some(format!("\n```{}\n", code.argument("lang", 0).unwrap_or_default())),
        "ref" | "relref" => resolve(code.argument("path", 0)?),
        name if FRAMES.contains(&name) && paired(name) => Some(String::new()),
        _ => None,
    }
}

fn figure(code: &Shortcode) -> Option<String> {
    let source = code.argument("src", 0)?;
    let caption = code.argument("caption", usize::MAX).or_else(|| code.argument("title", usize::MAX));
    let alt = code.argument("alt", usize::MAX).or(caption).unwrap_or_default();
    let image = format!("![{}](<{source}>)", alt.replace(['[', ']', '\n'], " "));
    let image = code.argument("link", usize::MAX).map_or(image.clone(), |link| format!("[{image}](<{link}>)"));
    Some(caption.map_or(image.clone(), |caption| format!("{image}\n\n{caption}\n")))
}

fn read(inner: &str) -> Shortcode {
    static PART: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?s)(?:([\w-]+)=)?(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`|([^\s"`]+))"#).ok());
    let inner = inner.trim();
    let (closing, inner) = inner.strip_prefix('/').map_or((false, inner), |rest| (true, rest.trim_start()));
    let inner = inner.trim_end_matches('/').trim_end();
    let (name, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
    let arguments = PART.as_ref().map(|part| {
        part.captures_iter(rest)
            .map(|found| {
                let value = found.get(2).map(|m| m.as_str().replace("\\\"", "\""));
                let plain = || found.get(3).or_else(|| found.get(4)).map(|m| m.as_str().to_owned());
                (found.get(1).map(|m| m.as_str().to_owned()), value.or_else(plain).unwrap_or_default())
            })
            .collect()
    });
    Shortcode { name: name.to_lowercase(), closing, arguments: arguments.unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortcodes_become_markdown_or_go() {
        for (body, expected, line) in [
            (r#"{{< figure src="a b.png" alt="An \"a\"" >}}"#, "![An \"a\"](<a b.png>)", None),
            (r#"{{<figure src="a.png" caption="C">}}"#, "![C](<a.png>)\n\nC\n", None),
            ("{{< youtube w7Ft2ymGmfc >}}", "<https://www.youtube.com/watch?v=w7Ft2ymGmfc>", None),
            (r#"{{< vimeo id="1" >}}"#, "<https://vimeo.com/1>", None),
            (r#"{{< x user="a" id="2" >}}"#, "<https://x.com/a/status/2>", None),
            ("{{< highlight go >}}\nx\n{{< /highlight >}}", "\n```go\n\nx\n\n```\n", None),
            (r#"{{< details summary="S" >}}in{{< /details >}}"#, "in", None),
            ("a {{</* youtube x */>}} {{%/* y */%}}", "a {{< youtube x >}} {{% y %}}", None),
            ("a\n{{% odd 1 %}}b", "a\nb", Some(2)),
            ("\n\n{{< box >}}in{{< /box >}}", "\n\nin", Some(3)),
            (r#"[t]({{< ref "post/a.md" >}})"#, "[t](https://site.example/post/a/)", None),
            (r#"[t]({{< relref "post/b.md" >}})"#, "[t]()", Some(1)),
        ] {
            let mut lines = Vec::new();
            let resolve = |path: &str| (path == "post/a.md").then(|| "https://site.example/post/a/".to_owned());
            assert_eq!(replace(body, &resolve, &mut |line, _| lines.push(line)), expected, "{body}");
            assert_eq!(lines.first().copied(), line, "{body}");
        }
    }
}
