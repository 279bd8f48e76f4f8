//! Who may use the TM Forum faces: holders of an operator's token with the scope that the call needs.

use api::problem::Code;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edge::operator::{Door, Operator, Scope};
use http::Method;
use store::audit::Actor;
use tmf::paths::CATALOGUE;

use crate::refusal::Refusal;

/// The name of the token of the exchange in the same process: what it forwards, the platform decides.
pub const EXCHANGE: &str = "exchange";

/// What a call needs: to read or to write, in the catalogue or in orders and what comes of them.
fn needed(method: &Method, path: &str) -> Scope {
    let reads = *method == Method::GET || *method == Method::HEAD;
    match (path.starts_with(CATALOGUE), reads) {
        (true, true) => Scope::CatalogueRead,
        (true, false) => Scope::CatalogueWrite,
        (false, true) => Scope::OrdersRead,
        (false, false) => Scope::OrdersWrite,
    }
}

/// Lets a request through, or refuses it.
pub(crate) async fn guard(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let scope = needed(request.method(), request.uri().path());
    let admitted = door.admit(request.headers());
    let admitted = admitted.and_then(|operator| operator.need(scope).map(|()| operator));
    match admitted {
        Ok(operator) => {
            request.extensions_mut().insert(operator);
            next.run(request).await
        }
        Err(problem) if problem.code() == Code::AuthScopeMissing => {
            Refusal::forbidden(problem.detail()).into_response()
        }
        Err(_) => Refusal::unauthorized().into_response(),
    }
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
    }
}
