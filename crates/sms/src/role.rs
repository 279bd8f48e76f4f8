//! The role: one bind, kept alive.

use std::sync::Arc;
use std::time::Duration;

use domain::world::World;
use smpp::{Backoff, BindError, Session};
use store::Store;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::SmsConfig;
use crate::inbox::{Inbox, Parked, Parts};
use crate::link::{Link, LinkKeeper};
use crate::news::{News, Teller};
use crate::outbox::{Ended, Progress, Pump, Rate, recover};
use crate::upkeep;

/// A bind that held so long was a good one, and the next loss starts the waits anew.
const LASTING: Duration = Duration::from_secs(10);
/// The shortest wait after a refused account: centres lock accounts that keep asking.
const REFUSED_WAIT: Duration = Duration::from_secs(60);

/// What all parts of the role share.
pub(crate) struct Room {
    pub(crate) store: Store,
    pub(crate) world: World,
    pub(crate) config: SmsConfig,
    pub(crate) account: String,
    pub(crate) rate: Rate,
    pub(crate) progress: Progress,
    pub(crate) parked: Parked,
    pub(crate) parts: Parts,
    pub(crate) teller: Teller,
}

/// The SMS role, ready to run.
pub struct Sms {
    room: Arc<Room>,
    link: LinkKeeper,
}

impl Sms {
    /// Makes the role; nothing is connected before [`Sms::run`].
    #[must_use]
    pub fn new(store: Store, world: World, config: SmsConfig) -> Self {
        Self::with_teller(store, world, config, Teller::default())
    }

    /// Makes the role, and tells `listener` what happens as long as it listens. News wait in memory for it.
    #[must_use]
    pub fn observed(
        store: Store,
        world: World,
        config: SmsConfig,
        listener: mpsc::UnboundedSender<News>,
    ) -> Self {
        Self::with_teller(store, world, config, Teller(Some(listener)))
    }

    fn with_teller(store: Store, world: World, config: SmsConfig, teller: Teller) -> Self {
        let link = LinkKeeper::new(world.now());
        let room = Room {
            account: config.account(),
            rate: Rate::new(config.rate_per_s),
            progress: Progress::default(),
            parked: Parked::default(),
            parts: Parts::default(),
            teller,
            store,
            world,
            config,
        };
        Self { room: Arc::new(room), link }
    }

    /// A view of the connection, for readiness and for sign-in.
    #[must_use]
    pub fn link(&self) -> Link {
        self.link.watch()
    }

    /// Runs until `stop` resolves; then takes no more texts, waits for the answers that are due and
    /// unbinds. A centre that is away, at the start or later, is tried again for ever.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let stopping = CancellationToken::new();
        let upkeep = upkeep::run(Arc::clone(&self.room), stopping.clone());
        let connection = self.keep_bound(&stopping);
        let stopped = async {
            stop.await;
            stopping.cancel();
        };
        tokio::join!(stopped, upkeep, connection);
    }

    async fn keep_bound(&self, stopping: &CancellationToken) {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = recover(&self.room) => {}
        }
        let mut pump = Pump::new(Arc::clone(&self.room));
        let mut trouble = Trouble::default();
        while !stopping.is_cancelled() {
            let mut config = self.room.config.bind();
            config.rate_per_s = self.room.rate.now();
            let bound = tokio::select! {
                () = stopping.cancelled() => break,
                bound = Session::bind(config, Arc::new(Inbox(Arc::clone(&self.room)))) => bound,
            };
            let jitter = f64::from(self.room.world.below(1_001)) / 1_000.0;
            let wait = match bound {
                Ok(session) => {
                    let started = Instant::now();
                    self.serve(&mut pump, session, stopping).await;
                    trouble.after_bind(started.elapsed(), jitter)
                }
                Err(error) => trouble.after_refusal(&error, jitter),
            };
            tokio::select! {
                () = stopping.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        pump.finish().await;
    }

    /// Sends and receives over one session until it ends.
    async fn serve(&self, pump: &mut Pump, session: Session, stopping: &CancellationToken) {
        metrics::counter!("sms_binds_total", "outcome" => "bound").increment(1);
        tracing::info!(server.address = %self.room.config.host, server.port = self.room.config.port, "bound to the SMS centre");
        self.link.bound(self.room.world.now());
        let ended = pump.run(&session, stopping).await;
        self.link.lost(self.room.world.now());
        metrics::gauge!("sms_window_in_use").set(0.0);
        match ended {
            Ended::Stopped => session.unbind().await,
            Ended::Closed(reason) => {
                tracing::warn!(smpp.reason = %reason, "the connection to the SMS centre ended; binding again");
            }
        }
    }
}

/// What went wrong with the bind, told once and answered with a wait.
#[derive(Default)]
struct Trouble {
    backoff: Backoff,
    told: Option<Told>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Away,
    Refused,
}

impl Trouble {
    fn after_bind(&mut self, held: Duration, jitter: f64) -> Duration {
        self.told = None;
        if held >= LASTING {
            self.backoff.succeeded();
        }
        self.backoff.failed(jitter)
    }

    fn after_refusal(&mut self, error: &BindError, jitter: f64) -> Duration {
        let cause: &dyn std::error::Error = error;
        let told = if is_account(error) { Told::Refused } else { Told::Away };
        let news = self.told.replace(told) != Some(told);
        match told {
            Told::Refused => {
                metrics::counter!("sms_binds_total", "outcome" => "refused").increment(1);
                if news {
                    tracing::error!(
                        error = cause,
                        "the SMS centre refuses the account: put system_id and password of the SMS role right; no text leaves until then"
                    );
                }
                REFUSED_WAIT.mul_f64(1.0 + jitter.clamp(0.0, 1.0))
            }
            Told::Away => {
                metrics::counter!("sms_binds_total", "outcome" => "away").increment(1);
                if news {
                    tracing::warn!(
                        error = cause,
                        "the SMS centre cannot be bound to; texts wait in the queue"
                    );
                }
                self.backoff.failed(jitter)
            }
        }
    }
}

/// Whether the bind failed for what only a person can put right: bind failed, wrong password, wrong
/// account (SMPP 3.4 section 5.1.3).
fn is_account(error: &BindError) -> bool {
    matches!(error, BindError::Refused { status: 0x0D..=0x0F })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_password_is_tried_slowly_and_an_absent_centre_soon() {
        let mut trouble = Trouble::default();
        assert!(trouble.after_refusal(&BindError::Refused { status: 0x0E }, 0.0) >= REFUSED_WAIT);
        assert_eq!(trouble.after_refusal(&BindError::TimedOut, 0.0), Duration::from_secs(1));
        assert_eq!(trouble.after_refusal(&BindError::Refused { status: 0x08 }, 0.0), Duration::from_secs(2));
        assert_eq!(trouble.after_bind(LASTING, 0.0), Duration::from_secs(1));
    }
}
