//! `hutong smsc`: the simulated SMS centre.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use smpp::simulator::{Config, Simulator};
use tokio::net::TcpListener;

use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where SMPP is spoken; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:2775", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where the phones are read and replied from; port 0 picks a free one.
    #[arg(long, default_value = "127.0.0.1:2780", value_name = "ADDRESS")]
    control: SocketAddr,
    /// The account that may bind.
    #[arg(long, default_value = "test", value_name = "ID")]
    system_id: String,
    /// Its password.
    #[arg(long, default_value = "test", value_name = "PASSWORD")]
    password: String,
}

/// Serves until Ctrl-C.
///
/// # Errors
/// A [`Failure`] when an address cannot be listened on.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let listener = bind(args.listen, "--listen").await?;
    let control = bind(args.control, "--control").await?;
    let world = crate::world::system();
    let mut config = Config::new(Arc::new(move || world.now().as_millisecond()));
    config.system_id = args.system_id;
    config.password = args.password;
    let simulator = Simulator::start(listener, control, config).await;
    let text = format!("smpp    {}\ncontrol http://{}\n", simulator.smpp_addr(), simulator.control_addr());
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::stdout(&error))?;
    drop(stdout);
    super::stop_wanted().await;
    simulator.shutdown().await;
    Ok(())
}

async fn bind(address: SocketAddr, flag: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::user(format!("{address} cannot be listened on"))
            .because(&error)
            .hint(format!("Give another address with {flag}; port 0 picks a free one."))
    })
}
