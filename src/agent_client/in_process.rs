//! An agent in this process.
//!
//! It gets the requests, and gives the answers, that would otherwise cross a connection: token,
//! limits, lines and trailer included. What a client sees does not depend on where the agent is.

use super::response::came_from;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use hyper::{Request, Response};
use reqwest::Url;
use std::error::Error;
use std::fmt::Debug;

/// The name of such an agent in messages and in EXPLAIN.
pub(super) const BASE_URL: &str = "http://this-process";

/// The body of an answer, made as it is read. Dropping it ends the request.
pub type InProcessBody = BoxStream<'static, Result<Bytes, Box<dyn Error + Send + Sync>>>;

/// An agent that is asked without a connection.
pub trait InProcessAgent: Send + Sync + Debug {
    /// Answers a request.
    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<InProcessBody>>;
}

/// The answer, as the network would have brought it.
pub(super) async fn answered(
    agent: &dyn InProcessAgent,
    request: Request<Bytes>,
    url: &Url,
) -> reqwest::Response {
    came_from(url, agent.answer(request).await.map(reqwest::Body::wrap_stream))
}
