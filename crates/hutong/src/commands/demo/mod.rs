//! `hutong demo`: everything in one process on loopback, and the whole story played on it.

mod person;
mod story;
mod told;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use contacts::SignInLimits;
use domain::Region;
use domain::limits;
use domain::quota::Quota;
use domain::world::World;
use edge::TrustedProxies;
use platform::PlatformConfig;
use platform::charging::Webhook;
use platform::charging::simulator::Simulator as Charging;
use serde_json::json;
use smpp::simulator::{self, Simulator};
use sms::SmsConfig;
use store::upkeep::Retention;
use tokio::net::TcpListener;

use self::told::Told;
use crate::failure::Failure;
use crate::house::{House, Peers, Plan, Render, Roles};
use crate::telemetry;

/// The providers, services and subscriptions that the demo starts with.
const CATALOGUE: &[u8] = include_bytes!("../../../../../examples/catalogue.json");

/// Why the demo could not play.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// The servers did not start.
    #[error("the servers did not start")]
    Start(#[from] crate::house::StartError),
    /// The catalogue was not taken.
    #[error("the demo's catalogue was not taken")]
    Seed(#[from] platform::seed::SeedError),
    /// No socket, or no directory.
    #[error("the machine did not let the demo have a socket or a directory")]
    Io(#[from] std::io::Error),
    /// The story stopped before its end.
    #[error("the story stopped")]
    Stopped(#[from] story::Stopped),
    /// Some step went otherwise than it should.
    #[error("{0} of the story's steps went otherwise than they should")]
    Differed(usize),
}

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Exits once the story is told, 0 when every step went as it should.
    #[arg(long)]
    once: bool,
    /// Writes the addresses into this file, as JSON, when everything is ready.
    #[arg(long, value_name = "FILE")]
    info: Option<PathBuf>,
}

/// Plays the story; unless `--once`, then serves until Ctrl-C.
///
/// # Errors
/// A [`Failure`] when the demo could not play, or a step differed.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let metrics = telemetry::start_metrics()?;
    tokio::spawn(metrics.clone().keep_small());
    let render = Arc::new(move || metrics.render());
    play(args, crate::world::system(), render)
        .await
        .map_err(|error| Failure::user("the demo did not go well").because(&error))
}

async fn play(args: Args, world: World, render: Render) -> Result<(), DemoError> {
    let directory = tempfile::Builder::new().prefix("hutong-demo-").tempdir()?;
    let centre = start_centre(&world).await?;
    let charging = Charging::new(world.clone());
    let house = start_house(directory.path(), &centre, &charging, &world, render).await?;
    if let Some(platform) = &house.platform {
        platform::seed::seed(platform, CATALOGUE, store::audit::Actor::Local).await?;
    }
    if let Some(link) = &house.link {
        link.bound().await;
    }
    let mut told = Told::new();
    told.say(&format!(
        "contacts, exchange, platform and sms at http://{}, the simulated SMS centre at {} over SMPP",
        house.api,
        centre.smpp_addr()
    ));
    story::play(&mut told, &house, &centre, &charging, directory.path(), &world).await?;
    if let Some(info) = &args.info {
        write_info(info, &house, &centre)?;
    }
    let differed = told.differed();
    told.say(&match differed {
        0 => "Every step went as it should.".to_owned(),
        n => format!("{n} steps went otherwise than they should; they are marked above."),
    });
    if !args.once {
        told.say(&try_next(&house, &centre));
        super::stop_wanted().await;
    }
    house.close().await;
    centre.shutdown().await;
    if differed == 0 { Ok(()) } else { Err(DemoError::Differed(differed)) }
}

/// Takes the wanted port, or any free one with a word about it.
async fn listen(wanted: u16, what: &str) -> std::io::Result<TcpListener> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).await {
        Ok(listener) => Ok(listener),
        Err(_) => {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let port = listener.local_addr()?.port();
            told::aside(&format!("Port {wanted} is taken: {what} is at port {port} instead."));
            Ok(listener)
        }
    }
}

async fn start_centre(world: &World) -> std::io::Result<Simulator> {
    let smpp = listen(2775, "the simulated SMS centre").await?;
    let control = listen(2780, "its control").await?;
    let clock = world.clone();
    let config = simulator::Config::new(Arc::new(move || clock.now().as_millisecond()));
    Ok(Simulator::start(smpp, control, config).await)
}

async fn start_house(
    data: &Path,
    centre: &Simulator,
    charging: &Charging,
    world: &World,
    render: Render,
) -> Result<House, DemoError> {
    let smpp: SocketAddr = centre.smpp_addr();
    let sms = SmsConfig::new(smpp.ip().to_string(), smpp.port(), "test", "test", "10690001");
    let plan = Plan {
        listen: listen(8080, "the server").await?,
        metrics: listen(9090, "its metrics").await?,
        data: data.join("data"),
        database: None,
        key_file: data.join("hutong.key"),
        audit_heads: data.join("hutong.audit"),
        erasures: data.join("hutong.erased"),
        roles: Roles { contacts: true, exchange: true, platform: true, sms: true },
        region: Region::CN,
        trusted_proxies: TrustedProxies::default(),
        prefixes: vec!["+86".to_owned()],
        sign_in: SignInLimits::default(),
        new_numbers: Quota::default(),
        sms,
        platform: PlatformConfig {
            charging: Some(Arc::new(Webhook::new(Arc::new(charging.clone())))),
            ..PlatformConfig::default()
        },
        remote_platform: None,
        peers: Peers::default(),
        numbers: None,
        sim_swap_hours: limits::SIM_SWAP_HOURS,
        retention: Retention::default(),
        render,
    };
    Ok(House::open(plan, world.clone()).await?)
}

/// Writes the addresses whole or not at all: whoever waits for the file reads no half of it.
fn write_info(path: &Path, house: &House, centre: &Simulator) -> std::io::Result<()> {
    let info = json!({
        "api": format!("http://{}", house.api),
        "sms_control": format!("http://{}", centre.control_addr()),
        "metrics": format!("http://{}", house.metrics),
    });
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, info.to_string())?;
    std::fs::rename(unfinished, path)
}

fn try_next(house: &House, centre: &Simulator) -> String {
    let (api, control) = (house.api, centre.control_addr());
    format!(
        "\nStill serving; Ctrl-C ends it, and its data with it. In another terminal try:\n\
         \x20 hutong terminal --server http://{api} login 13800138099\n\
         \x20 curl http://{control}/phones/+8613800138099/texts      # that phone's screen: the code\n\
         \x20 hutong terminal scan YOUR_EXPORT.vcf\n\
         \x20 hutong terminal friends; hutong terminal feed\n\
         \x20 curl http://{}/metrics",
        house.metrics
    )
}
