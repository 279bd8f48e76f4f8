//! The store's laws: named sentences that hold on every backend.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test may end so"
)]

mod at_rest;
mod audit_laws;
mod audit_tampering;
mod backends;
mod charge_laws;
mod contacts_laws;
mod copy_laws;
mod damage;
mod differential;
mod erasure_laws;
mod event_laws;
mod group_laws;
mod import_laws;
mod jobs_laws;
mod key_file;
mod key_rotation;
mod limiter_laws;
mod match_model;
mod news_laws;
mod platform_laws;
mod provider_laws;
mod race_laws;
mod resident_laws;
mod roles;
mod share_laws;
mod statement_laws;
mod texts_laws;
mod upkeep_laws;
mod worker;
mod writer;
