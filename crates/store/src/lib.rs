//! The store: what every role keeps, and the only place that knows SQL.
//!
//! A write is one closure that the backend runs whole ([`Store::write`]): the embedded backend puts
//! many of them into one durable commit, whoever waits at a screen first; PostgreSQL runs one again when another
//! came first. A read is one closure over one snapshot ([`Store::read`]). Verbs stand under the role
//! they serve and are written once, over the port in [`mod@sql`]; which backend runs is known here
//! alone.

pub mod audit;
mod backend;
pub mod contacts;
mod copy;
mod embedded;
pub mod erasures;
mod error;
pub mod exchange;
pub mod failpoints;
pub mod friends;
mod funnel;
pub mod jobs;
mod keys;
mod people;
pub mod platform;
mod postgres;
pub mod roles;
mod rotation;
mod rules;
mod schema;
mod sql;
mod store;
pub mod texts;
mod units;
pub mod upkeep;

pub use backend::urgently;
pub use copy::CopyError;
pub use error::{Kind, StoreError};
pub use funnel::{FunnelEvent, FunnelTx, FunnelView};
pub use keys::{KeyFileError, Keys, MasterKey, Purpose};
pub use postgres::GrantError;
pub use rotation::RotateError;
pub use schema::Reign;
pub use store::{OpenError, Store, Tx, View};
