//! Pages for people: what they show, and that nothing in them can harm.

use http::StatusCode;

use super::{AS2, BROWSER, ORIGIN, Site};

#[tokio::test]
async fn a_profile_shows_who_and_what() {
    let site = Site::new().await;
    site.write("post/older", 48, None).await;
    site.write("post/newer", 1, None).await;
    site.publish().await;
    let answer = site.get("/@ann", &BROWSER).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    let page = answer.text();
    let id = site.ann.url(&site.app.urls);
    let link = format!(r#"<{id}>; rel="alternate"; type="application/activity+json""#);
    assert_eq!(answer.header("link"), link, "for programs that look at headers alone");
    for expected in [
        &format!(r#"<link rel="alternate" type="application/activity+json" href="{id}">"#),
        "<h1>Ann de Vries</h1>",
        "@ann@example.org",
        "<p>Sails <em>slowly</em>.</p>",
        r#"href="https://example.org/post/newer/""#,
        r#"<time datetime="2026-08-07T09:00:00Z">7 August 2026</time>"#,
    ] {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    // T17: titles are text.
    assert!(!page.contains("<T>"), "{page}");
    assert!(page.find("post/newer").expect("the newer") < page.find("post/older").expect("the older"));
    // The community's page names whose each article is.
    let shared = site.get("/@sailors", &BROWSER).await;
    assert!(shared.text().contains("<bdi>Ann de Vries</bdi>, <time"), "{}", shared.text());
}

#[tokio::test]
async fn a_profile_has_one_address() {
    let site = Site::new().await;
    let other = site.get("/@Ann", &BROWSER).await;
    assert_eq!((other.status, other.header("location")), (StatusCode::FOUND, format!("{ORIGIN}/@ann").as_str()));
    for unknown in ["/@bob", "/@a%20b", "/@ann@example.org", "/@"] {
        assert_eq!(site.get(unknown, &BROWSER).await.status, StatusCode::NOT_FOUND, "{unknown}");
    }
    assert_eq!(site.get("/@instance", &BROWSER).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_home_page_lists_the_communities() {
    let site = Site::new().await;
    site.write("post/one", 1, None).await;
    site.write("post/two", 2, None).await;
    let page = site.get("/", &BROWSER).await;
    let text = page.text();
    for expected in ["@sailors@example.org", r#"href="https://social.example.org/@sailors""#, "1 author,", "2 posts"] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    // Names and summaries of the configuration are text.
    assert!(!text.contains("<boats>") && !text.contains("Sailors & co"), "{text}");
}

#[tokio::test]
async fn nothing_on_a_page_can_harm() {
    let site = Site::new().await;
    for path in ["/", "/@ann", "/nowhere", "/assets/veerpont.css", "/healthz"] {
        let answer = site.get(path, &BROWSER).await;
        let policy = "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; form-action 'self' https:; \
                      base-uri 'none'; frame-ancestors 'none'";
        assert_eq!(answer.header("content-security-policy"), policy, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "strict-origin-when-cross-origin", "{path}");
        assert!(!answer.text().contains("<script") && !answer.text().contains("style=\""), "{path}");
    }
}

#[tokio::test]
async fn the_stylesheet_is_kept_by_browsers() {
    let site = Site::new().await;
    let plain = site.get("/assets/veerpont.css", &[]).await;
    assert_eq!(plain.status, StatusCode::FOUND);
    let path = plain.header("location").to_owned();
    let style = site.get(&path, &[]).await;
    assert_eq!(style.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(site.get("/", &BROWSER).await.text().contains(&format!("href=\"{path}\"")));
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    let again = site.get(&path, &[("if-none-match", style.header("etag"))]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn the_icon_is_where_browsers_look_for_it() {
    let site = Site::new().await;
    let answer = site.get("/favicon.ico", &BROWSER).await;
    assert_eq!(answer.status, StatusCode::FOUND);
    let path = answer.header("location").to_owned();
    assert!(site.get("/", &BROWSER).await.text().contains(&format!("href=\"{path}\"")));
    let icon = site.get(&path, &BROWSER).await;
    assert_eq!((icon.status, icon.header("content-type")), (StatusCode::OK, "image/svg+xml"));
}

#[tokio::test]
async fn errors_are_pages_for_people_and_problems_for_programs() {
    let site = Site::new().await;
    let page = site.get("/nowhere", &BROWSER).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::NOT_FOUND, "text/html; charset=utf-8"));
    assert!(page.text().contains("<h1>Not found</h1>"), "{}", page.text());
    let dutch = site.get("/nowhere", &[BROWSER[0], ("accept-language", "nl")]).await;
    assert!(dutch.text().contains("<p>Op dit adres staat niets.") && !dutch.text().contains("lang=\"en\""));
    let problem = site.get("/nowhere", &[]).await;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    let method = site.with(http::Method::DELETE, "/@ann", &[]).await;
    assert_eq!(method.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(method.header("content-type"), "application/problem+json");
    let robots = site.get("/robots.txt", &[]).await;
    assert!(robots.text().starts_with("User-agent: *"));
}

#[tokio::test]
async fn what_is_sent_is_compressed_where_the_reader_takes_it() {
    let site = Site::new().await;
    let article = site.write("post/ferry", 1, None).await;
    let script = site.get("/assets/veerpont.js", &[]).await.header("location").to_owned();
    let page = format!("/@ann/{}", article.uuid);
    let document = site.app.urls.article(article.uuid);
    for (address, accept) in [(&script, BROWSER[0]), (&page, BROWSER[0]), (&document, AS2[0])] {
        let plain = site.get(address, &[accept]).await;
        assert_eq!(plain.header("content-encoding"), "", "{address}");
        for coding in ["br", "gzip"] {
            let small = site.get(address, &[accept, ("accept-encoding", coding)]).await;
            assert_eq!(small.header("content-encoding"), coding, "{address}");
            assert!(small.body.len() < plain.body.len(), "{address}");
            let vary: Vec<_> =
                small.headers.get_all("vary").iter().map(|value| value.to_str().expect("text")).collect();
            assert!(vary.join(", ").contains("accept-encoding"), "{vary:?}");
            assert_eq!(small.header("etag"), format!("W/{}", plain.header("etag")), "equal in meaning alone");
            let known = ("if-none-match", small.header("etag"));
            let again = site.get(address, &[accept, ("accept-encoding", coding), known]).await;
            assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{address}");
        }
    }
    let component = site.get(&script, &[("accept-encoding", "gzip")]).await.body.len();
    assert!(component < 15_000, "docs/component.md: {component} bytes");
}
