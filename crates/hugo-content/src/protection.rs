//! What a theme or a program shows only to some, which Hugo does not know of: such pages are held, never sent.

use serde_json::{Map, Value};

use super::frontmatter::{Truth, field, flag, text, truth};
use super::visibility;

/// Whatever these say but no, the page is locked: `hugo-encryptor`, `FixIt`, `cryptoid`, Hexo's plugins and their kin.
/// Keys without `-` and `_`.
const LOCKS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "encrypt",
    "encrypted",
    "encryption",
    "encrypter",
    "encryptor",
    "hugoencrypt",
    "hugoencryptor",
    "hugoencrypter",
    "protected",
    "protect",
    "protection",
    "cryptoid",
    "staticrypt",
    "pagecrypt",
    "passwordprotected",
    "passwordprotect",
    "passwordhint",
    "encryptedcontent",
];

/// These hide a page from lists or from most readers where they say yes. `fediverse: true` beside them says otherwise.
const HIDES: &[&str] = &[
    "private",
    "hidden",
    "secret",
    "confidential",
    "restricted",
    "members",
    "member",
    "membersonly",
    "memberonly",
    "subscribersonly",
    "subscriberonly",
    "premium",
    "paywall",
    "paid",
    "unlisted",
    "offtherecord",
    "internal",
    "loginrequired",
    "requirelogin",
    "requireslogin",
    "authrequired",
    "requireauth",
    "requiresauth",
];

/// Words of visibility for which a page is not everybody's.
const NOT_ALL: &[&str] = &[
    "private",
    "hidden",
    "secret",
    "members",
    "password",
    "protected",
    "restricted",
    "unlisted",
    "internal",
    "confidential",
];

/// Parts of names that speak of what only some may read.
const PARTS: &[&str] = &[
    "crypt",
    "passw",
    "passphrase",
    "protect",
    "secret",
    "private",
    "hidden",
    "hide",
    "conceal",
    "membersonly",
    "memberonly",
    "subscrib",
    "restrict",
    "paywall",
    "locked",
    "unlock",
    "login",
    "loggedin",
    "confidential",
    "premium",
    "offtherecord",
];

fn plain(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// The key by which a section's own front matter locks it.
pub(super) fn lock_of(fields: &Map<String, Value>) -> Option<&str> {
    let mut all = fields.iter().filter(|(key, _)| LOCKS.contains(&plain(key).as_str()));
    all.find(|(_, value)| value.is_number() || says_yes(value)).map(|(key, _)| key.as_str())
}

fn says_yes(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        value => truth(Some(value)) != Truth::No,
    }
}

/// The key by which front matter says that its page is not for everybody.
pub(super) fn key_of(fields: &Map<String, Value>) -> Option<&str> {
    let is_asked_for = flag(field(fields, "fediverse")) == Some(true) || visibility::is_unlisted(fields);
    let within = fields.get("params").and_then(Value::as_object);
    let mut all = fields.iter().chain(within.into_iter().flatten());
    all.find_map(|(key, value)| {
        let name = plain(key);
        let hides = || {
            let is_word = |word: String| NOT_ALL.contains(&plain(&word).as_str());
            let hides = HIDES.contains(&name.as_str())
                || (matches!(name.as_str(), "visibility" | "access") && text(Some(value)).is_some_and(is_word))
                || (matches!(name.as_str(), "layout" | "type") && text(Some(value)).is_some_and(|word| speaks(&word)));
            hides && says_yes(value) && !is_asked_for
        };
        // A number may be a password: only what is empty or says no is none.
        let locks = LOCKS.contains(&name.as_str()) && (value.is_number() || says_yes(value));
        (locks || hides()).then_some(key.as_str())
    })
}

/// Whether a name speaks of what only some may read.
fn speaks(name: &str) -> bool {
    let name = plain(name);
    PARTS.iter().any(|part| name.contains(part))
        || matches!(name.as_str(), "lock" | "members" | "member" | "pwd" | "gated" | "gate" | "guard" | "auth")
}

/// Whether a shortcode that is not known may hold what only some may read: by its name, or by what it is given.
pub(super) fn is_locked(name: &str, arguments: &[(Option<String>, String)], holds_text: bool) -> bool {
    if !holds_text {
        // Nothing stands in it that could be sent; but what should close it may be misspelt.
        let name = plain(name);
        return ["crypt", "passw", "protect"].iter().any(|part| name.contains(part));
    }
    let is_word = |value: &str| NOT_ALL.contains(&plain(value).as_str());
    speaks(name) || arguments.iter().any(|(key, value)| key.as_deref().is_some_and(speaks) || is_word(value))
}

/// Whether what seems to be the start of a shortcode speaks of a lock.
pub(super) fn may_lock(start: &str) -> bool {
    let words = start.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_'))).filter(|word| !word.is_empty());
    words.take(8).any(speaks)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn front_matter_that_locks_or_hides_is_found() {
        for (fields, found) in [
            (json!({"password": "x"}), Some("password")),
            (json!({"password": 0}), Some("password")),
            (json!({"password": ""}), None),
            (json!({"encrypted": false}), None),
            (json!({"params": {"hugo-encryptor": {"a": 1}}}), Some("hugo-encryptor")),
            (json!({"password": "x", "fediverse": true}), Some("password")),
            (json!({"hidden": true}), Some("hidden")),
            (json!({"hidden": true, "fediverse": true}), None),
            (json!({"private": "friends"}), Some("private")),
            (json!({"private": "no", "unlisted": 0}), None),
            (json!({"visibility": "members"}), Some("visibility")),
            (json!({"visibility": "public", "title": "private"}), None),
            (json!({"layout": "password-protected"}), Some("layout")),
            (json!({"hiddenInHomeList": true, "tags": ["password"]}), None),
        ] {
            assert_eq!(key_of(fields.as_object().expect("a map")), found, "{fields}");
        }
    }

    #[test]
    fn shortcodes_that_lock_are_found() {
        for name in [
            "hugo-encryptor",
            "hugo_encryptor",
            "encrypt",
            "fixit-encryptor",
            "secret",
            "hidden",
            "protected-content",
            "members",
        ] {
            assert!(is_locked(name, &[], true), "{name}");
        }
        let argument = |key: Option<&str>, value: &str| vec![(key.map(str::to_owned), value.to_owned())];
        assert!(is_locked("box", &argument(Some("password"), "x"), true));
        assert!(is_locked("show", &argument(None, "members"), true));
        assert!(!is_locked("block", &argument(Some("class"), "wide"), true));
        assert!(!is_locked("login-button", &[], false) && is_locked("hugo-encryptor", &[], false));
        assert!(may_lock(" hugo-encryptor \"pass") && !may_lock(" figure src=x"));
    }
}
