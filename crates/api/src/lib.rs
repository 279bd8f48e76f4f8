//! The subscriber contract: the shapes of `/v1`, its error codes, and (feature `client`) its client.
//!
//! Both sides build on these types, so that they cannot part. Numbers are plain strings here: any
//! reading inwards, E.164 outwards. Feature `openapi` adds the schemas of the OpenAPI document.

pub mod account;
pub mod book;
#[cfg(feature = "client")]
pub mod client;
pub mod consents;
pub mod events;
pub mod feed;
pub mod matches;
pub mod orders;
pub mod page;
pub mod problem;
pub mod registration;
#[cfg(feature = "openapi")]
pub mod schema;
pub mod subscriptions;

pub use page::Page;
pub use problem::{Code, FieldFault, Problem};
