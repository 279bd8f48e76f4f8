//! One request and its answer: limits, problems, and answers that are none of ours.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ClientError;
use super::stream;
use crate::problem::Problem;

/// The largest answer is an export: 50,000 rows of 300 bytes fit.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// A request under construction.
pub(super) struct Call {
    request: RequestBuilder,
    answer_limit: Duration,
    fault: Option<ClientError>,
}

impl Call {
    pub(super) fn new(request: RequestBuilder, answer_limit: Duration) -> Self {
        Self { request, answer_limit, fault: None }
    }

    pub(super) fn json(mut self, body: &impl Serialize) -> Self {
        self.request = self.request.json(body);
        self
    }

    pub(super) fn bytes(mut self, body: Bytes, media_type: &'static str) -> Self {
        self.request = self.request.header(CONTENT_TYPE, media_type).body(body);
        self
    }

    /// A header whose value comes from outside; one that cannot be sent fails the call, not the program.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => self.request = self.request.header(name, value),
            Err(_) => self.fault = Some(ClientError::Unsendable(name)),
        }
        self
    }

    /// Adds a query key where there is a value for it.
    pub(super) fn query(mut self, key: &str, value: Option<&str>) -> Self {
        let Some(value) = value else { return self };
        let (client, request) = self.request.build_split();
        match request {
            Ok(mut request) => {
                request.url_mut().query_pairs_mut().append_pair(key, value);
                self.request = RequestBuilder::from_parts(client, request);
            }
            Err(_) => {
                self.request = client.get("");
                self.fault = Some(ClientError::Unsendable("request"));
            }
        }
        self
    }

    /// Sends it and reads a JSON answer.
    pub(super) async fn read<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let (status, body) = self.bytes_answer().await?;
        serde_json::from_slice(&body)
            .map_err(|_| ClientError::NotHutong { status, what: "its answer does not fit the contract" })
    }

    /// Sends it and expects nothing but success.
    pub(super) async fn done(self) -> Result<(), ClientError> {
        self.bytes_answer().await.map(|_| ())
    }

    /// Sends it and reads the answer's bytes.
    pub(super) async fn bytes_answer(mut self) -> Result<(u16, Bytes), ClientError> {
        self.request = self.request.timeout(self.answer_limit);
        let response = self.send().await?;
        let status = response.status().as_u16();
        read_limited(response).await.map(|body| (status, body))
    }

    /// Sends it and reads the answer's bytes with the version that its `ETag` names.
    pub(super) async fn versioned_bytes(mut self) -> Result<(i64, Bytes), ClientError> {
        self.request = self.request.timeout(self.answer_limit);
        let response = self.send().await?;
        let version = header(&response, ETAG.as_str()).and_then(|tag| tag.trim_matches('"').parse().ok());
        let status = response.status().as_u16();
        let version =
            version.ok_or(ClientError::NotHutong { status, what: "its answer names no version" })?;
        read_limited(response).await.map(|body| (version, body))
    }

    /// Sends it and follows the answer as a stream of events.
    pub(super) async fn events(self) -> Result<stream::EventStream, ClientError> {
        let response = self.header("accept", "text/event-stream").send().await?;
        let is_stream = media_type(&response).starts_with("text/event-stream");
        if !is_stream {
            let status = response.status().as_u16();
            return Err(ClientError::NotHutong { status, what: "it sends no event stream" });
        }
        Ok(stream::EventStream::over(response))
    }

    /// Sends it and lets only a success through.
    async fn send(self) -> Result<Response, ClientError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let (client, request) = self.request.build_split();
        let request = request.map_err(|_| ClientError::Unsendable("request"))?;
        let server = authority(request.url());
        let response = client.execute(request).await.map_err(|error| broken(error, server))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status.is_redirection() {
            let location = header(&response, LOCATION.as_str()).unwrap_or("not given").to_owned();
            return Err(ClientError::Redirected { location });
        }
        Err(refusal(response).await)
    }

    #[cfg(test)]
    pub(super) fn url_for_tests(self) -> String {
        self.request.build().map(|request| request.url().to_string()).unwrap_or_default()
    }
}

async fn refusal(response: Response) -> ClientError {
    let status = response.status().as_u16();
    let retry_after_s = header(&response, RETRY_AFTER.as_str()).and_then(|text| text.trim().parse().ok());
    let is_problem = media_type(&response).starts_with(crate::problem::MEDIA_TYPE);
    let body = match read_limited(response).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) if is_problem => ClientError::Problem { problem: Box::new(problem), retry_after_s },
        _ => ClientError::NotHutong { status, what: "it refuses without saying why" },
    }
}

async fn read_limited(mut response: Response) -> Result<Bytes, ClientError> {
    let status = response.status().as_u16();
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(interrupted)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(ClientError::NotHutong { status, what: "its answer is too large" });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

fn media_type(response: &Response) -> String {
    header(response, CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase()
}

fn authority(url: &reqwest::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

// The URL may hold a number and is left out of the cause.
fn broken(error: reqwest::Error, server: String) -> ClientError {
    if error.is_connect() || error.is_dns() {
        return ClientError::Unreachable { server, source: Box::new(error.without_url()) };
    }
    interrupted(error)
}

pub(super) fn interrupted(error: reqwest::Error) -> ClientError {
    ClientError::Interrupted(Box::new(error.without_url()))
}
