//! The demo, played to its end.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_story_happens() {
    let mut out = Vec::new();
    let result = perform(true, &mut out, Manner::Json).await;
    let text = String::from_utf8(out).expect("text");
    result.unwrap_or_else(|error| panic!("{error:#}\n{text}"));
    let document: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    let steps = document["steps"].as_array().expect("steps");
    assert_eq!(document["ok"], true);
    assert_eq!(steps.len(), 11);
    assert!(steps.iter().all(|step| step["ok"] == true), "{text}");
}
