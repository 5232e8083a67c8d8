//! HTML of strangers: what gets out, and what it costs.

use html::Cost;

/// HTML of a stranger's: cleaned again it is itself, no element or attribute gets out that is not on the list (interop
/// B23), and its cost is linear in its length, whichever way it is read.
///
/// # Panics
/// When that does not hold.
pub fn html(bytes: &[u8]) {
    let Ok(dirty) = std::str::from_utf8(bytes) else { return };
    let clean = affordable(dirty, html::clean);
    assert_eq!(html::clean(&clean), clean, "cleaning again changes it");
    assert!(!clean.contains('\0'));
    for tag in clean.split('<').skip(1) {
        let (tag, text) = tag.split_once('>').expect("a tag is closed");
        assert!(!text.contains('>'), "a bracket outside of a tag: {clean}");
        let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
        assert!(html::is_content(name), "<{name}> in {clean}");
        let mut rest = tag.trim_start_matches('/').trim_start_matches(name);
        while let Some((attribute, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"').expect("a value is closed");
            match attribute.trim() {
                "href" | "src" => link(name, &value.replace("&amp;", "&").replace("&nbsp;", "\u{a0}")),
                "alt" | "start" | "rel" | "class" => {}
                other => panic!("{other} in {clean}"),
            }
            rest = after;
        }
        assert!(rest.trim().is_empty(), "{rest} in {clean}");
    }
    let strangers = affordable(dirty, html::clean_strangers);
    assert_eq!(affordable(&strangers, html::clean_strangers_again), strangers, "cleaning again changes it");
    let summary = html::paragraphs(&affordable(dirty, html::text));
    assert!(!summary.replace("<p>", "").replace("</p>", "").contains(['<', '>']), "{summary}");
}

/// Reads HTML; a share of the limits for each of at most eight rounds, twice where it is cut, and of the token that passes
/// one, must do.
fn affordable(dirty: &str, read: fn(&str) -> String) -> String {
    let (cost, made) = Cost::of(|| read(dirty));
    let holds = |count: usize, each: usize, more: usize| count <= 16 * (each * dirty.len() + more);
    assert!(holds(cost.steps, 64, 300_000) && holds(cost.nodes, 1, 2_000), "{cost:?} for {} bytes", dirty.len());
    assert!(holds(cost.written, 12, 128_000) && holds(cost.bytes, 12, 64_000), "{cost:?} for {} bytes", dirty.len());
    made
}

/// The address of a link or an image: its scheme is on the list as it stands there, letter by letter, and as a browser
/// reads it.
fn link(element: &str, address: &str) {
    let written = address.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let read = url::Url::parse(address).map(|url| url.scheme().to_owned()).unwrap_or_default();
    assert_eq!(written, read, "{address:?}");
    assert!(matches!(read.as_str(), "http" | "https") || (read == "mailto" && element == "a"), "{address:?}");
}
