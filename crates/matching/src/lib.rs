//! Who matches whom, over plain 64-bit keys.
//!
//! `matched(a, b)` holds when `a` and `b` are both registered, `b` stands in the book of `a` and `a` in the
//! book of `b`. Nobody matches themselves. This crate computes that relation and nothing else: it opens no
//! file, reads no clock, throws no dice and knows no phone number; any `u64`, zero included, is a key.
//!
//! [`book`] holds one subscriber's contacts as one compressed blob.
#![forbid(unsafe_code)]

pub mod book;
pub mod bulk;
mod mix;
pub mod resident;
