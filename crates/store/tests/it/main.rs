//! The store's laws: named sentences that hold on every backend.

mod backends;
mod contacts_laws;
mod jobs_laws;
mod platform_laws;
mod texts_laws;
