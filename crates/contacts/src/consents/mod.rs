//! Consents: each is given and taken back by itself, and what rests on it comes and goes with it.

pub mod give;
pub mod take_back;
