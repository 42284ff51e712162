//! Requests on their way to the agent, and what of an answer does not depend on the question.

use super::errors::{cleaned, unreachable};
use super::headers::{bearer, identify};
use super::request::Size;
use super::response::{ROWS, is_framed, media_type};
use super::{AgentClient, AgentSettings, Caller, Endpoint, SetupError, Transport, errors, in_process, tls};
use crate::failure::Failure;
use crate::telemetry::figures;
use crate::telemetry::metrics::metrics;
use bytes::Bytes;
use dbtrail_types::agent_api::ErrorBody;
use dbtrail_types::names::RequestId;
use hyper::Request;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, USER_AGENT};
use reqwest::{Client, Identity, Method, Response, Version, redirect};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Of an error body no more than this is read.
const ERROR_BODY: usize = errors::LONGEST_REFUSAL;
/// For the text of an error body no longer than this: the status, which decides what the client is
/// given, is there already.
const ERROR_BODY_TIME: Duration = Duration::from_secs(1);
/// Of a small answer (definitions, lists) no more than this.
const SMALL_ANSWER: usize = 64 << 20;

/// Bytes of one answer that may be on the way while nobody reads it: enough for a fast answer over
/// a long line.
pub(super) const STREAM_WINDOW: u32 = 256 << 10;
/// Bytes of all answers of a connection together, the most that HTTP/2 has ([Flow-Control
/// Principles](https://www.rfc-editor.org/rfc/rfc9113#section-5.2.1), RFC 9113): with less, clients
/// that do not read their rows would hold up the answers of all others.
pub(super) const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// For a connection to the agent to be made.
pub(super) const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Between two questions whether the agent is still there.
pub(super) const PING_INTERVAL: Duration = Duration::from_secs(10);
/// For the agent to answer: beyond, the connection is given up.
pub(super) const PING_TIME: Duration = Duration::from_secs(20);

const AGENT: &str = concat!("dbtrail-shim/", env!("CARGO_PKG_VERSION"));
const JSON: &str = "application/json";

/// Makes the HTTP client; `at`: a name, and the one address of it that is connected to. No proxy of
/// the environment is asked: it would be given the tokens.
pub(super) fn client(settings: &AgentSettings, at: Option<(&str, IpAddr)>) -> Result<Client, SetupError> {
    let failed = |what: &str, e: &dyn std::fmt::Display| SetupError(format!("{what}: {e}"));
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIME)
        .tcp_keepalive(Duration::from_secs(30))
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIME)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        .user_agent(AGENT);
    if let Some((name, address)) = at {
        // The port is that of the URL.
        builder = builder.resolve(name, SocketAddr::new(address, 0));
    }
    if let Some(pem) = &settings.ca_pem {
        builder = builder.tls_backend_preconfigured(tls::config(settings, pem)?);
    } else if let Some((chain, key)) = &settings.identity_pem {
        let mut pem = chain.clone();
        pem.push(b'\n');
        pem.extend_from_slice(key.expose().as_bytes());
        builder = builder.identity(
            Identity::from_pem(&pem).map_err(|e| failed("agent_tls: client certificate and key", &e))?,
        );
    }
    builder.build().map_err(|e| failed("the HTTPS client cannot be made", &e))
}

/// Sends a request as it is; gives the answer, whatever it is.
pub(super) async fn execute(
    agent: &AgentClient,
    request: reqwest::Request,
    caller: Option<&Caller>,
) -> Result<Response, Failure> {
    let began = Instant::now();
    let answered = executed(agent, request).await;
    counted(began, &answered, caller);
    answered
}

/// For the metrics, and for SHOW STATUS of the caller.
fn counted(began: Instant, answered: &Result<Response, Failure>, caller: Option<&Caller>) {
    let outcome = match answered.as_ref().map(|response| response.status().as_u16()) {
        Ok(..400) => "answered",
        Ok(400..500) => "refused",
        Ok(500..) => "failed",
        Err(_) => "unreachable",
    };
    metrics().agent(outcome, began.elapsed());
    if let Some(caller) = caller {
        figures::agent(&caller.tenant, outcome);
    }
}

/// The same, not counted.
pub(super) async fn executed(agent: &AgentClient, request: reqwest::Request) -> Result<Response, Failure> {
    match &agent.transport {
        Transport::Network { http, .. } => {
            http.execute(request).await.map_err(|e| unreachable(&agent.base_url, &e))
        }
        Transport::InProcessAgent(inside) => {
            let url = request.url().clone();
            let request = Request::try_from(request).map_err(|e| unreachable(&agent.base_url, &e))?;
            // None of these requests has a body that comes bit by bit.
            let request = request.map(|body| Bytes::copy_from_slice(body.as_bytes().unwrap_or_default()));
            Ok(in_process::answered(&**inside, request, &url).await)
        }
    }
}

/// Sends a request; gives the answer if it is a 200.
pub(super) async fn send(
    agent: &AgentClient,
    mut request: reqwest::Request,
    caller: &Caller,
    id: &RequestId,
) -> Result<Response, Failure> {
    let headers = request.headers_mut();
    identify(headers, id)?;
    if let Some(bearer) = bearer(caller)? {
        headers.insert(AUTHORIZATION, bearer);
    }
    good(&agent.base_url, execute(agent, request, Some(caller)).await?).await
}

