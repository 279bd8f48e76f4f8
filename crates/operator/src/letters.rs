//! `/operator/v1/dead-letters`: jobs that failed too often and were set aside.

use api::Code;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::ids::{HubId, OrderId};
use domain::order::{Progress, Reason};
use edge::operator::Operator;
use edge::{NoQuery, Paging, Path, Problem};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::audit::{Actor, AuditAction, AuditEntry};
use store::jobs::{DeadJob, JobKind};
use store::platform::ChargeRow;
use store::{StoreError, Tx};
use uuid::Uuid;

use crate::problem::Refused;
use crate::{Operators, Parts};

/// A job that waits for the operator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Letter {
    /// Its id.
    id: i64,
    /// What is to be done.
    kind: String,
    /// Tries so far.
    attempts: i64,
    /// When it would have run next.
    #[schema(value_type = String, format = DateTime)]
    run_at: Timestamp,
    /// The ids that it is about.
    about: Value,
    /// Hub events that wait behind it.
    waiting: i64,
}

/// A page of dead letters.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Letters {
    items: Vec<Letter>,
    /// Charge events that the charging system will not have, and that are handed over no more until an operator
    /// says so (`POST /operator/v1/charges/{id}/retry`); the first page lists as many as it may hold.
    charges: Vec<RefusedCharge>,
    /// Where the next page begins.
    next: Option<String>,
}

/// A charge event that was given up.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RefusedCharge {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: Uuid,
    /// activation, renewal or reversal.
    kind: String,
    /// What it is to.
    offering: String,
    /// When it was caused.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Lists the dead letters, the oldest first.
#[utoipa::path(get, path = "/operator/v1/dead-letters", security(("operator" = [])), params(edge::PagingParams),
    responses((status = 200, body = Letters), (status = "default", body = api::Problem)))]
pub(crate) async fn list(
    State(operators): State<Operators>,
    operator: Operator,
    paging: Paging,
) -> Result<Json<Letters>, Problem> {
    let (after, fetch) = (paging.after::<i64>()?, paging.fetch());
    let charges_shown = if after.is_none() { paging.limit } else { 0 };
    let entry = entry(&operator, AuditAction::LettersRead);
    let has_platform = operators.parts.platform.is_some();
    let write = move |tx: &mut Tx<'_>| -> Result<_, Refused> {
        tx.audit().append(&entry)?;
        let charges = match has_platform {
            true => tx.platform().list_refused_charges(Uuid::nil(), charges_shown)?,
            false => Vec::new(),
        };
        let jobs = tx.jobs().list_dead(after.unwrap_or(0), fetch)?;
        let letters = jobs.iter().map(|job| letter(tx, job, has_platform));
        let letters: Vec<Letter> = letters.collect::<Result<_, _>>()?;
        Ok((letters, charges.into_iter().map(refused_charge).collect()))
    };
    let (letters, charges) = operators.store.write(write).await.map_err(Problem::from)?;
    let page = paging.page(letters, |letter: &Letter| letter.id);
    Ok(Json(Letters { items: page.items, charges, next: page.next }))
}

fn refused_charge(row: ChargeRow) -> RefusedCharge {
    let event = row.event;
    let (kind, offering) = (event.kind.word().to_owned(), event.offering.to_string());
    RefusedCharge { id: event.id, kind, offering, at: event.at }
}

fn letter(tx: &mut Tx<'_>, job: &DeadJob, has_platform: bool) -> Result<Letter, StoreError> {
    let waiting = match listener(job) {
        Some(listener) if has_platform => tx.platform().count_hub_events(listener)?,
        _ => 0,
    };
    let mut about: Value = serde_json::from_str(&job.payload).unwrap_or_default();
    // A person's key is nobody's business, and no use to an operator.
    if let Some(about) = about.as_object_mut() {
        about.remove("key");
    }
    let kind = job.kind.word().to_owned();
    Ok(Letter { id: job.id, kind, attempts: job.attempts, run_at: job.run_at, about, waiting })
}

fn listener(job: &DeadJob) -> Option<HubId> {
    let about: Value = serde_json::from_str(&job.payload).ok()?;
    (job.kind == JobKind::DeliverHubEvents).then(|| about["listener"].as_str()?.parse().ok())?
}

/// Puts a dead letter back into the queue, as if it had never failed.
#[utoipa::path(post, path = "/operator/v1/dead-letters/{id}/retry", security(("operator" = [])),
    params(("id" = i64, Path, description = "The letter's id.")),
    responses((status = 204), (status = "default", body = api::Problem)))]
pub(crate) async fn retry(
    State(operators): State<Operators>,
    operator: Operator,
    Path(id): Path<i64>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let entry = entry(&operator, AuditAction::LetterRetried).with("letter", id);
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        if !tx.jobs().retry_dead(id)? {
            return Err(Problem::not_found().into());
        }
        Ok(tx.audit().append(&entry)?)
    };
    operators.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a dead letter up. Events that wait for its listener are dropped; an order that was never
/// forwarded ends as failed.
#[utoipa::path(delete, path = "/operator/v1/dead-letters/{id}", security(("operator" = [])),
    params(("id" = i64, Path, description = "The letter's id.")),
    responses((status = 204), (status = "default", body = api::Problem)))]
pub(crate) async fn remove(
    State(operators): State<Operators>,
    operator: Operator,
    Path(id): Path<i64>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let entry = entry(&operator, AuditAction::LetterRemoved).with("letter", id);
    let Parts { exchange, platform, .. } = operators.parts.clone();
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        let job = tx.jobs().remove_dead(id)?.ok_or_else(Problem::not_found)?;
        let elsewhere = match job.kind {
            JobKind::ForwardOrder => !exchange,
            JobKind::DeliverHubEvents => platform.is_none(),
            _ => false,
        };
        if elsewhere {
            let detail = "What this letter is about is another process's: remove it there.";
            return Err(Problem::new(Code::OperatorNotPossible, detail).into());
        }
        if let Some(listener) = listener(&job) {
            tx.platform().drop_hub_events(listener)?;
        }
        if job.kind == JobKind::ForwardOrder {
            let about: Value = serde_json::from_str(&job.payload).unwrap_or_default();
            if let Some(order) = about["order"].as_str().and_then(|id| id.parse::<OrderId>().ok()) {
                tx.exchange().end_unforwarded(order, Progress::Failed, Reason::PlatformUnreachable)?;
            }
        }
        Ok(tx.audit().append(&entry.clone().with("kind", job.kind.word()))?)
    };
    operators.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

fn entry(operator: &Operator, action: AuditAction) -> AuditEntry {
    AuditEntry::new(Actor::Operator(operator.name().to_owned()), action)
}
