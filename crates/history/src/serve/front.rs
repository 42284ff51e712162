//! Where the requests of a connection arrive.

use super::agent::Agent;
use super::connections::HasRequested;
use super::direct::DirectRequest;
use super::limit;
use axum::Router;
use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::sync::Arc;

/// Who answers them.
#[derive(Clone, Debug)]
pub(super) struct Front {
    /// Rows and changes; `None`: there are none to be had.
    pub(super) agent: Option<Arc<Agent>>,
    /// Everything else.
    pub(super) routes: TowerToHyperService<Router>,
    /// That the connection has asked something.
    pub(super) asked: HasRequested,
}

impl Front {
    /// Routes alone.
    pub(super) fn of(routes: Router) -> Self {
        Self { agent: None, routes: TowerToHyperService::new(routes), asked: HasRequested::default() }
    }
}

impl Service<Request<Incoming>> for Front {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.asked.note();
        let asked = DirectRequest::by(request.method(), request.uri().path());
        let Some((asked, agent)) = asked.zip(self.agent.clone()) else {
            return self.routes.call(request).boxed();
        };
        let answer = async move {
            let (head, body) = request.into_parts();
            let body = limit::in_time(&agent, Body::new(body));
            Ok(asked.answered(&agent, &head, body).await)
        };
        answer.boxed()
    }
}