/// Sends a request that is meant to be refused; gives the refusal. `None`: it was not refused, or
/// not in the words of the contract.
pub(super) async fn refusal(
    agent: &AgentClient,
    mut request: reqwest::Request,
    caller: &Caller,
    id: &RequestId,
) -> Result<Option<ErrorBody>, Failure> {
    let headers = request.headers_mut();
    identify(headers, id)?;
    if let Some(bearer) = bearer(caller)? {
        headers.insert(AUTHORIZATION, bearer);
    }
    let response = execute(agent, request, Some(caller)).await?;
    if response.status().is_server_error() {
        return good(&agent.base_url, response).await.map(|_| None);
    }
    if !response.status().is_client_error() {
        return Ok(None);
    }
    Ok(serde_json::from_slice(&first_bytes(response).await).ok())
}

/// Asks for rows; gives the answer if it is a 200.
pub(super) async fn post(
    agent: &AgentClient,
    size: Size,
    endpoint: &Endpoint,
    body: Bytes,
    caller: &Caller,
    id: &RequestId,
) -> Result<Response, Failure> {
    let head = || head(endpoint, body.len(), bearer(caller)?, id);
    let h2_pool = match &agent.transport {
        Transport::InProcessAgent(inside) => {
            let began = Instant::now();
            let response = in_process::answered(&**inside, head()?.map(|()| body), &endpoint.url).await;
            let response = Ok(response);
            counted(began, &response, Some(caller));
            let response = response?;
            return good(&agent.base_url, response).await;
        }
        Transport::Network { h2_pool, .. } => h2_pool.as_ref().filter(|_| size == Size::Small),
    };
    let began = Instant::now();
    if let Some(h2_pool) = h2_pool
        && let Some(response) = h2_pool.send(head, body.clone(), &endpoint.url).await.transpose()
    {
        counted(began, &response, Some(caller));
        let response = response?;
        return good(&agent.base_url, response).await;
    }
    let mut request = reqwest::Request::new(Method::POST, endpoint.url.clone());
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static(ROWS));
    *request.body_mut() = Some(body.into());
    let response = send(agent, request, caller, id).await?;
    if let (Version::HTTP_2, Some(h2_pool)) = (response.version(), h2_pool) {
        h2_pool.open();
    }
    Ok(response)
}

/// The head of a request for rows, as reqwest makes it.
fn head(
    endpoint: &Endpoint,
    length: usize,
    bearer: Option<HeaderValue>,
    id: &RequestId,
) -> Result<Request<()>, Failure> {
    let request = Request::post(endpoint.uri.clone()).version(Version::HTTP_2).body(());
    let mut request = request.map_err(|e| Failure::Internal(format!("a request cannot be written: {e}")))?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(ACCEPT, HeaderValue::from_static(ROWS));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    identify(headers, id)?;
    if let Some(bearer) = bearer {
        headers.insert(AUTHORIZATION, bearer);
    }
    Ok(request)
}

/// The answer, if it is a 200.
async fn good(base_url: &str, response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.as_u16() == 200 {
        return Ok(response);
    }
    if !status.is_client_error() && !status.is_server_error() {
        return Err(Failure::AgentNonsense(format!(
            "the agent at {base_url} answered HTTP {status}, which no agent should"
        )));
    }
    let (body, word) = error_body(response).await;
    let status = status.as_u16();
    Err(if status >= 500 {
        Failure::AgentFailed { status, body }
    } else {
        Failure::AgentRejected { status, body, word }
    })
}

/// The sentence of an error body and its word for the cause, or as much of the body as is for
/// people. An error while reading it, or an end that does not come, loses text, not the status.
async fn error_body(response: Response) -> (String, String) {
    let bytes = first_bytes(response).await;
    let body = serde_json::from_slice::<ErrorBody>(&bytes).map(|b| (b.error, b.code));
    let (sentence, word) =
        body.unwrap_or_else(|_| (String::from_utf8_lossy(&bytes).into_owned(), String::new()));
    (cleaned(&sentence), word)
}

/// As much of a body as comes in time, up to a limit.
async fn first_bytes(mut response: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    let body = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= ERROR_BODY {
                bytes.truncate(ERROR_BODY);
                break;
            }
        }
    };
    // What came until then is kept.
    let _ = tokio::time::timeout(ERROR_BODY_TIME, body).await;
    bytes
}

/// A JSON body that is not streamed.
pub(super) async fn small<T: serde::de::DeserializeOwned>(
    base_url: &str,
    mut response: Response,
) -> Result<T, Failure> {
    let json = media_type(&response).contains("json");
    let framed = is_framed(&response);
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| unreachable(base_url, &e))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > SMALL_ANSWER {
            return Err(Failure::AgentNonsense("the agent's answer is far too long".to_owned()));
        }
    }
    if let Some(sentence) = errors::refusal(&bytes) {
        return Err(Failure::AgentNonsense(sentence));
    }
    match serde_json::from_slice(&bytes) {
        Ok(value) if json => Ok(value),
        Ok(_) => Err(Failure::AgentNonsense("the agent's answer does not say that it is JSON".to_owned())),
        Err(e) if e.is_eof() && !framed && base_url != in_process::BASE_URL => Err(errors::cut(base_url)),
        Err(e) => Err(Failure::AgentNonsense(format!("the agent's answer is not understood: {e}"))),
    }
}
