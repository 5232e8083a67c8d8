//! The demo, played to its end.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_story_happens() {
    let mut out = Vec::new();
    let result = Box::pin(perform(true, &mut out, Manner::Json)).await;
    let text = String::from_utf8(out).expect("text");
    result.unwrap_or_else(|error| panic!("{error:#}\n{text}"));
    let document: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
    let steps = document["steps"].as_array().expect("steps");
    assert_eq!(document["ok"], true);
    assert_eq!(steps.len(), 19);
    assert!(steps.iter().all(|step| step["ok"] == true), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_happen_is_told_and_nothing_is_left_behind() {
    let stage = Stage::open().await.expect("a stage");
    let mut out = Vec::new();
    let mut voice = Voice::new(&mut out, Manner::Text { colour: false });
    let error = voice.step("Look", story::look_up(&stage, "nobody", "Person")).await.expect_err("nobody is there");
    assert!(error.to_string().starts_with("lighthouse.example cannot find @nobody@ferrytown.example: A1"), "{error}");
    assert!(String::from_utf8_lossy(&out).contains("    FAILED: lighthouse.example cannot find"));
    let site = stage.site.clone();
    assert!(site.exists());
    stage.close().await.expect("an end");
    assert!(!site.parent().expect("a folder").exists());
}
