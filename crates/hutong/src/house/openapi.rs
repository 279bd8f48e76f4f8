//! The contract: `/openapi.json`, and the pages that problems point to.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

/// What stands above the paths.
#[derive(OpenApi)]
#[openapi(info(
    title = "Hutong",
    description = "The subscriber interface: who matches whom, what friends share, and ordering the same.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Head;

/// The document that describes all of `/v1`, from the very routes that are served.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let mut document = Head::openapi();
    let token = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    document.components.get_or_insert_default().add_security_scheme("token", token);
    document.merge(contacts::document());
    document.merge(exchange::document());
    document
}

pub(super) fn routes() -> Router {
    let text = document().to_json().unwrap_or_default();
    let json = move || std::future::ready(([(CONTENT_TYPE, "application/json")], text.clone()));
    Router::new().route("/openapi.json", get(json))
}
