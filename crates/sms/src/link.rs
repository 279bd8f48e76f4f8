//! Whether texts can leave just now.

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

/// A view of the connection, cheap to clone and to ask; for readiness, and for whoever would rather say
/// "later" than queue a text that is soon worthless.
#[derive(Debug, Clone)]
pub struct Link(watch::Receiver<LinkStatus>);

impl Link {
    /// Tells how the connection stands.
    #[must_use]
    pub fn status(&self) -> LinkStatus {
        *self.0.borrow()
    }

    /// Says whether a text queued now would leave at once.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        matches!(self.status(), LinkStatus::Bound { .. })
    }

    /// Resolves once the connection is bound; never, if the role has ended.
    pub async fn bound(&self) {
        let mut status = self.0.clone();
        if status.wait_for(|status| matches!(status, LinkStatus::Bound { .. })).await.is_err() {
            std::future::pending().await
        }
    }
}

/// The side that knows.
pub(crate) struct LinkKeeper(watch::Sender<LinkStatus>);

impl LinkKeeper {
    pub(crate) fn new(now: Timestamp) -> Self {
        metrics::gauge!("sms_bound").set(0.0);
        Self(watch::channel(LinkStatus::NotBound { since: now }).0)
    }

    pub(crate) fn watch(&self) -> Link {
        Link(self.0.subscribe())
    }

    pub(crate) fn bound(&self, since: Timestamp) {
        metrics::gauge!("sms_bound").set(1.0);
        self.0.send_replace(LinkStatus::Bound { since });
    }

    /// Says that the bind is lost; the first moment stays.
    pub(crate) fn lost(&self, since: Timestamp) {
        metrics::gauge!("sms_bound").set(0.0);
        self.0.send_if_modified(|status| {
            let was_bound = matches!(status, LinkStatus::Bound { .. });
            if was_bound {
                *status = LinkStatus::NotBound { since };
            }
            was_bound
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_stays_away_was_lost_when_it_was_lost() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let keeper = LinkKeeper::new(at(1));
        let link = keeper.watch();
        keeper.lost(at(2));
        assert_eq!(link.status(), LinkStatus::NotBound { since: at(1) });
        keeper.bound(at(3));
        assert!(link.is_bound());
        keeper.lost(at(4));
        keeper.lost(at(5));
        assert_eq!(link.status(), LinkStatus::NotBound { since: at(4) });
    }
}
