//! One centre: its binds, each kept alive for itself.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use smpp::{Backoff, BindError, BindKind, Session};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::config::CentreConfig;
use crate::inbox::{Inbox, Parked};
use crate::outbox::{Ended, Pump, Rate};
use crate::role::Room;

/// A bind that held so long was a good one, and the next loss starts the waits anew.
const LASTING: Duration = Duration::from_secs(10);
/// The shortest wait after a refused account: centres lock accounts that keep asking.
const REFUSED_WAIT: Duration = Duration::from_secs(60);

/// What all binds to one centre share.
pub(crate) struct Centre {
    pub(crate) config: CentreConfig,
    pub(crate) account: String,
    /// Its name in logs and metrics.
    pub(crate) name: String,
    pub(crate) parked: Parked,
}

/// One bind to a centre.
pub(crate) struct Post {
    pub(crate) centre: Arc<Centre>,
    pub(crate) kind: BindKind,
    pub(crate) rate: Rate,
    /// Its number among the centre's, for the metrics.
    number: String,
}

impl Centre {
    pub(crate) fn new(config: CentreConfig) -> Arc<Self> {
        let (account, name) = (config.account(), config.address());
        Arc::new(Self { config, account, name, parked: Parked::default() })
    }

    /// The binds that are to be held.
    pub(crate) fn posts(self: &Arc<Self>) -> Vec<Arc<Post>> {
        let posts = self.config.binds.iter().enumerate().map(|(number, &kind)| {
            let post = Post {
                centre: Arc::clone(self),
                kind,
                rate: Rate::new(self.config.bind.rate_per_s),
                number: number.to_string(),
            };
            post.gauge("sms_bound", 0.0);
            Arc::new(post)
        });
        posts.collect()
    }
}

impl Post {
    /// Sets a gauge of this bind.
    pub(crate) fn gauge(&self, name: &'static str, value: f64) {
        let labels = [("centre", self.centre.name.clone()), ("bind", self.number.clone())];
        metrics::gauge!(name, &labels).set(value);
    }

    fn count_bind(&self, outcome: &'static str) {
        let labels = [("centre", self.centre.name.clone()), ("outcome", outcome.to_owned())];
        metrics::counter!("sms_binds_total", &labels).increment(1);
    }

    /// Keeps the bind until the role shall stop.
    pub(crate) async fn keep(self: Arc<Self>, room: Arc<Room>, stopping: CancellationToken) {
        let mut pump = Pump::new(Arc::clone(&room), Arc::clone(&self));
        let mut trouble = Trouble::default();
        while !stopping.is_cancelled() {
            let mut config = self.centre.config.bind_as(self.kind);
            config.rate_per_s = self.rate.now();
            let inbox = Inbox { room: Arc::clone(&room), centre: Arc::clone(&self.centre) };
            let bound = tokio::select! {
                () = stopping.cancelled() => break,
                bound = Session::bind(config, Arc::new(inbox)) => bound,
            };
            let jitter = f64::from(room.world.below(1_001)) / 1_000.0;
            let wait = match bound {
                Ok(session) => {
                    let started = Instant::now();
                    self.serve(&room, &mut pump, session, &stopping).await;
                    trouble.after_bind(started.elapsed(), jitter)
                }
                Err(error) => trouble.after_refusal(&self, &error, jitter),
            };
            tokio::select! {
                () = stopping.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        pump.finish().await;
    }

    /// Sends and receives over one session until it ends.
    async fn serve(&self, room: &Room, pump: &mut Pump, session: Session, stopping: &CancellationToken) {
        self.count_bind("bound");
        let (host, port) = (&self.centre.config.bind.host, self.centre.config.bind.port);
        tracing::info!(server.address = %host, server.port = port, "bound to the SMS centre");
        self.gauge("sms_bound", 1.0);
        if self.kind.sends() {
            room.link.bound(room.world.now());
        }
        let ended = pump.run(&session, stopping).await;
        if self.kind.sends() {
            room.link.lost(room.world.now());
        }
        self.gauge("sms_bound", 0.0);
        self.gauge("sms_window_in_use", 0.0);
        match ended {
            Ended::Stopped => session.unbind().await,
            Ended::Closed(reason) => {
                tracing::warn!(server.address = %host, server.port = port, smpp.reason = %reason, "the connection to the SMS centre ended; binding again");
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

    fn after_refusal(&mut self, post: &Post, error: &BindError, jitter: f64) -> Duration {
        let cause: &dyn std::error::Error = error;
        let (host, port) = (&post.centre.config.bind.host, post.centre.config.bind.port);
        let told = if is_for_a_person(error) { Told::Refused } else { Told::Away };
        let news = self.told.replace(told) != Some(told);
        match told {
            Told::Refused => {
                post.count_bind("refused");
                if news {
                    tracing::error!(
                        error = cause,
                        server.address = %host,
                        server.port = port,
                        "the SMS centre refuses us: put system_id, password and certificates of the SMS role right; no text leaves there until then"
                    );
                }
                REFUSED_WAIT.mul_f64(1.0 + jitter.clamp(0.0, 1.0))
            }
            Told::Away => {
                post.count_bind("away");
                if news {
                    tracing::warn!(
                        error = cause,
                        server.address = %host,
                        server.port = port,
                        "the SMS centre cannot be bound to; texts wait in the queue"
                    );
                }
                self.backoff.failed(jitter)
            }
        }
    }
}

/// Whether the bind failed for what only a person can put right: bind failed, wrong password, wrong
/// account (SMPP 3.4 section 5.1.3), or a certificate that is not trusted and a port that speaks no TLS.
fn is_for_a_person(error: &BindError) -> bool {
    match error {
        BindError::Refused { status } => matches!(status, 0x0D..=0x0F),
        BindError::Tls(error) => error.kind() == io::ErrorKind::InvalidData,
        BindError::Unreachable(_) | BindError::TimedOut | BindError::Protocol(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use smpp::BindConfig;

    use super::*;

    #[test]
    fn a_refused_password_is_tried_slowly_and_an_absent_centre_soon() {
        let centre = Centre::new(BindConfig::new("h", 2775, "id", "pw").into());
        let post = &centre.posts()[0];
        let mut trouble = Trouble::default();
        let refused = |status| BindError::Refused { status };
        assert!(trouble.after_refusal(post, &refused(0x0E), 0.0) >= REFUSED_WAIT);
        let distrusted = BindError::Tls(io::ErrorKind::InvalidData.into());
        assert!(trouble.after_refusal(post, &distrusted, 0.0) >= REFUSED_WAIT);
        let broken_off = BindError::Tls(io::ErrorKind::UnexpectedEof.into());
        assert_eq!(trouble.after_refusal(post, &broken_off, 0.0), Duration::from_secs(1));
        assert_eq!(trouble.after_refusal(post, &refused(0x08), 0.0), Duration::from_secs(2));
        assert_eq!(trouble.after_bind(LASTING, 0.0), Duration::from_secs(1));
    }
}
