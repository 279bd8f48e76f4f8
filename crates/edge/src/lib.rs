//! HTTP glue of every role: the caller, problems, bodies, pages, and the shell around all routes.
//!
//! Knows the contract (`api`) and never the store. A handler takes these extractors instead of
//! axum's own, so that every refusal is a problem with a stable code:
//! [`Caller`], [`Json`], [`Blob`], [`Path`], [`Query`], [`Paging`], [`Listing`], [`IdempotencyKey`],
//! [`IfMatch`], [`Peer`]; and `hutong` puts [`shell`] around the whole.

mod body;
mod caller;
mod conditional;
pub mod contract;
pub mod cursor;
mod faults;
mod idempotency;
mod json;
mod listing;
pub mod operator;
mod path;
mod peer;
mod problem;
mod shell;
mod unread;

pub use body::{Blob, BodyLimit, whole_body};
pub use caller::{Authenticate, Authenticator, Caller};
pub use conditional::{IfMatch, etag};
pub use idempotency::{IdempotencyKey, Running, Turn};
pub use json::{Json, RawJson, holds_zero};
pub use listing::{Listing, NoQuery, Paging, PagingParams, Query};
pub use path::Path;
pub use peer::{Peer, TrustedProxies};
pub use problem::Problem;
pub use shell::{REQUEST_ID, RequestId, shell};
