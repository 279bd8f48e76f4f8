//! `POST /operator/v1/seed`

use api::Code;
use axum::Json;
use axum::extract::{Request, State};
use edge::operator::Operator;
use edge::{NoQuery, Problem};
use store::audit::Actor;

use crate::Operators;
use crate::port::{SeedRefused, Seeded};
use crate::problem::Refused;

/// More faults than a person reads; the count says how many there were.
const FAULTS_SHOWN_MAX: usize = 1_000;

/// Fills the platform: catalogue, providers, subscriptions, payers. The same seed again changes nothing.
#[utoipa::path(post, path = "/operator/v1/seed", security(("operator" = [])), request_body = serde_json::Value,
    responses((status = 200, body = Seeded), (status = "default", body = api::Problem)))]
pub(crate) async fn seed(
    State(operators): State<Operators>,
    operator: Operator,
    _: NoQuery,
    request: Request,
) -> Result<Json<Seeded>, Problem> {
    let json = edge::whole_body(request).await?;
    let actor = Actor::Operator(operator.name().to_owned());
    match operators.platform()?.seed(json, actor).await {
        Ok(seeded) => Ok(Json(seeded)),
        Err(SeedRefused::Store(error)) => Err(Refused::Store(error).into()),
        Err(SeedRefused::Faults(faults)) => {
            let detail = format!(
                "The seed has {} faults and changed nothing; mend them and send it again.",
                faults.len()
            );
            let problem = Problem::new(Code::RequestInvalid, detail);
            let shown = faults.into_iter().take(FAULTS_SHOWN_MAX);
            Err(shown.fold(problem, |problem, (place, fault)| problem.field(place, fault)))
        }
    }
}
