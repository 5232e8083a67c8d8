//! Every address of ours leads back to what it is of, and nothing else does.

use super::*;
use crate::activitypub::samples::{handle, urls, uuid};

fn everything() -> Vec<Local> {
    let id = uuid(7);
    vec![
        Local::Instance,
        Local::InstanceOutbox,
        Local::SharedInbox,
        Local::Actor(id),
        Local::Inbox(id),
        Local::Outbox(id),
        Local::Followers(id),
        Local::Following(id),
        Local::Featured(id),
        Local::Article(id),
        Local::Replies(id),
        Local::Likes(id),
        Local::Shares(id),
        Local::Note(id),
        Local::NoteReplies(id),
        Local::NoteLikes(id),
        Local::NoteShares(id),
        Local::Quote(id),
        Local::Activity(id),
        Local::Context(id),
        Local::Profile(handle("ann")),
    ]
}

#[test]
fn our_addresses() {
    let urls = urls();
    let addresses: Vec<String> = everything().iter().map(|local| urls.of(local)).collect();
    insta::assert_json_snapshot!(addresses);
}

#[test]
fn every_address_leads_back_to_what_it_names() {
    let urls = urls();
    for local in everything() {
        assert_eq!(urls.local(&urls.of(&local)), Some(local));
    }
}

#[test]
fn nearly_ours_is_not_ours() {
    let here = Urls::new(&Url::parse("https://social.example").expect("a url"), None).expect("a home");
    for ours in
        ["https://social.example", "https://social.example/", "https://social.example/x", "https://social.example?x"]
    {
        assert!(here.is_ours(ours), "{ours}");
    }
    for theirs in
        ["https://social.example.org/x", "https://social.example:8443/x", "https://social.example@m.test/", ""]
    {
        assert!(!here.is_ours(theirs), "{theirs}");
    }
    let urls = urls();
    let actor = urls.actor(uuid(0xabc));
    for other in [
        format!("{actor}/"),
        format!("{actor}#main-key"),
        format!("{actor}?x=1"),
        format!("{actor}/inbox/x"),
        actor.to_uppercase(),
        actor.replace("abc", "ABC"),
        actor.replace("https", "http"),
        actor.replace("social.", ""),
        actor.replace("example.org", "example.org.evil.test"),
        actor.replace('-', ""),
        "https://social.example.org/@Ann".to_owned(),
        "https://social.example.org/ap/instance/inbox".to_owned(),
        "https://social.example.org/ap/inbox/x".to_owned(),
        String::new(),
    ] {
        assert_eq!(urls.local(&other), None, "{other}");
    }
}

#[test]
fn an_origin_is_scheme_host_and_port() {
    let parse = |text: &str| Urls::new(&Url::parse(text).expect("an address"), None);
    assert_eq!(parse("https://Social.Example.org:443/").expect("an origin").origin(), "https://social.example.org");
    let loopback = parse("http://127.0.0.1:8080").expect("an origin");
    assert_eq!(loopback.acct(&handle("ann")), "ann@127.0.0.1:8080");
    for bad in ["https://a.example/x", "ftp://a.example", "https://me@a.example", "https://a.example?x", "mailto:a"] {
        assert!(matches!(parse(bad), Err(InvalidHome::Origin(_))), "{bad}");
    }
    let origin = Url::parse("https://a.example").expect("an address");
    for bad in ["", "https://a.example", "a b", "x@a.example", "a.example/x"] {
        assert!(matches!(Urls::new(&origin, Some(bad)), Err(InvalidHome::HandleDomain(_))), "{bad}");
    }
}
