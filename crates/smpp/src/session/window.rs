//! The window: what was sent and waits for its answer, and what waited too long.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::SubmitError;
use super::writer::Ticket;
use crate::limits::{LATE_ANSWER_AGE_MAX, LATE_ANSWERS_MAX};

/// The greatest sequence number (SMPP 3.4 section 5.1.4).
const SEQUENCE_MAX: u32 = 0x7FFF_FFFF;

/// One submit that waits for its answer.
pub(super) struct Pending {
    pub(super) answer: oneshot::Sender<Result<String, SubmitError>>,
    pub(super) tag: Option<u128>,
    pub(super) ticket: Ticket,
    pub(super) since: Instant,
    /// Held for its drop, which frees the slot.
    pub(super) _slot: OwnedSemaphorePermit,
}

/// All submits of a session by sequence number.
pub(super) struct Window {
    limit: Duration,
    last: u32,
    pending: HashMap<u32, Pending>,
    deadlines: VecDeque<(Instant, u32)>,
    late: HashMap<u32, u128>,
    forget: VecDeque<(Instant, u32)>,
}

impl Window {
    pub(super) fn new(limit: Duration, last: u32) -> Self {
        Self {
            limit,
            last,
            pending: HashMap::new(),
            deadlines: VecDeque::new(),
            late: HashMap::new(),
            forget: VecDeque::new(),
        }
    }

    /// The next sequence number that no open or overdue submit holds.
    pub(super) fn next_sequence(&mut self) -> u32 {
        loop {
            self.last = if self.last >= SEQUENCE_MAX { 1 } else { self.last + 1 };
            if !self.pending.contains_key(&self.last) && !self.late.contains_key(&self.last) {
                return self.last;
            }
        }
    }

    pub(super) fn insert(&mut self, sequence: u32, pending: Pending) {
        self.deadlines.push_back((pending.since + self.limit, sequence));
        self.pending.insert(sequence, pending);
    }

    /// Takes the submit that this answer belongs to.
    pub(super) fn answered(&mut self, sequence: u32) -> Option<Pending> {
        self.pending.remove(&sequence)
    }

    /// Takes the tag of an overdue submit that this answer belongs to.
    pub(super) fn answered_late(&mut self, sequence: u32) -> Option<u128> {
        self.late.remove(&sequence)
    }

    /// When [`Window::expire`] has something to do.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.front().map(|(deadline, _)| *deadline)
    }

    /// Ends what waited past its limit, and forgets what was overdue long enough.
    pub(super) fn expire(&mut self, now: Instant) {
        while let Some(&(deadline, sequence)) = self.deadlines.front()
            && deadline <= now
        {
            self.deadlines.pop_front();
            // The sequence number may have come round to a younger submit only after 2^31 others.
            if let Some(pending) = self.pending.remove(&sequence) {
                self.end(sequence, pending, now);
            }
        }
        while let Some(&(deadline, sequence)) = self.forget.front()
            && (deadline <= now || self.forget.len() > LATE_ANSWERS_MAX)
        {
            self.forget.pop_front();
            self.late.remove(&sequence);
        }
    }

    fn end(&mut self, sequence: u32, pending: Pending, now: Instant) {
        if pending.ticket.cancel() {
            let _ = pending.answer.send(Err(SubmitError::NotSent));
            return;
        }
        if let Some(tag) = pending.tag {
            self.late.insert(sequence, tag);
            self.forget.push_back((now + LATE_ANSWER_AGE_MAX, sequence));
        }
        // The caller may have gone; the slot is freed all the same.
        let _ = pending.answer.send(Err(SubmitError::Unknown));
    }

    /// Ends everything, with the session.
    pub(super) fn end_all(&mut self) {
        for (_, pending) in self.pending.drain() {
            let never_left = pending.ticket.cancel();
            let _ = pending.answer.send(Err(if never_left {
                SubmitError::NotSent
            } else {
                SubmitError::Unknown
            }));
        }
        self.deadlines.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    type Answer = oneshot::Receiver<Result<String, SubmitError>>;

    fn pending(slots: &Arc<Semaphore>, tag: Option<u128>, since: Instant) -> (Pending, Answer, Ticket) {
        let (answer, answered) = oneshot::channel();
        let ticket = Ticket::default();
        let slot = Arc::clone(slots).try_acquire_owned().unwrap();
        (Pending { answer, tag, ticket: ticket.clone(), since, _slot: slot }, answered, ticket)
    }

    #[tokio::test]
    async fn overdue_submits_free_their_slot_and_still_match_for_ten_minutes() {
        let slots = Arc::new(Semaphore::new(2));
        let mut window = Window::new(Duration::from_secs(10), 0);
        let now = Instant::now();
        let (written, mut written_answer, ticket) = pending(&slots, Some(42), now);
        assert!(ticket.begin_write());
        window.insert(1, written);
        let (queued, mut queued_answer, queued_ticket) = pending(&slots, Some(43), now);
        window.insert(2, queued);
        window.expire(now + Duration::from_secs(9));
        assert_eq!(slots.available_permits(), 0);
        window.expire(now + Duration::from_secs(10));
        assert_eq!(slots.available_permits(), 2);
        assert_eq!(written_answer.try_recv().unwrap(), Err(SubmitError::Unknown));
        assert_eq!(queued_answer.try_recv().unwrap(), Err(SubmitError::NotSent));
        assert!(!queued_ticket.begin_write(), "what was called not sent is not written afterwards");
        assert!(window.answered(1).is_none());
        assert_eq!(window.answered_late(2), None);
        assert_eq!(window.answered_late(1), Some(42));
        assert_eq!(window.answered_late(1), None);
    }

    #[tokio::test]
    async fn an_overdue_submit_is_forgotten_in_time() {
        let slots = Arc::new(Semaphore::new(1));
        let mut window = Window::new(Duration::from_secs(10), 0);
        let now = Instant::now();
        let (written, _answer, ticket) = pending(&slots, Some(42), now);
        ticket.begin_write();
        window.insert(1, written);
        window.expire(now + Duration::from_secs(10));
        window.expire(now + Duration::from_secs(611));
        assert_eq!(window.answered_late(1), None);
    }

    #[test]
    fn sequence_numbers_wrap_and_step_over_those_in_use() {
        let mut window = Window::new(Duration::from_secs(10), SEQUENCE_MAX - 1);
        window.late.insert(1, 7);
        assert_eq!([window.next_sequence(), window.next_sequence()], [SEQUENCE_MAX, 2]);
    }
}
