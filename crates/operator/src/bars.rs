//! `GET, PUT, DELETE /operator/v1/numbers/{number}/bar`

use api::Code;
use axum::extract::State;
use axum::http::StatusCode;
use domain::key::ContactKey;
use domain::money::Money;
use edge::operator::Operator;
use edge::{Json, NoQuery, Path, Problem};
use serde::{Deserialize, Serialize};
use store::Tx;
use store::audit::{Actor, AuditAction, AuditEntry};

use crate::Operators;
use crate::problem::Refused;

/// What a number may spend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bar {
    /// Whether it is barred from everything that costs.
    barred: bool,
    /// The most it may spend in a month, such as `50.00`; no cap when absent.
    #[serde(default)]
    monthly_cap: Option<String>,
}

/// A cap counts in the operator's own currency, whichever that is: only its hundredths are kept.
const ANY_CURRENCY: &str = "CNY";

/// Shows what a number may spend.
#[utoipa::path(get, path = "/operator/v1/numbers/{number}/bar", security(("operator" = [])),
    params(("number" = String, Path, description = "The number, in any reading.")),
    responses((status = 200, body = Bar), (status = "default", body = api::Problem)))]
pub(crate) async fn show(
    State(operators): State<Operators>,
    operator: Operator,
    Path(number): Path<String>,
    _: NoQuery,
) -> Result<axum::Json<Bar>, Problem> {
    let key = operators.key(&number)?;
    let entry = entry(&operator, AuditAction::BarRead, key);
    // What was looked at is written down before it is shown.
    let write = move |tx: &mut Tx<'_>| -> Result<_, Refused> {
        tx.audit().append(&entry)?;
        Ok(tx.platform().load_payer(key)?)
    };
    let (barred, cap) = operators.store.write(write).await.map_err(Problem::from)?;
    Ok(axum::Json(Bar { barred, monthly_cap: cap.map(amount).transpose()? }))
}

/// Sets what a number may spend; live subscriptions stay, new orders are held to it.
#[utoipa::path(put, path = "/operator/v1/numbers/{number}/bar", security(("operator" = [])),
    params(("number" = String, Path, description = "The number, in any reading.")), request_body = Bar,
    responses((status = 200, body = Bar), (status = "default", body = api::Problem)))]
pub(crate) async fn set(
    State(operators): State<Operators>,
    operator: Operator,
    Path(number): Path<String>,
    _: NoQuery,
    Json(bar): Json<Bar>,
) -> Result<axum::Json<Bar>, Problem> {
    let key = operators.key(&number)?;
    let cap = bar.monthly_cap.as_deref().map(hundredths).transpose()?;
    let barred = bar.barred;
    let entry = entry(&operator, AuditAction::BarSet, key).with("barred", barred).with("cap_hundredths", cap);
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        tx.platform().put_payer(key, barred, cap)?;
        Ok(tx.audit().append(&entry)?)
    };
    operators.store.write(write).await.map_err(Problem::from)?;
    Ok(axum::Json(bar))
}

/// Lifts bar and cap.
#[utoipa::path(delete, path = "/operator/v1/numbers/{number}/bar", security(("operator" = [])),
    params(("number" = String, Path, description = "The number, in any reading.")),
    responses((status = 204), (status = "default", body = api::Problem)))]
pub(crate) async fn lift(
    State(operators): State<Operators>,
    operator: Operator,
    Path(number): Path<String>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    let key = operators.key(&number)?;
    let entry = entry(&operator, AuditAction::BarLifted, key);
    let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
        tx.platform().put_payer(key, false, None)?;
        Ok(tx.audit().append(&entry)?)
    };
    operators.store.write(write).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT)
}

impl Operators {
    pub(crate) fn key(&self, raw: &str) -> Result<ContactKey, Problem> {
        Ok(self.store.keys().contact_key(self.read_number(raw)?))
    }
}

fn entry(operator: &Operator, action: AuditAction, key: ContactKey) -> AuditEntry {
    AuditEntry::new(Actor::Operator(operator.name().to_owned()), action).about(key)
}

fn hundredths(amount: &str) -> Result<i64, Problem> {
    let money = Money::parse(amount, ANY_CURRENCY).ok().map(|money| money.hundredths());
    money.filter(|hundredths| *hundredths >= 0).ok_or_else(|| {
        let detail = "The cap must be an amount with two decimals, such as 50.00.";
        Problem::new(Code::RequestInvalid, detail).field("monthly_cap", "is no amount")
    })
}

fn amount(hundredths: i64) -> Result<String, Problem> {
    let nothing = Money::parse("0.00", ANY_CURRENCY).map_err(Problem::internal)?;
    Ok(nothing.with_hundredths(hundredths).amount())
}
