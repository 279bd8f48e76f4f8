//! The SMS role: a durable outbox and inbox of texts over the binds to one or more SMS centres.
//!
//! Out: a role queues a text in the store; it is marked sent in a durable commit before its first byte
//! leaves, and whatever then happens ends in a row: accepted, delivered, undelivered, rejected, unknown or
//! expired. What waits for a text by its reference hears of each such step through a
//! [`store::jobs::JobKind::TextSettled`] job, `{"reference": …, "state": …}`, enqueued in the same commit.
//! What nobody knows the outcome of is sent again at most once, and only where a second copy does no
//! harm: a confirmation and a receipt carry the same body, a sign-in code and a notice are not repeated.
//!
//! In: a text is stored, with its [`store::jobs::JobKind::ReadReply`] job, `{"text": …}`, before the centre
//! is told that it was taken; so is each part of a long one, and whatever nobody can read. A receipt that comes
//! before the answer it belongs to waits in memory: should the process die, the answer is lost with it.
//!
//! One process runs this role for one store: at its start it takes what is still marked sent for lost. A second
//! one sends nothing a third time all the same: what is written about a sending counts only for that sending.
//!
//! Metrics: `sms_bound{centre,bind}`, `sms_window_in_use{centre,bind}`, `sms_rate_per_s{centre,bind}`,
//! `sms_throttled_total{centre}`, `sms_unknown_total{centre}`, `sms_binds_total{centre,outcome}`,
//! `sms_queue_oldest_s`, `sms_queued`, `sms_texts_total{purpose,outcome}`, `sms_inbound_total{outcome}`.

mod addresses;
mod centre;
mod config;
mod inbox;
mod link;
mod news;
mod outbox;
mod persist;
mod role;
mod upkeep;

pub use config::{CentreConfig, SmsConfig};
pub use link::{Link, LinkStatus};
pub use news::{News, Sending};
pub use role::Sms;
pub use smpp::{BindConfig, BindKind, DefaultAlphabet, MessageIdForm, ReceiptState, Tls, TlsError, Version};
