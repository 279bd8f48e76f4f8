//! `hutong number-simulator`: a simulated network that says of numbers what it is told to.

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use domain::world::{World, after_seconds};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tmf::camara::{
    NUMBER_RECYCLING, RecyclingAnswer, RecyclingQuestion, SIM_SWAP, SIM_SWAP_HOURS_MAX, SimSwapAnswer,
    SimSwapQuestion,
};

use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where it is asked, and where it is controlled: PUT /numbers/NUMBER and /fault, GET /counts; port 0 picks
    /// a free one.
    #[arg(long, default_value = "127.0.0.1:2795", value_name = "ADDRESS")]
    listen: SocketAddr,
}

/// What the network knows of a number; absent: its first owner has it, in its first SIM.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Known {
    /// The day on which somebody else got the number.
    recycled_on: Option<Date>,
    /// When the SIM was swapped.
    swapped_at: Option<Timestamp>,
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fault {
    #[default]
    None,
    /// It answers 500.
    Error,
    /// It never answers.
    Silence,
    /// Somebody on the way answers 200 with a page.
    ProxyPage,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFault {
    fault: Fault,
}

/// How often it was asked what.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Counts {
    number_recycling: usize,
    sim_swap: usize,
}

#[derive(Default)]
struct Book {
    numbers: HashMap<String, Known>,
    fault: Fault,
    counts: Counts,
}

#[derive(Clone)]
struct Network {
    book: Arc<Mutex<Book>>,
    world: World,
}

/// Longer than any client waits.
const SILENCE: Duration = Duration::from_secs(60);

impl Network {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self, number: &str) -> Known {
        self.book().numbers.get(number).copied().unwrap_or_default()
    }

    /// Gives the answer, or what stands in its place.
    async fn play(&self, answer: Response) -> Response {
        let fault = self.book().fault;
        match fault {
            Fault::None => answer,
            Fault::Error => refusal(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
            Fault::ProxyPage => "<html>Welcome</html>".into_response(),
            Fault::Silence => {
                tokio::time::sleep(SILENCE).await;
                StatusCode::GATEWAY_TIMEOUT.into_response()
            }
        }
    }
}

fn refusal(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "status": status.as_u16(), "code": code, "message": code }))).into_response()
}

async fn check_recycling(
    State(network): State<Network>,
    Json(question): Json<RecyclingQuestion>,
) -> Response {
    network.book().counts.number_recycling += 1;
    let today = network.world.now().to_zoned(TimeZone::UTC).date();
    let recycled = network.known(&question.phone_number).recycled_on;
    let answer = if question.specified_date > today {
        refusal(StatusCode::BAD_REQUEST, "OUT_OF_RANGE")
    } else {
        let phone_number_recycled = recycled.is_some_and(|day| day > question.specified_date);
        Json(RecyclingAnswer { phone_number_recycled }).into_response()
    };
    network.play(answer).await
}

async fn check_sim(State(network): State<Network>, Json(question): Json<SimSwapQuestion>) -> Response {
    network.book().counts.sim_swap += 1;
    let since = after_seconds(network.world.now(), question.max_age.saturating_mul(-3_600));
    let swapped_at = network.known(&question.phone_number).swapped_at;
    let answer = if (1..=SIM_SWAP_HOURS_MAX).contains(&question.max_age) {
        Json(SimSwapAnswer { swapped: swapped_at.is_some_and(|at| at >= since) }).into_response()
    } else {
        refusal(StatusCode::BAD_REQUEST, "OUT_OF_RANGE")
    };
    network.play(answer).await
}

async fn set_number(
    State(network): State<Network>,
    Path(number): Path<String>,
    Json(known): Json<Known>,
) -> StatusCode {
    network.book().numbers.insert(number, known);
    StatusCode::NO_CONTENT
}

async fn set_fault(State(network): State<Network>, Json(set): Json<SetFault>) -> StatusCode {
    network.book().fault = set.fault;
    StatusCode::NO_CONTENT
}

fn routes(world: World) -> Router {
    Router::new()
        .route(NUMBER_RECYCLING, post(check_recycling))
        .route(SIM_SWAP, post(check_sim))
        .route("/numbers/{number}", put(set_number))
        .route("/fault", put(set_fault))
        .route("/counts", get(async |State(network): State<Network>| Json(network.book().counts)))
        .with_state(Network { book: Arc::default(), world })
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
    let text = format!("numbers http://{address}\n");
    let mut stdout = std::io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| Failure::stdout(&error))?;
    drop(stdout);
    tokio::select! {
        served = axum::serve(listener, routes(crate::world::system())) => {
            served.map_err(|error| Failure::remote("the listener has failed").because(&error))
        }
        () = super::stop_wanted() => Ok(()),
    }
}
