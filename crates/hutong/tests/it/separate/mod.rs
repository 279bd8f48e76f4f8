//! Contacts, exchange, platform and sms as processes of their own, each with its own user of PostgreSQL, the platform
//! with its own database.

mod away;
mod story;
mod town;
