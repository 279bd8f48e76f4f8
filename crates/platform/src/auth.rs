//! Who may use the TM Forum faces: holders of an operator's token with the scope that the call needs.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edge::Problem;
use edge::operator::{Door, Operator, Scope};
use http::Method;
use store::audit::{Actor, Refusals};
use tmf::paths::{CATALOGUE, COMMUNICATION, PARTY, PARTY_MANAGEMENT, PARTY_ROLE, PRIVACY};

use crate::refusal::{Refusal, RefusalCode};

/// The name of the token of the exchange in the same process: what it forwards, the platform decides.
pub const EXCHANGE: &str = "exchange";

/// What a call needs: to read or to write, in the catalogue, in texts, or in orders and what comes of them.
fn needed(method: &Method, path: &str) -> Scope {
    let reads = *method == Method::GET || *method == Method::HEAD;
    let (read, write) = if path.starts_with(CATALOGUE) {
        (Scope::CatalogueRead, Scope::CatalogueWrite)
    } else if path.starts_with(COMMUNICATION) {
        (Scope::TextsRead, Scope::TextsWrite)
    } else if [PARTY, PARTY_MANAGEMENT, PARTY_ROLE, PRIVACY].iter().any(|base| path.starts_with(base)) {
        // Erasing a person ends what they ordered.
        (Scope::PartiesRead, Scope::OrdersWrite)
    } else {
        (Scope::OrdersRead, Scope::OrdersWrite)
    };
    if reads { read } else { write }
}

/// Who is let in, and where it is written who was not.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) door: Door,
    pub(crate) refusals: Arc<Refusals>,
}

/// Lets a request through, or refuses it; a refusal, here or further in, stands in the audit log.
pub(crate) async fn guard(
    State(Gate { door, refusals }): State<Gate>,
    mut request: Request,
    next: Next,
) -> Response {
    let scope = needed(request.method(), request.uri().path());
    let path = request.extensions().get::<MatchedPath>().map_or("another path", MatchedPath::as_str);
    let call = format!("{} {path}", request.method());
    let operator = match door.admit(request.headers()) {
        Ok(operator) => operator,
        Err(problem) => {
            refusals.write(None, &call, problem.code().word()).await;
            return Refusal::unauthorized().into_response();
        }
    };
    if let Err(problem) = operator.need(scope) {
        refusals.write(Some(operator.name()), &call, problem.code().word()).await;
        return Refusal::forbidden(problem.detail()).into_response();
    }
    request.extensions_mut().insert(operator.clone());
    let response = next.run(request).await;
    let refused = response.status().is_client_error() || response.status().is_server_error();
    // What the exchange in this process is refused is no operator's doing.
    if refused && operator.name() != EXCHANGE {
        refusals.write(Some(operator.name()), &call, code_of(&response)).await;
    }
    response
}

/// The code of a refusal, from whichever of the platform's faces it comes.
fn code_of(response: &Response) -> &'static str {
    let here = response.extensions().get::<RefusalCode>().map(|code| code.0);
    let problem = || response.extensions().get::<Problem>().map(|problem| problem.code().word());
    here.or_else(problem).unwrap_or("refused")
}

/// Who decides about what comes in under a token.
pub(crate) fn actor(operator: &Operator) -> Actor {
    match operator.name() {
        EXCHANGE => Actor::Platform,
        name => Actor::Operator(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use tmf::paths::{HUB, ORDERING};

    use super::*;

    #[test]
    fn reading_and_writing_need_scopes_of_their_own() {
        let needed = |method, path: String| needed(&method, &path);
        assert_eq!(needed(Method::GET, format!("{CATALOGUE}/productOffering")), Scope::CatalogueRead);
        assert_eq!(needed(Method::POST, format!("{CATALOGUE}{HUB}")), Scope::CatalogueWrite);
        assert_eq!(needed(Method::GET, format!("{ORDERING}/productOrder")), Scope::OrdersRead);
        assert_eq!(needed(Method::POST, format!("{ORDERING}/productOrder")), Scope::OrdersWrite);
        assert_eq!(needed(Method::GET, format!("{COMMUNICATION}/communicationMessage")), Scope::TextsRead);
        assert_eq!(needed(Method::POST, format!("{COMMUNICATION}/communicationMessage")), Scope::TextsWrite);
        assert_eq!(needed(Method::GET, format!("{PRIVACY}/partyPrivacyAgreement")), Scope::PartiesRead);
        assert_eq!(needed(Method::DELETE, format!("{PARTY}/individual/{{id}}")), Scope::OrdersWrite);
    }
}
