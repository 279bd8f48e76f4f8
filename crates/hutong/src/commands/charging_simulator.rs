//! `hutong charging-simulator`: a simulated charging system, and a provider behind the same address.

use std::io::Write;
use std::net::SocketAddr;

use platform::charging::simulator::{Simulator, listen};

use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where charges are taken and a provider's services started, and where it is controlled: GET /record,
    /// /provisioned and /counts, PUT /faults and /payers/NUMBER; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:2790", value_name = "ADDRESS")]
    listen: SocketAddr,
}

/// Serves until Ctrl-C.
///
/// # Errors
/// A [`Failure`] when the address cannot be listened on.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind(args.listen).await.map_err(|error| {
        Failure::user(format!("{} cannot be listened on", args.listen))
            .because(&error)
            .hint("Give another address with --listen; port 0 picks a free one.")
    })?;
    let address = listener.local_addr().map_err(|error| Failure::user("no address").because(&error))?;
    let text = format!("charging http://{address}\n");
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::stdout(&error))?;
    drop(stdout);
    let simulator = Simulator::new(crate::world::system());
    tokio::select! {
        served = listen(simulator, listener) => {
            served.map(drop).map_err(|error| Failure::remote("the listener has failed").because(&error))
        }
        () = super::stop_wanted() => Ok(()),
    }
}
