//! How many mentions and links a post may have before a moderator looks at it (interop E23): pure.

use crate::config::Moderation;
use crate::model::interaction::CleanPost;

/// Why a post waits for a moderator because of its content.
pub(crate) fn exceeded(post: &CleanPost, limits: &Moderation) -> Option<String> {
    let over = |count: usize, most: u32| u32::try_from(count).map_or(true, |count| count > most);
    let (people, most) = (post.mentions.len(), limits.max_mentions.get());
    if over(people, most) {
        return Some(format!("it names {people} people, and more than {most} wait for a moderator"));
    }
    let (links, most) = (links(post), limits.max_links.get());
    over(links, most).then(|| format!("it has {links} links, and more than {most} wait for a moderator"))
}

/// Links of a post, as anchors or in the text; as many as it has mentions and hashtags are not counted.
fn links(post: &CleanPost) -> usize {
    let said = &post.content;
    let named = said.names.min(post.mentions.len() + post.hashtags.len());
    let written =
        said.text.split_whitespace().filter(|word| word.contains("https://") || word.contains("http://")).count();
    said.links.saturating_sub(named).max(written)
        + post.attachments.iter().filter(|attached| attached.media_type.is_none()).count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::activitypub::incoming::parse_post;

    fn post(content: &str, tags: &serde_json::Value) -> CleanPost {
        let document = json!({ "id": "https://peer.test/1", "type": "Note", "attributedTo": "https://peer.test/ann",
            "content": content, "tag": tags });
        CleanPost::of(parse_post(&document).expect("a post"))
    }

    #[test]
    fn links_are_counted_however_they_are_written() {
        let link = |text: &str| format!("<a href=\"https://x.test/\">{text}</a> ");
        let none = json!([]);
        assert_eq!(links(&post(&link("here").repeat(3), &none)), 3);
        assert_eq!(links(&post("https://x.test/ and <b>http://y.test</b>", &none)), 2);
        assert_eq!(links(&post(&link("https://x.test/"), &none)), 1, "one, though it is both");
        assert_eq!(links(&post(&link("#win").repeat(5), &none)), 5, "hashtags that are none");
        let tags = json!([{ "type": "Hashtag", "name": "#win" }, { "type": "Mention", "href": "https://x.test/bob" }]);
        assert_eq!(links(&post(&format!("{}{}", link("#win"), link("@bob")), &tags)), 0);
    }

    #[test]
    fn what_exceeds_a_limit_says_so() {
        let limits = Moderation::default();
        let mention = json!({ "type": "Mention", "href": "https://x.test/bob" });
        assert_eq!(exceeded(&post("hi", &json!(vec![mention.clone(); 10])), &limits), None);
        let why = exceeded(&post("hi", &json!(vec![mention; 11])), &limits).expect("too many");
        assert!(why.starts_with("it names 11 people"), "{why}");
        let many = "<a href=\"https://x.test/\">x</a>".repeat(11);
        let why = exceeded(&post(&many, &json!([])), &limits).expect("too many");
        assert!(why.starts_with("it has 11 links"), "{why}");
    }
}
