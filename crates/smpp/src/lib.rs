//! SMPP 3.4 (and 5.0) towards an SMS centre: binds with their windows, plain or under TLS, and the coding of texts.
//!
//! Bytes become PDUs in [`wire`] (framing is ours, bodies are coded by `rusmpp`); [`Session`] holds one
//! bind, its window, its rate and its deliveries; [`text`] turns a text into segments and back. What a
//! submit came to is told apart to the last octet: refused, answered, never sent, or unknown.
//! Reconnecting, storing and choosing what to send again belong to the caller.
//!
//! The feature `simulator` adds an SMS centre whose phones have screens.

mod address;
mod backoff;
mod config;
mod deliver;
pub mod limits;
mod message_id;
mod receipt;
mod session;
mod short_message;
mod status;
pub mod text;
mod tls;
pub mod wire;

#[cfg(feature = "simulator")]
pub mod simulator;

pub use address::Address;
pub use backoff::Backoff;
pub use config::{BindConfig, BindKind, DefaultAlphabet, Version};
pub use deliver::{DeliverAck, Delivered, Inbound, InboundBody, InboundText, read as read_delivery};
pub use futures::future::BoxFuture;
pub use message_id::{MessageIdForm, fold_message_id};
pub use receipt::{Receipt, ReceiptState};
pub use session::{BindError, Closed, Session, Submit, SubmitError};
pub use status::{Refusal, refusal};
pub use text::{Part, Segment};
pub use tls::{Tls, TlsError};
