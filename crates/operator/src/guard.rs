//! Before each call: a token, its scope; after a refusal: a row in the audit log.

use std::sync::Mutex;
use std::sync::PoisonError;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::limits;
use domain::world::World;
use edge::Problem;
use edge::operator::{Door, Operator, Scope};
use http::Method;
use store::StoreError;
use store::audit::{Actor, AuditAction, AuditEntry};

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
        operators.write_refusal(Some(&operator), &route, code).await;
    }
    response
}

impl Operators {
    async fn refuse(&self, operator: Option<&Operator>, route: &str, problem: Problem) -> Response {
        self.write_refusal(operator, route, problem.code().word()).await;
        problem.into_response()
    }

    /// Writes a refused call down. Those of strangers are written up to a limit a minute, and beyond it
    /// counted: nobody without a token fills the disk.
    async fn write_refusal(&self, operator: Option<&Operator>, route: &str, code: &'static str) {
        metrics::counter!("operator_refusals_total", "code" => code).increment(1);
        let unwritten = if operator.is_some() { Some(0) } else { self.refusals.take(&self.world) };
        let Some(unwritten) = unwritten else { return };
        let name = operator.map_or("nobody", Operator::name).to_owned();
        let mut entry = AuditEntry::new(Actor::Operator(name), AuditAction::Refused)
            .with("call", route)
            .with("code", code);
        if unwritten > 0 {
            entry = entry.with("unwritten_before", unwritten);
        }
        let written = self.store.write::<_, StoreError, _>(move |tx| tx.audit().append(&entry)).await;
        if let Err(error) = written {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "a refused call could not be written into the audit log");
        }
    }
}

/// Counts the refusals of strangers.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<Minute>);

#[derive(Default)]
struct Minute {
    number: i64,
    written: i64,
    unwritten: u64,
}

impl Refusals {
    /// Whether the next one is written, and then how many were not before it.
    fn take(&self, world: &World) -> Option<u64> {
        let now = world.now().as_second().div_euclid(60);
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != now {
            (minute.number, minute.written) = (now, 0);
        }
        if minute.written >= limits::AUDIT_REFUSALS_MINUTE_MAX {
            minute.unwritten += 1;
            return None;
        }
        minute.written += 1;
        Some(std::mem::take(&mut minute.unwritten))
    }
}
