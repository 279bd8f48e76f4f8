//! The SMS role: a durable outbox and inbox of texts over one SMPP bind.
//!
//! Out: a role queues a text in the store; it is marked sent in a durable commit before its first byte
//! leaves, and whatever then happens ends in a row: accepted, delivered, undelivered, rejected, unknown or
//! expired. What waits for a text by its reference hears of each such step through a
//! [`store::jobs::JobKind::TextSettled`] job, `{"reference": …, "state": …}`, enqueued in the same commit.
//! What nobody knows the outcome of is sent again at most once, and only where a second copy does no
//! harm: a confirmation and a receipt carry the same body, a sign-in code and a notice are not repeated.
//!
//! In: a text is stored, with its [`store::jobs::JobKind::ReadReply`] job, `{"text": …}`, before the centre
//! is told that it was taken. A receipt that comes before the answer it belongs to waits in memory.
//!
//! One process runs this role for one account: at its start it takes what is still marked sent for lost.
//!
//! Metrics: `sms_bound`, `sms_window_in_use`, `sms_queue_oldest_s`, `sms_texts_total{purpose,outcome}`,
//! `sms_inbound_total{outcome}`, `sms_binds_total{outcome}`.

mod addresses;
mod config;
mod inbox;
mod link;
mod news;
mod outbox;
mod persist;
mod role;
mod upkeep;

pub use config::SmsConfig;
pub use link::{Link, LinkStatus};
pub use news::{News, Sending};
pub use role::Sms;
pub use smpp::{DefaultAlphabet, MessageIdForm, ReceiptState};
