//! The words and rules of Hutong: pure, no I/O, no clock, no dice.

mod msisdn;

pub use msisdn::{Msisdn, NotE164};
