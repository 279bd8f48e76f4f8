//! What the interface answers when it does not do what was asked: `ErrorInfo` of the document.

use axum::Json;
use axum::response::{IntoResponse, Response};
use domain::limiter;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::json;
use store::StoreError;

use crate::registration::limits::Limited;

/// A refusal.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    retry_after_s: Option<u64>,
    source: Option<StoreError>,
}

/// The code of a refusal, for whoever writes it down.
#[derive(Debug, Clone, Copy)]
pub(super) struct RefusalCode(pub(super) &'static str);

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, retry_after_s: None, source: None }
    }

    pub(super) fn argument(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message)
    }

    pub(super) fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "UNAUTHENTICATED",
            "send one of the operator's tokens as 'Authorization: Bearer …'",
        )
    }

    pub(super) fn permission() -> Self {
        Self::new(StatusCode::FORBIDDEN, "PERMISSION_DENIED", "the token has not the scope codes:write")
    }

    pub(super) fn not_served() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "ONE_TIME_PASSWORD_SMS.PHONE_NUMBER_NOT_ALLOWED",
            "this operator does not serve that number",
        )
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "NOT_FOUND",
            "there is no such authenticationId, or it is used up or replaced",
        )
    }

    pub(super) fn expired() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "ONE_TIME_PASSWORD_SMS.VERIFICATION_EXPIRED",
            "the authenticationId is no longer valid; send a new code",
        )
    }

    pub(super) fn failed() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "ONE_TIME_PASSWORD_SMS.VERIFICATION_FAILED",
            "too many wrong codes were tried; send a new code",
        )
    }

    pub(super) fn wrong() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "ONE_TIME_PASSWORD_SMS.INVALID_OTP",
            "that is not the code of this authenticationId",
        )
    }

    /// The link to the SMS centre is down: a code that comes when it is worth nothing is worse than none.
    pub(super) fn no_link() -> Self {
        let mut refusal = Self::all();
        refusal.retry_after_s = Some(60);
        refusal
    }

    fn all() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "TOO_MANY_REQUESTS",
            "no code can go out or be tried just now",
        )
    }

    pub(super) fn limited(limited: Limited, now: Timestamp) -> Self {
        let (refusal, until) = match limited {
            Limited::TextsTo(until) => (
                Self::new(
                    StatusCode::FORBIDDEN,
                    "ONE_TIME_PASSWORD_SMS.MAX_OTP_CODES_EXCEEDED",
                    "this number was sent as many codes as it gets in that time",
                ),
                until,
            ),
            Limited::Wrong(until)
            | Limited::TextsFrom(until)
            | Limited::Texts(until)
            | Limited::WrongAll(until) => (Self::all(), until),
        };
        Self { retry_after_s: Some(limiter::wait_s(now, until)), ..refusal }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let message = "this cannot be done now; try again later";
        Self { source: Some(error), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if let Some(error) = &self.source {
            let error = error as &dyn std::error::Error;
            tracing::error!(error, "the store failed a request for a one-time password");
        }
        let body = json!({"status": self.status.as_u16(), "code": self.code, "message": self.message});
        let mut response = (self.status, Json(body)).into_response();
        if let Some(wait_s) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait_s));
        }
        response.extensions_mut().insert(RefusalCode(self.code));
        response
    }
}
