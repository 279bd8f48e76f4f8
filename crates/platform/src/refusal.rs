//! What a TM Forum face answers when it does not do what was asked.

use std::error::Error;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use store::{Kind, StoreError};
use tmf::ErrorBody;

use crate::charging::PayerQuery;

/// A refusal, written as the interface's own `Error`.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    source: Option<StoreError>,
    /// What the charging system must be asked before this can be done.
    pub(crate) ask: Option<Box<PayerQuery>>,
}

/// The code of a refusal, for whoever writes it down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefusalCode(pub(crate) &'static str);

impl Refusal {
    fn new(status: StatusCode, code: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, reason, message: message.into(), source: None, ask: None }
    }

    /// The charging system does not say whether the payer can pay. The documents declare no 503: an
    /// outage is a 500 there, which clients try again; nothing was decided and nothing written.
    pub(crate) fn payer_unknown() -> Self {
        let message = "try again later";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "payerUnknown",
            "the charging system does not answer, and nothing is charged unchecked",
            message,
        )
    }

    /// This write needs the charging system's word about a payer first.
    pub(crate) fn ask(query: PayerQuery) -> Self {
        Self { ask: Some(Box::new(query)), ..Self::payer_unknown() }
    }

    /// The body cannot be read, or lacks what the document requires.
    pub(crate) fn body(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalidBody", "the body cannot be read", message)
    }

    /// The body is larger than `limits::BODY_BYTES_MAX`.
    pub(crate) fn too_large() -> Self {
        let message = "send a smaller body";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "tooLarge", "the body is too large", message)
    }

    /// The query says something that this list does not understand.
    pub(crate) fn query(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalidQuery", "the query cannot be read", message)
    }

    /// A callback that may not be called.
    pub(crate) fn callback() -> Self {
        let message = "give an http or https address that this platform may call";
        Self::new(StatusCode::BAD_REQUEST, "invalidCallback", "the callback is not allowed", message)
    }

    /// No operator's token, or a wrong one.
    pub(crate) fn unauthorized() -> Self {
        let message = "send one of the operator's tokens as 'Authorization: Bearer …'";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "a valid token is missing", message)
    }

    /// A token without the scope that the call needs.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "the token does not allow this", message)
    }

    /// There is no such resource.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", "there is no such resource", "check the id")
    }

    /// The resource's state does not allow it.
    pub(crate) fn state(message: &'static str) -> Self {
        Self::new(StatusCode::CONFLICT, "invalidState", "the resource's state does not allow this", message)
    }

    /// The path exists, the method does not.
    pub(crate) fn method() -> Self {
        let message = "see the interface's document for the methods of this path";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "methodNotAllowed",
            "this method is not supported here",
            message,
        )
    }
}

impl From<Refusal> for StoreError {
    fn from(refusal: Refusal) -> Self {
        refusal.source.unwrap_or_else(|| Self::new(Kind::Internal, refusal.message))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        // The documents declare no 503: an outage is a 500 there, which clients try again.
        let message = "try again later";
        Self {
            source: Some(error),
            ..Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the platform could not do this now",
                message,
            )
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Some(error) = &self.source {
            tracing::error!(error = error as &dyn Error, "the store failed a request at the platform's face");
        }
        let body = ErrorBody {
            code: self.code.to_owned(),
            reason: self.reason.to_owned(),
            message: Some(self.message),
            status: Some(self.status.as_u16().to_string()),
        };
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(RefusalCode(self.code));
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6750, section 3.
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hutong\""));
        }
        response
    }
}
