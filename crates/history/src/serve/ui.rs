//! `/ui`: the page on which people look at the history. It holds no row: with a token that the
//! person types, it asks the same API as everybody.

use super::answer;
use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, LOCATION,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;

/// Nothing but what this origin serves: no inline script or style, no other host, no frame around
/// it, no text that becomes HTML.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What goes with every part of the page.
const HEADERS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    // Another version of the program has another page.
    (CACHE_CONTROL, "no-cache"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "clipboard-write=(self)"),
];

/// A file of the page: its name below `/ui`, its type, its text.
type Part = (&'static str, &'static str, &'static str);

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// All of them; the first is the page itself.
const PARTS: [Part; 14] = [
    ("", "text/html; charset=utf-8", include_str!("ui/page.html")),
    ("/page.css", "text/css; charset=utf-8", include_str!("ui/page.css")),
    ("/icon.svg", "image/svg+xml", include_str!("ui/icon.svg")),
    ("/page.js", SCRIPT, include_str!("ui/page.js")),
    ("/agent.js", SCRIPT, include_str!("ui/agent.js")),
    ("/elements.js", SCRIPT, include_str!("ui/elements.js")),
    ("/times.js", SCRIPT, include_str!("ui/times.js")),
    ("/tables.js", SCRIPT, include_str!("ui/tables.js")),
    ("/chart.js", SCRIPT, include_str!("ui/chart.js")),
    ("/changes.js", SCRIPT, include_str!("ui/changes.js")),
    ("/life.js", SCRIPT, include_str!("ui/life.js")),
    ("/transactions.js", SCRIPT, include_str!("ui/transactions.js")),
    ("/rows.js", SCRIPT, include_str!("ui/rows.js")),
    ("/undo.js", SCRIPT, include_str!("ui/undo.js")),
];

/// The routes of the page, to whoever reaches the port.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let mut router = Router::new().route("/ui/", get(async || moved()));
    for part in PARTS {
        let path = format!("/ui{}", part.0);
        router = router.route(&path, get(async move |headers: HeaderMap| file(part, &headers)));
    }
    router
}

/// Relative addresses on the page are of the folder above: with a slash after it they would be
/// wrong.
fn moved() -> Response {
    let mut response = answer::text(StatusCode::PERMANENT_REDIRECT, String::new());
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("../ui"));
    response
}

fn file((_, kind, text): Part, asked: &HeaderMap) -> Response {
    let tag = format!("\"{:08x}-{:x}\"", crc32fast::hash(text.as_bytes()), text.len());
    let known = asked.get(IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes());
    let (status, text) = if known { (StatusCode::NOT_MODIFIED, "") } else { (StatusCode::OK, text) };
    let mut response = answer::text(status, text.to_owned());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_page_names_files_that_are_there_and_no_other_host() {
        let names: BTreeSet<&str> = PARTS.iter().map(|(name, ..)| *name).collect();
        for (name, _, text) in PARTS {
            for (_, rest) in text.match_indices("\"ui/").map(|(at, _)| text.split_at(at + 3)) {
                let file = rest.split('"').next().unwrap();
                assert!(names.contains(file), "{name}: {file}");
            }
            for (at, _) in text.match_indices("from \"./") {
                let file = text[at + 7..].split('"').next().unwrap();
                assert!(names.contains(file), "{name}: {file}");
            }
            for bad in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("]
            {
                assert!(!text.contains(bad), "{name}: {bad}");
            }
            // Of SVG alone, whose names look like addresses.
            let other = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!other.contains("http://") && !other.contains("https://"), "{name}");
        }
        let page = PARTS[0].2;
        for inline in ["style=", "onclick", "<style", "<script>"] {
            assert!(!page.contains(inline), "{inline}");
        }
    }

    #[test]
    fn a_part_that_is_known_is_not_sent_again() {
        let first = file(PARTS[0], &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[CONTENT_SECURITY_POLICY], POLICY);
        let tag = first.headers()[ETAG].clone();
        let again = file(PARTS[0], &HeaderMap::from_iter([(IF_NONE_MATCH, tag.clone())]));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_ne!(file(PARTS[1], &HeaderMap::new()).headers()[ETAG], tag);
    }
}
