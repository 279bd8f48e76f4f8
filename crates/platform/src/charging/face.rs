//! The operator's calls about charges, under `/operator/v1/charges`.

use std::ops::Range;

use api::problem::Code;
use axum::Extension;
use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use domain::limits;
use edge::operator::Operator;
use edge::{Problem, Query};
use http::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use store::StoreError;
use uuid::Uuid;

use super::{Acted, record};
use crate::Platform;
use crate::auth::actor;

/// Refused events listed in one answer.
const REFUSED_SHOWN_MAX: usize = 1_000;

pub(crate) fn routes() -> Router<Platform> {
    let record = DefaultBodyLimit::max(limits::count(limits::CHARGE_RECORD_BYTES_MAX));
    Router::new()
        .route("/operator/v1/charges/reconciliation", post(reconcile).layer(record))
        .route("/operator/v1/charges/waiting", get(waiting))
        .route("/operator/v1/charges/{id}/retry", post(retry))
        .route("/operator/v1/charges/{id}/reversal", post(reverse))
}

/// What waits, and what the charging system will not have. Holds no number: the id says which event.
#[derive(Serialize)]
struct Waiting {
    waiting: i64,
    refused: i64,
    refused_events: Vec<Refused>,
}

#[derive(Serialize)]
struct Refused {
    id: Uuid,
    kind: &'static str,
    offering: String,
    at: Timestamp,
}

/// The days to compare, both included, in the operator's time zone; without them everything is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Days {
    from: Option<Date>,
    until: Option<Date>,
}

impl Days {
    /// The time that they cover; `None` when there is no such time.
    fn time(&self, zone: &TimeZone) -> Option<Range<Timestamp>> {
        let start = |day: Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp());
        let from = self.from.map_or(Some(Timestamp::MIN), start)?;
        let until = self.until.map_or(Some(Timestamp::MAX), |day| start(day.tomorrow().ok()?))?;
        (from < until).then_some(from..until)
    }
}

async fn reconcile(State(platform): State<Platform>, Query(days): Query<Days>, body: Bytes) -> Response {
    let Some(time) = days.time(&platform.config.zone) else {
        let detail = "Give from and until as days such as 2026-11-23, until not before from.";
        return Problem::new(Code::RequestInvalid, detail).into_response();
    };
    // A large record is read beside the requests, not between them.
    let lines = tokio::task::spawn_blocking(move || record(&body)).await;
    let Ok(lines) = lines else {
        return Problem::new(Code::RequestInvalid, "The record cannot be read.").into_response();
    };
    match super::reconcile(&platform.store, lines, Some(time)).await {
        Ok(report) => Json(report).into_response(),
        Err(error) => problem(error),
    }
}

async fn waiting(State(platform): State<Platform>) -> Response {
    let read = platform.store.read(|view| {
        let mut platform = view.platform();
        let counts = platform.count_open_charges()?;
        Ok::<_, StoreError>((counts, platform.list_refused_charges(Uuid::nil(), REFUSED_SHOWN_MAX)?))
    });
    match read.await {
        Ok(((waiting, refused), rows)) => {
            let shown = rows.into_iter().map(|row| Refused {
                id: row.event.id,
                kind: row.event.kind.word(),
                offering: row.event.offering.to_string(),
                at: row.event.at,
            });
            Json(Waiting { waiting, refused, refused_events: shown.collect() }).into_response()
        }
        Err(error) => problem(error),
    }
}

async fn retry(
    State(platform): State<Platform>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse() else { return acted(Ok(Acted::NoSuchCharge)) };
    acted(super::retry(&platform, actor(&operator), id).await)
}

async fn reverse(
    State(platform): State<Platform>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse() else { return acted(Ok(Acted::NoSuchCharge)) };
    acted(super::reverse(&platform, actor(&operator), id).await)
}

fn acted(done: Result<Acted, StoreError>) -> Response {
    match done {
        Ok(Acted::Done) => StatusCode::NO_CONTENT.into_response(),
        Ok(Acted::NoSuchCharge) => {
            Problem::new(Code::NotFound, "There is no such charge event; check the id.").into_response()
        }
        Ok(Acted::NotPossible) => {
            let detail = "Only a refused event is tried again, and only a charge is given back.";
            Problem::new(Code::RequestInvalid, detail).into_response()
        }
        Err(error) => problem(error),
    }
}

fn problem(error: StoreError) -> Response {
    if error.is_retryable() {
        return Problem::new(Code::StoreUnavailable, "The store is busy; try again in a moment.")
            .retry_after_s(1)
            .because(error)
            .into_response();
    }
    Problem::internal(error).into_response()
}
