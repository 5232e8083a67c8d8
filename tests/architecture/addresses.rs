//! Addresses: each that is served stands in docs/api.md, and each that stands there is served.

use std::collections::BTreeSet;

use regex::Regex;

/// The addresses in code that lists routes: a text that begins with a slash, in a call of `route` or in a list.
pub(crate) fn served(code: &str) -> BTreeSet<String> {
    let text = Regex::new(r#""(/[^"\s]*)"[,\]]"#).expect("a pattern");
    let in_list = |start: usize| {
        let before = code[..start].trim_end_matches(' ');
        before.ends_with(".route(") || before.ends_with(['[', ',', '\n'])
    };
    let found = text.captures_iter(code).filter_map(|found| Some((found.get(0)?.start(), found.get(1)?.as_str())));
    found.filter(|(start, _)| in_list(*start)).map(|(_, address)| address.to_owned()).collect()
}

/// The addresses that a page tells, in code marks and without their parameters.
fn told(page: &str) -> BTreeSet<String> {
    let address = Regex::new(r"`(?:GET |POST )?(/[^`?\s]*)").expect("a pattern");
    address.captures_iter(page).map(|found| found[1].to_owned()).collect()
}

/// What only one of both has.
pub(crate) fn faults(served: &BTreeSet<String>, page: &str) -> Vec<String> {
    let told = told(page);
    let silent = served.difference(&told).map(|address| format!("docs/api.md does not tell of `{address}`"));
    let idle = told.difference(served).map(|address| format!("docs/api.md tells of `{address}`, which is not served"));
    silent.chain(idle).collect()
}

#[test]
fn what_only_one_of_both_has_is_found() {
    let code = "const READ: [&str; 2] = [\n    \"/ap/a\",\n    \"/ap/b\",\n];\n.route(\"/c/{d}\", get(e)).route(\n    \"/\",\n    post(f))\nlet g = [\"/h\", \"/i\"]; format!(\"/j/{k}\")";
    let served = served(code);
    assert_eq!(served.iter().map(String::as_str).collect::<Vec<_>>(), ["/", "/ap/a", "/ap/b", "/c/{d}", "/h", "/i"]);
    let page = "| `/` | `/ap/a`, POST `/ap/b?x=Y` |\n`GET /c/{d}` `/h` `a/i`";
    assert_eq!(faults(&served, page), ["docs/api.md does not tell of `/i`"]);
    assert_eq!(faults(&served, &format!("{page} `/i` `/z`")), ["docs/api.md tells of `/z`, which is not served"]);
}
