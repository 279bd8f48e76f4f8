//! The limits of a session, for whoever shows them.

use std::time::Duration;

pub use crate::text::SEGMENTS_MAX;
pub use crate::wire::PDU_OCTETS_MAX;

/// Deliveries handled at once on one session.
pub const DELIVERIES_MAX: usize = 32;
/// Deliveries that wait for their turn; more are told to come again.
pub const DELIVERIES_WAITING_MAX: usize = 256;
/// The longest one delivery is handled.
pub const DELIVERY_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a centre that unbinds gets to answer what is open; its own patience is about 5 s.
pub const PEER_DRAIN_MAX: Duration = Duration::from_secs(2);
/// How long answers are matched after their time limit; a centre's own retries end within minutes.
pub const LATE_ANSWER_AGE_MAX: Duration = Duration::from_secs(600);
/// Overdue submits remembered; a silent centre at 150 a second fills this in about a minute.
pub const LATE_ANSWERS_MAX: usize = 10_000;
