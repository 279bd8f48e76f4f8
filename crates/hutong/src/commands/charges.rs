//! `hutong charges`: what waits to be handed over, and whether the charging system's record agrees.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use domain::limits;
use edge::operator::{Door, OperatorToken, Scope};
use http::{Method, Request, Response};
use jiff::civil::Date;
use platform::{Platform, PlatformConfig};
use tmf::{HttpSettings, OverHttp, Transport};

use super::opening::open_made;
use super::running::operator_token;
use super::seed::Nobody;
use super::serve::{charging_port, platform_config};
use crate::config::{Config, ConfigArgs};
use crate::failure::Failure;
use crate::house::InProcess;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Counts the events that wait, and lists those that the charging system will not have.
    Waiting {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Compares every charge event with the charging system's own record; ends with 1 when they differ.
    Reconcile {
        /// The record: one charge event in JSON a line, in the order in which the system acted.
        #[arg(long, value_name = "FILE")]
        record: PathBuf,
        /// The first day to compare; earlier events are left out, as are earlier lines of the record.
        #[arg(long, value_name = "DAY")]
        from: Option<Date>,
        /// The last day to compare, in the operator's time zone.
        #[arg(long, value_name = "DAY")]
        until: Option<Date>,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Has a refused event handed over again, and what waits behind it.
    Retry {
        /// The event's id.
        id: uuid::Uuid,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Gives a charge back, once however often it is said.
    Reverse {
        /// The charge's id.
        id: uuid::Uuid,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

impl What {
    fn config(&self) -> &ConfigArgs {
        match self {
            Self::Waiting { config }
            | Self::Reconcile { config, .. }
            | Self::Retry { config, .. }
            | Self::Reverse { config, .. } => config,
        }
    }
}

/// Seconds that a large record may take.
const ANSWER_S_MAX: u64 = 600;

/// Asks the running server when one answers at `listen`, else the store itself.
///
/// # Errors
/// A [`Failure`] when it cannot be done, or when the record differs.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let config = Config::load(args.what.config())?;
    let base = "/operator/v1/charges";
    let (method, path, body) = match &args.what {
        What::Waiting { .. } => (Method::GET, format!("{base}/waiting"), Vec::new()),
        What::Reconcile { record, from, until, .. } => {
            let days = [("from", from), ("until", until)].into_iter();
            let days = days.filter_map(|(name, day)| Some(format!("{name}={}", (*day)?)));
            let query = days.collect::<Vec<_>>().join("&");
            (Method::POST, format!("{base}/reconciliation?{query}"), read(record)?)
        }
        What::Retry { id, .. } => (Method::POST, format!("{base}/{id}/retry"), Vec::new()),
        What::Reverse { id, .. } => (Method::POST, format!("{base}/{id}/reversal"), Vec::new()),
    };
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    let request = request
        .body(Bytes::from(body))
        .map_err(|error| Failure::user("the call cannot be made").because(&error))?;
    let answer = match tokio::net::TcpStream::connect(config.listen).await {
        Ok(_) => through_server(&config, request).await?,
        Err(_) => in_store(&config, request).await?,
    };
    let text = String::from_utf8_lossy(answer.body()).into_owned();
    if !answer.status().is_success() {
        let failure = Failure::user(format!("the platform refused with status {}", answer.status()));
        return Err(failure.because_of(text));
    }
    let line = if text.is_empty() { "ok\n".to_owned() } else { text.clone() + "\n" };
    std::io::stdout().write_all(line.as_bytes()).map_err(|error| Failure::stdout(&error))?;
    if matches!(args.what, What::Reconcile { .. }) {
        return agrees(&text);
    }
    Ok(())
}

fn agrees(report: &str) -> Result<(), Failure> {
    let report: serde_json::Value = serde_json::from_str(report).unwrap_or_default();
    match report["differences_total"].as_u64() {
        Some(0) => Ok(()),
        Some(count) => Err(Failure::user(format!("the record differs in {count} places"))),
        None => Err(Failure::remote("the answer is no report")),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::user(format!("{} cannot be read", file.display())).because(&error);
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size > limits::CHARGE_RECORD_BYTES_MAX.unsigned_abs() {
        let most = limits::CHARGE_RECORD_BYTES_MAX;
        return Err(Failure::user(format!("{} is larger than {most} bytes", file.display())));
    }
    std::fs::read(file).map_err(unreadable)
}

async fn through_server(config: &Config, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
    let settings = HttpSettings {
        base: Some(format!("http://{}", config.listen)),
        token: operator_token(config),
        answer_s_max: ANSWER_S_MAX,
        ..HttpSettings::default()
    };
    let refused =
        |error: &dyn std::error::Error| Failure::remote("the running server did not answer").because(error);
    let server = OverHttp::new(&settings).map_err(|error| refused(&error))?;
    server.call(request).await.map_err(|error| refused(&error))
}

/// The same call on the platform's own router, over the store of a server that does not run.
async fn in_store(config: &Config, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
    let world = crate::world::system();
    let store = open_made(config).await?;
    let token: String = world.bytes::<32>().map(|byte| format!("{byte:02x}")).concat();
    // With its port, so that what is to be handed over has its job when the servers start.
    let charging = charging_port(config, &world)?;
    let local = OperatorToken { name: "local".to_owned(), token: token.clone(), scopes: Scope::ALL.to_vec() };
    let door = Door::new(vec![local], false);
    let settings = PlatformConfig { door, charging, ..platform_config(config) };
    let platform =
        Platform { store: store.clone(), world, config: Arc::new(settings), callbacks: Arc::new(Nobody) };
    let router = platform::routes(platform);
    let answer = InProcess::new(router, Some(token)).call(request).await;
    store.close().await;
    answer.map_err(|error| Failure::user("the store did not answer").because(&error))
}
