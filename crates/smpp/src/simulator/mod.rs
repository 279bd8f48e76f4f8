//! A simulated SMS centre: phones with screens behind a real SMPP port, and faults on demand.
//!
//! For development, demonstrations and tests. It keeps everything in memory, within limits, and speaks
//! plain SMPP 3.4 to any client. Its control face is HTTP with JSON:
//!
//! | | |
//! |---|---|
//! | `GET /phones/{number}/texts` | `[{from, text, at}]`, oldest first |
//! | `POST /phones/{number}/reply` | `{to, text}`; answers 202 |
//! | `GET /faults`, `PUT /faults` | [`Faults`]; what a `PUT` leaves out is off |

mod centre;
mod connection;
mod control;
mod deliveries;
mod faults;
mod outbound;
mod phones;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};

use centre::Centre;
pub use centre::ReplyError;
pub use faults::{Faults, Garbage, LongReply, MessageIds, ReplyUcs2, SourceForm};
pub use outbound::RECEIPT_LAYOUTS;
pub use phones::ShownText;

/// Connections at once; more are closed as they come.
const CONNECTIONS_MAX: usize = 256;

/// A clock: milliseconds since 1970-01-01 UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What a simulated centre is like.
#[derive(Clone)]
pub struct Config {
    /// The one account.
    pub system_id: String,
    /// Its password.
    pub password: String,
    /// Country code for numbers in national form, without `+`.
    pub country: String,
    /// The wait before a delivery that was not acknowledged with status 0 is tried again.
    pub redeliver_after: Duration,
    /// The wait for the acknowledgement of a delivery.
    pub deliver_timeout: Duration,
    /// The faults it starts with.
    pub faults: Faults,
    /// The clock for the times on the screens.
    pub clock: Clock,
}

impl Config {
    /// Makes a centre without faults: account `test`, password `test`, country 86, redelivery after 1 s,
    /// 10 s for an acknowledgement.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            system_id: "test".to_owned(),
            password: "test".to_owned(),
            country: "86".to_owned(),
            redeliver_after: Duration::from_secs(1),
            deliver_timeout: Duration::from_secs(10),
            faults: Faults::default(),
            clock,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("system_id", &self.system_id)
            .field("country", &self.country)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// A running simulated centre. Dropping it stops it.
pub struct Simulator {
    centre: Arc<Centre>,
    smpp_addr: SocketAddr,
    control_addr: SocketAddr,
    serving: [JoinHandle<()>; 2],
    stop: CancellationToken,
    _stop_on_drop: DropGuard,
}

impl Simulator {
    /// Starts serving on the two listeners.
    pub async fn start(listener: TcpListener, control: TcpListener, config: Config) -> Self {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        let smpp_addr = listener.local_addr().unwrap_or(unknown);
        let control_addr = control.local_addr().unwrap_or(unknown);
        let centre = Arc::new(Centre::new(config));
        let stop = CancellationToken::new();
        let serving = [
            tokio::spawn(accept(listener, Arc::clone(&centre), stop.clone())),
            tokio::spawn(control::serve(control, Arc::clone(&centre), stop.clone())),
        ];
        let _stop_on_drop = stop.clone().drop_guard();
        Self { centre, smpp_addr, control_addr, serving, stop, _stop_on_drop }
    }

    /// Where SMPP is spoken.
    #[must_use]
    pub fn smpp_addr(&self) -> SocketAddr {
        self.smpp_addr
    }

    /// Where the control face listens.
    #[must_use]
    pub fn control_addr(&self) -> SocketAddr {
        self.control_addr
    }

    /// What a phone shows, oldest first; the number in any form.
    pub async fn texts(&self, number: &str) -> Vec<ShownText> {
        self.centre.texts(number)
    }

    /// Each text that any phone shows from now on, with the phone's number in E.164, as it comes.
    pub fn watch(&self) -> UnboundedReceiver<(String, ShownText)> {
        self.centre.watch()
    }

    /// Has a phone send a text to a service; it is delivered to whoever is bound to receive, or once
    /// somebody is.
    ///
    /// # Errors
    /// [`ReplyError`] if nothing was taken.
    pub async fn reply(&self, number: &str, to: &str, text: &str) -> Result<(), ReplyError> {
        self.centre.reply(number, to, text)
    }

    /// Changes the faults from the next PDU on.
    pub fn set_faults(&self, faults: Faults) {
        self.centre.set_faults(faults);
    }

    /// How many deliveries wait, or wait for their acknowledgement.
    #[must_use]
    pub fn deliveries_open(&self) -> usize {
        self.centre.deliveries_open()
    }

    /// Cuts every connection, as a fault of the network would.
    pub fn disconnect(&self) {
        self.centre.disconnect();
    }

    /// Stops serving and closes every connection.
    pub async fn shutdown(self) {
        self.stop.cancel();
        for serving in self.serving {
            // A task that panicked has stopped too.
            let _ = serving.await;
        }
    }
}

async fn accept(listener: TcpListener, centre: Arc<Centre>, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() < CONNECTIONS_MAX => {
                    connections.spawn(connection::serve(stream, Arc::clone(&centre)));
                }
                Ok(_) => tracing::debug!("too many connections to the simulated centre"),
                Err(error) => {
                    // Out of file handles, as a rule; it passes.
                    tracing::warn!(error = %error, "the simulated centre cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    connections.shutdown().await;
}
