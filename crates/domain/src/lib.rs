//! The words and rules of Hutong: pure, no I/O, no clock, no dice.
//!
//! Every other room speaks in these types; a rule that could be tested without a server stands here.

pub mod book;
pub mod catalogue;
pub mod charging;
pub mod confirmation;
pub mod consent;
pub mod decision;
pub mod funnel;
pub mod group;
pub mod ids;
pub mod key;
pub mod limiter;
pub mod limits;
pub mod locale;
pub mod money;
mod msisdn;
pub mod number;
pub mod order;
pub mod provisioning;
pub mod quota;
pub mod reconciliation;
pub mod texts;
pub mod world;

pub use msisdn::{Msisdn, NotE164};
pub use number::{Kind, Reading, Refusal, Region};
