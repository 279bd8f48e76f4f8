//! Whether texts can leave just now.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

/// How the connection to the centre stands, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStatus {
    /// Texts can be sent.
    Bound {
        /// When the centre took the bind.
        since: Timestamp,
    },
    /// Texts wait in the queue.
    NotBound {
        /// When the bind was lost, or the role made.
        since: Timestamp,
    },
}

/// What is known of the way out.
#[derive(Debug, Clone, Copy)]
struct Outlook {
    status: LinkStatus,
    /// Binds that can send.
    bound: usize,
    /// How long what is queued keeps them busy at their rates.
    backlog: Duration,
}

/// A view of the connections, cheap to clone and to ask; for readiness, and for whoever would rather say
/// "later" than queue a text that is soon worthless.
#[derive(Debug, Clone)]
pub struct Link(watch::Receiver<Outlook>);

impl Link {
    /// Tells how the connections stand: bound while any centre takes texts.
    #[must_use]
    pub fn status(&self) -> LinkStatus {
        self.0.borrow().status
    }

    /// Says whether a text queued now would find a centre.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        matches!(self.status(), LinkStatus::Bound { .. })
    }

    /// Says whether a text queued now leaves within so long: a centre is there, and what waits before it at
    /// the agreed rate takes less.
    #[must_use]
    pub fn sends_within(&self, limit: Duration) -> bool {
        let outlook = *self.0.borrow();
        matches!(outlook.status, LinkStatus::Bound { .. }) && outlook.backlog < limit
    }

    /// Resolves once a connection is bound; never, if the role has ended.
    pub async fn bound(&self) {
        let mut outlook = self.0.clone();
        let bound = |outlook: &Outlook| matches!(outlook.status, LinkStatus::Bound { .. });
        if outlook.wait_for(bound).await.is_err() {
            std::future::pending().await
        }
    }
}

/// The side that knows.
pub(crate) struct LinkKeeper(watch::Sender<Outlook>);

impl LinkKeeper {
    pub(crate) fn new(now: Timestamp) -> Self {
        let status = LinkStatus::NotBound { since: now };
        Self(watch::channel(Outlook { status, bound: 0, backlog: Duration::ZERO }).0)
    }

    pub(crate) fn watch(&self) -> Link {
        Link(self.0.subscribe())
    }

    /// Says that one bind more can send; the first moment stays.
    pub(crate) fn bound(&self, since: Timestamp) {
        self.0.send_modify(|outlook| {
            outlook.bound += 1;
            if outlook.bound == 1 {
                outlook.status = LinkStatus::Bound { since };
            }
        });
    }

    /// Says that one bind less can send.
    pub(crate) fn lost(&self, since: Timestamp) {
        self.0.send_modify(|outlook| {
            outlook.bound = outlook.bound.saturating_sub(1);
            if outlook.bound == 0 {
                outlook.status = LinkStatus::NotBound { since };
            }
        });
    }

    /// Says how many texts wait, and how many a second leave; 0 is without limit.
    pub(crate) fn queued(&self, texts: u64, rate_per_s: u32) {
        let backlog = texts.checked_div(rate_per_s.into()).map_or(Duration::ZERO, Duration::from_secs);
        self.0.send_if_modified(|outlook| std::mem::replace(&mut outlook.backlog, backlog) != backlog);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_lost_when_the_last_bind_is_lost_and_since_then() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let keeper = LinkKeeper::new(at(1));
        let link = keeper.watch();
        assert_eq!(link.status(), LinkStatus::NotBound { since: at(1) });
        keeper.bound(at(3));
        keeper.bound(at(4));
        assert_eq!(link.status(), LinkStatus::Bound { since: at(3) });
        keeper.lost(at(5));
        assert!(link.is_bound());
        keeper.lost(at(6));
        assert_eq!(link.status(), LinkStatus::NotBound { since: at(6) });
    }

    #[test]
    fn a_text_leaves_in_time_only_where_a_centre_is_there_and_the_queue_is_short() {
        let keeper = LinkKeeper::new(Timestamp::UNIX_EPOCH);
        let link = keeper.watch();
        let life = Duration::from_secs(300);
        assert!(!link.sends_within(life));
        keeper.bound(Timestamp::UNIX_EPOCH);
        keeper.queued(1_000_000, 0);
        assert!(link.sends_within(life));
        keeper.queued(2_990, 10);
        assert!(link.sends_within(life));
        keeper.queued(3_000, 10);
        assert!(!link.sends_within(life));
    }
}
