//! What is left of a request's body when its answer is ready.
//!
//! A client that is cut off while it still sends sees a broken connection instead of the answer. So
//! the rest of a refused upload is read and thrown away before the answer goes out.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, HttpBody};
use axum::extract::Request;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::header::EXPECT;

/// Beyond this the sender is no terminal, and may as well be cut off.
const DRAINED_BYTES_MAX: usize = 32 << 20;
/// A sender slower than this does not hold an answer back for longer.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// The body, still in our hands after the handler has dropped it.
#[derive(Clone)]
pub(crate) struct Unread(Arc<Mutex<BodyDataStream>>);

/// Lends the body out to the handlers; `None` where the sender waits to be asked for it.
pub(crate) fn lend(request: Request) -> (Request, Option<Unread>) {
    if request.headers().contains_key(EXPECT) || request.body().is_end_stream() {
        return (request, None);
    }
    let (parts, body) = request.into_parts();
    let unread = Unread(Arc::new(Mutex::new(body.into_data_stream())));
    (Request::from_parts(parts, Body::from_stream(unread.clone())), Some(unread))
}

impl Unread {
    /// Reads the rest and throws it away.
    pub(crate) async fn drain(mut self) {
        let rest = async {
            let mut seen: usize = 0;
            while let Some(Ok(piece)) = self.next().await {
                seen = seen.saturating_add(piece.len());
                if seen > DRAINED_BYTES_MAX {
                    break;
                }
            }
        };
        // Whether it came to its end does not matter: the answer goes out in any case.
        let _ = tokio::time::timeout(DRAIN_LIMIT, rest).await;
    }
}

impl Stream for Unread {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(cx)
    }
}
