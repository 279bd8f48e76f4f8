//! The port through which requests reach the other side: a socket, or a router in the same process.

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};

/// Carries one request to the other side and brings back the answer.
///
/// The request's URI is a path and a query unless the caller knows the whole address; a transport adds
/// what it knows itself: the base address, the authentication.
pub trait Transport: Send + Sync {
    /// Sends a request.
    ///
    /// # Errors
    /// [`TransportError`] tells whether the other side may have acted.
    fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The request certainly did not arrive.
    #[error("the request was not sent")]
    NotSent,
    /// The request may have arrived; its answer did not.
    #[error("no answer came, and the request may have arrived")]
    Unknown,
}
