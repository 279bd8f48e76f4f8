//! Exchange and platform in one process: the same requests and answers as across a network, no socket.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response};
use http_body_util::BodyExt;
use platform::Callbacks;
use tmf::{Transport, TransportError};
use tower::ServiceExt;

/// The address under which the platform in this process knows the exchange in it.
pub(crate) const CALLBACK_BASE: &str = "http://exchange.in-process";

/// Calls a router as a service.
pub(crate) struct InProcess {
    router: Router,
    token: Option<HeaderValue>,
}

impl InProcess {
    pub(crate) fn new(router: Router, token: Option<String>) -> Self {
        let header = |token: String| HeaderValue::try_from(format!("Bearer {token}")).ok();
        Self { router, token: token.and_then(header) }
    }
}

impl Transport for InProcess {
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let mut request = request.map(Body::from);
            if let Some(token) = &self.token {
                request.headers_mut().insert(AUTHORIZATION, token.clone());
            }
            let Ok(response) = self.router.clone().oneshot(request).await;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.map_err(|_| TransportError::Unknown)?.to_bytes();
            Ok(Response::from_parts(parts, body))
        })
    }
}

/// Leads the platform's events to the exchange once it is there: neither is built from the other.
#[derive(Default)]
pub(crate) struct LateBound {
    exchange: OnceLock<Arc<dyn Transport>>,
    elsewhere: Option<Arc<dyn Callbacks>>,
}

impl LateBound {
    /// The same, with a way to listeners elsewhere.
    #[allow(dead_code, reason = "a test that plays the house has none")]
    pub(crate) fn and(elsewhere: Arc<dyn Callbacks>) -> Self {
        Self { elsewhere: Some(elsewhere), ..Self::default() }
    }

    /// Names the exchange; only the first call counts.
    pub(crate) fn bind(&self, exchange: Arc<dyn Transport>) {
        let _ = self.exchange.set(exchange);
    }
}

impl Callbacks for LateBound {
    fn transport(&self, callback: &str) -> Option<Arc<dyn Transport>> {
        if callback.strip_prefix(CALLBACK_BASE).is_some_and(|path| path.starts_with('/')) {
            return self.exchange.get().cloned();
        }
        self.elsewhere.as_ref()?.transport(callback)
    }
}
