//! Responses that did not come through reqwest, as reqwest's own.

use hyper::Response as Answer;
use reqwest::{Response, ResponseBuilderExt};

/// An answer under the URL that was asked. Without one, reqwest reads another for each answer.
pub(super) fn came_from(url: &reqwest::Url, answer: Answer<reqwest::Body>) -> Response {
    let (mut head, body) = answer.into_parts();
    // A URL that was read is good for a header too; else reqwest makes up its own.
    if let Ok(named) = Answer::builder().url(url.clone()).body(()) {
        head.extensions.extend(named.into_parts().0.extensions);
    }
    Answer::from_parts(head, body).into()
}
