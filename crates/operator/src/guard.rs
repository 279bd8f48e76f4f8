//! Before each call: a token, its scope; after a refusal: a row in the audit log.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use edge::Problem;
use edge::operator::{Door, Operator, Scope};
use http::Method;

use crate::Operators;

/// What each call needs: its method, its path, its scope.
pub const SCOPES: &[(&str, &str, Scope)] = &[
    ("POST", "/operator/v1/seed", Scope::SeedWrite),
    ("PUT", "/operator/v1/providers/{id}/designation", Scope::CatalogueWrite),
    ("DELETE", "/operator/v1/providers/{id}/designation", Scope::CatalogueWrite),
    ("POST", "/operator/v1/numbers/{number}/new-owner", Scope::NumbersWrite),
    ("GET", "/operator/v1/numbers/{number}/bar", Scope::BarsRead),
    ("PUT", "/operator/v1/numbers/{number}/bar", Scope::BarsWrite),
    ("DELETE", "/operator/v1/numbers/{number}/bar", Scope::BarsWrite),
    ("GET", "/operator/v1/orders", Scope::OrdersRead),
    ("GET", "/operator/v1/orders/{id}", Scope::OrdersRead),
    ("GET", "/operator/v1/dead-letters", Scope::LettersRead),
    ("POST", "/operator/v1/dead-letters/{id}/retry", Scope::LettersWrite),
    ("DELETE", "/operator/v1/dead-letters/{id}", Scope::LettersWrite),
    ("POST", "/operator/v1/keys/rotate", Scope::KeysWrite),
];

pub(crate) async fn guard(
    State((door, operators)): State<(Door, Operators)>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    // A HEAD is answered as its GET.
    let method = if *request.method() == Method::HEAD { Method::GET } else { request.method().clone() };
    let needed = SCOPES.iter().find(|(verb, route, _)| *verb == method.as_str() && *route == path);
    let route = needed.map_or_else(|| format!("another method of {path}"), |_| format!("{method} {path}"));
    let operator = match door.admit(request.headers()) {
        Ok(operator) => operator,
        Err(problem) => return operators.refuse(None, &route, problem).await,
    };
    // A path without such a method is told so by the router.
    if let Some(Err(problem)) = needed.map(|(_, _, scope)| operator.need(*scope)) {
        return operators.refuse(Some(&operator), &route, problem).await;
    }
    request.extensions_mut().insert(operator.clone());
    let response = next.run(request).await;
    if response.status().is_client_error() || response.status().is_server_error() {
        let problem = response.extensions().get::<Problem>();
        let code = problem.map_or("method-not-allowed", |problem| problem.code().word());
        operators.refusals.write(Some(operator.name()), &route, code).await;
    }
    response
}

impl Operators {
    async fn refuse(&self, operator: Option<&Operator>, route: &str, problem: Problem) -> Response {
        self.refusals.write(operator.map(Operator::name), route, problem.code().word()).await;
        problem.into_response()
    }
}
