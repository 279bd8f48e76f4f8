//! `PUT, DELETE /operator/v1/providers/{id}/designation`

use api::Code;
use axum::extract::State;
use axum::http::StatusCode;
use domain::catalogue::{Provider, ProviderId, ProviderKind};
use edge::operator::Operator;
use edge::{Json, NoQuery, Path, Problem};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use store::Tx;
use store::audit::{Actor, AuditAction, AuditEntry};

use crate::Operators;
use crate::problem::Refused;

/// From when until when a provider is designated.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Designation {
    /// The first day; since ever when absent.
    #[schema(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day, included; open when absent.
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<Date>,
}

/// Designates a provider: its services can be ordered, with a second confirmation.
#[utoipa::path(put, path = "/operator/v1/providers/{id}/designation", security(("operator" = [])),
    params(("id" = String, Path, description = "The provider's id in the catalogue.")), request_body = Designation,
    responses((status = 200, body = Designation), (status = "default", body = api::Problem)))]
pub(crate) async fn designate(
    State(operators): State<Operators>,
    operator: Operator,
    Path(id): Path<ProviderId>,
    _: NoQuery,
    Json(dates): Json<Designation>,
) -> Result<axum::Json<Designation>, Problem> {
    if dates.from.zip(dates.until).is_some_and(|(from, until)| until < from) {
        let detail = "Its last day lies before its first; correct the dates.";
        return Err(Problem::new(Code::RequestInvalid, detail).field("until", "lies before from"));
    }
    let entry = AuditEntry::new(Actor::Operator(operator.name().to_owned()), AuditAction::Designated)
        .with("provider", id.as_str())
        .with("from", dates.from.map(|day| day.to_string()))
        .with("until", dates.until.map(|day| day.to_string()));
    let platform = operators.platform()?;
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        let provider = find(tx, &id)?;
        let (from, until) = (dates.from, dates.until);
        platform.put_provider(tx, &Provider { kind: ProviderKind::Designated, from, until, ..provider })?;
        Ok(tx.audit().append(&entry)?)
    };
    operators.store.write(write).await.map_err(Problem::from)?;
    Ok(axum::Json(dates))
}

/// Ends a designation now. What is ordered and waits for its confirmation ends when it is answered; who
/// has a service keeps it.
#[utoipa::path(delete, path = "/operator/v1/providers/{id}/designation", security(("operator" = [])),
    params(("id" = String, Path, description = "The provider's id in the catalogue.")),
    responses((status = 204), (status = "default", body = api::Problem)))]
pub(crate) async fn end(
    State(operators): State<Operators>,
    operator: Operator,
    Path(id): Path<ProviderId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let entry = AuditEntry::new(Actor::Operator(operator.name().to_owned()), AuditAction::DesignationEnded)
        .with("provider", id.as_str());
    let platform = operators.platform()?;
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        let provider = find(tx, &id)?;
        let today = platform.today();
        if provider.standing_on(today) == ProviderKind::Designated {
            let last = today.checked_sub(1.day()).unwrap_or(today);
            let from = provider.from.map(|from| from.min(last));
            platform.put_provider(tx, &Provider { from, until: Some(last), ..provider })?;
        }
        Ok(tx.audit().append(&entry)?)
    };
    operators.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

fn find(tx: &mut Tx<'_>, id: &ProviderId) -> Result<Provider, Refused> {
    let provider = tx.platform().find_provider(id)?.ok_or_else(Problem::not_found)?;
    if provider.kind == ProviderKind::Own {
        let detail = "This is the operator itself, whose services need no designation.";
        return Err(Problem::new(Code::OperatorNotPossible, detail).into());
    }
    Ok(provider)
}
