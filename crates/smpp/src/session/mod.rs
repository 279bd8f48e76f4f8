//! One bind: its face towards the caller.
//!
//! A task ([`link`]) owns the socket, the window and the deliveries. It never waits for a write alone ([`writer`]), so
//! that a peer that does not read cannot stop us reading.

mod bind;
mod link;
mod pace;
mod request;
mod window;
mod writer;

use std::sync::Arc;

use rusmpp::pdus::SubmitSm;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::config::BindConfig;
use crate::deliver::Inbound;
use crate::status::Refusal;
pub use bind::BindError;
use pace::Pace;
pub use request::Submit;

/// One bind, cheap to clone. When the last clone is dropped the session unbinds.
#[derive(Clone)]
pub struct Session {
    requests: mpsc::Sender<Request>,
    window: Arc<Semaphore>,
    window_size: usize,
    pace: Arc<Pace>,
    closed: watch::Receiver<Option<Closed>>,
}

/// What the face asks of the link.
enum Request {
    Submit(Box<Waiting>),
    Unbind,
}

/// A submit on its way to the link.
struct Waiting {
    pdu: SubmitSm,
    tag: Option<u128>,
    leave_by: Option<Instant>,
    slot: OwnedSemaphorePermit,
    answer: oneshot::Sender<Result<String, SubmitError>>,
}

/// Why a submit brought no message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// It certainly never left: the session had ended, or ended before the write. Safe to send again.
    #[error("the text was not sent")]
    NotSent,
    /// The centre refused it, or it does not fit a PDU (then with the status a centre would give).
    #[error("the centre refused the text with status {status:#x}")]
    Refused {
        /// command_status of the answer (SMPP 3.4 section 5.1.3).
        status: u32,
        /// What to do about it.
        kind: Refusal,
    },
    /// It was written, and no answer came before the time limit or the end of the connection.
    #[error("the text was sent and not answered")]
    Unknown,
}

/// Why a session ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// We unbound.
    #[error("we unbound")]
    Unbound,
    /// The centre unbound.
    #[error("the centre unbound")]
    UnboundByPeer,
    /// The centre closed or broke the connection.
    #[error("the connection ended")]
    Disconnected,
    /// The centre missed an enquire_link.
    #[error("the centre missed an enquire_link")]
    Silent,
    /// What came is not SMPP.
    #[error("the centre sent what is not SMPP: {0}")]
    Malformed(String),
    /// The centre stopped reading.
    #[error("the centre stopped reading")]
    Stalled,
}

impl Session {
    /// Connects and binds; deliveries go to `inbound`.
    ///
    /// # Errors
    /// [`BindError`]; nothing is left open.
    pub async fn bind(config: BindConfig, inbound: Arc<dyn Inbound>) -> Result<Self, BindError> {
        let bound = tokio::time::timeout(config.bind_timeout, bind::bind(&config))
            .await
            .map_err(|_elapsed| BindError::TimedOut)??;
        let window_size = config.window.clamp(1, Semaphore::MAX_PERMITS);
        let window = Arc::new(Semaphore::new(window_size));
        let pace = Arc::new(Pace::new(config.rate_per_s));
        if !config.kind.sends() {
            // Who asks all the same is told that the text was not sent.
            window.close();
        }
        // A submit holds a slot before it gets here, so the queue is bounded by the window.
        let (requests, queue) = mpsc::channel(window_size.min(1024) + 8);
        let (ended, closed) = watch::channel(None);
        let link = link::Link::new(config, inbound, bound, Arc::clone(&window), queue);
        tokio::spawn(link.run(ended));
        Ok(Self { requests, window, window_size, pace, closed })
    }

    /// Sends one segment as one submit_sm: waits for a window slot, then for the rate, then for the answer.
    /// Gives the message id; an empty one if the centre accepted the text without naming it.
    ///
    /// Dropping the future does not take back what was written; its slot stays taken until the answer or
    /// the time limit.
    ///
    /// # Errors
    /// [`SubmitError`], which tells what certainly never left from what may have.
    pub async fn submit(&self, submit: Submit) -> Result<String, SubmitError> {
        self.send(submit, None).await
    }

    /// Sends as [`Session::submit`] does; should the answer come after the time limit, `inbound` learns it
    /// under `tag`.
    ///
    /// # Errors
    /// As [`Session::submit`].
    pub async fn submit_tagged(&self, submit: Submit, tag: u128) -> Result<String, SubmitError> {
        self.send(submit, Some(tag)).await
    }

    async fn send(&self, submit: Submit, tag: Option<u128>) -> Result<String, SubmitError> {
        let leave_by = submit.leave_by;
        let pdu = submit.into_pdu()?;
        let slot = Arc::clone(&self.window).acquire_owned().await.map_err(|_closed| SubmitError::NotSent)?;
        let mut closed = self.closed.clone();
        tokio::select! {
            () = self.pace.wait() => {}
            _ = closed.wait_for(Option::is_some) => return Err(SubmitError::NotSent),
        }
        let (answer, answered) = oneshot::channel();
        let waiting = Box::new(Waiting { pdu, tag, leave_by, slot, answer });
        self.requests.send(Request::Submit(waiting)).await.map_err(|_closed| SubmitError::NotSent)?;
        // The link answers everything it takes; were it to vanish, the text might have left.
        answered.await.unwrap_or(Err(SubmitError::Unknown))
    }

    /// Resolves when the session has ended, with the reason.
    pub async fn closed(&self) -> Closed {
        let mut closed = self.closed.clone();
        match closed.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or(Closed::Disconnected),
            Err(_gone) => Closed::Disconnected,
        }
    }

    /// Unbinds: takes no more, waits for the answers that are due, unbinds, closes. Resolves when it is done.
    pub async fn unbind(&self) {
        self.window.close();
        // If the link is gone, the session is closed, which is what was asked for.
        let _ = self.requests.send(Request::Unbind).await;
        self.closed().await;
    }

    /// How many window slots are taken.
    #[must_use]
    pub fn window_in_use(&self) -> usize {
        self.window_size.saturating_sub(self.window.available_permits())
    }

    /// Changes the rate, in submits a second; 0 is unlimited. For halving it when the centre throttles.
    pub fn set_rate(&self, rate_per_s: u32) {
        self.pace.set(rate_per_s);
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("window_in_use", &self.window_in_use()).finish_non_exhaustive()
    }
}
