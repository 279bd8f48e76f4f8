//! Deliveries that wait for a bound receiver or for their acknowledgement.

use std::collections::VecDeque;

use rusmpp::pdus::DeliverSm;
use tokio::time::Instant;

/// Deliveries kept; more are not taken.
const DELIVERIES_MAX: usize = 100_000;

/// One delivery and the earliest time to make it.
pub(super) struct Delivery {
    pub(super) pdu: DeliverSm,
    pub(super) not_before: Instant,
}

/// Deliveries in their order; those that failed wait apart until their time has come.
#[derive(Default)]
pub(super) struct Deliveries {
    ready: VecDeque<Delivery>,
    waiting: VecDeque<Delivery>,
    in_flight: usize,
}

impl Deliveries {
    pub(super) fn len(&self) -> usize {
        self.ready.len() + self.waiting.len() + self.in_flight
    }

    /// Says whether so many more fit.
    pub(super) fn has_room(&self, more: usize) -> bool {
        self.len() + more <= DELIVERIES_MAX
    }

    pub(super) fn push(&mut self, pdu: DeliverSm, now: Instant) {
        self.ready.push_back(Delivery { pdu, not_before: now });
    }

    /// Takes the next delivery that is due; it is in flight until [`Deliveries::done`] or
    /// [`Deliveries::failed`].
    pub(super) fn take(&mut self, now: Instant) -> Option<DeliverSm> {
        // All wait equally long, so the front is always the next.
        while self.waiting.front().is_some_and(|delivery| delivery.not_before <= now) {
            self.ready.extend(self.waiting.pop_front());
        }
        let delivery = self.ready.pop_front()?;
        self.in_flight += 1;
        Some(delivery.pdu)
    }

    pub(super) fn done(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    pub(super) fn failed(&mut self, pdu: DeliverSm, again_at: Instant) {
        self.done();
        self.waiting.push_back(Delivery { pdu, not_before: again_at });
    }

    /// When the next delivery that waits becomes due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.front().map(|delivery| delivery.not_before)
    }
}
