//! The contract: `/openapi.json`, and the pages that problems point to.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

/// What stands above the paths.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hutong",
        description = "The subscriber interface: who matches whom, what friends share, and ordering the same.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(api::Problem))
)]
struct Head;

/// The document that describes all of `/v1`, from the very routes that are served.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    let mut document = Head::openapi();
    let token = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    document.components.get_or_insert_default().add_security_scheme("token", token);
    document.merge(contacts::document());
    document.merge(exchange::document());
    edge::contract::complete(&mut document);
    document
}

/// The document that describes all of `/operator/v1`.
pub(crate) fn operator_document() -> utoipa::openapi::OpenApi {
    operator::document()
}

pub(super) fn routes() -> Router {
    let serve = |document: utoipa::openapi::OpenApi| {
        let text = document.to_json().unwrap_or_default();
        get(move || std::future::ready(([(CONTENT_TYPE, "application/json")], text.clone())))
    };
    Router::new()
        .route("/openapi.json", serve(document()))
        .route("/operator/openapi.json", serve(operator_document()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    /// Every operation with the method and path it stands at.
    fn operations(document: &Value) -> Vec<(String, &Value)> {
        let paths = document["paths"].as_object().unwrap();
        let all = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, call)| (format!("{method} {path}"), call))
        });
        all.collect()
    }

    #[test]
    fn every_call_has_a_name_of_its_own_and_names_each_answer_by_its_status() {
        let document = serde_json::to_value(super::document()).unwrap();
        let operations = operations(&document);
        let names: BTreeSet<&str> =
            operations.iter().map(|(_, call)| call["operationId"].as_str().unwrap()).collect();
        assert_eq!(names.len(), operations.len());
        for (place, call) in operations {
            for (status, answer) in call["responses"].as_object().unwrap() {
                assert!(status.parse::<u16>().is_ok(), "{place}: {status} says nothing of what to expect");
                assert!(answer["headers"]["x-request-id"].is_object(), "{place}: {status}");
                if status.starts_with(['4', '5']) {
                    let problem = &answer["content"][api::problem::MEDIA_TYPE]["schema"]["$ref"];
                    assert_eq!(problem, "#/components/schemas/Problem", "{place}: {status}");
                    assert!(!answer["description"].as_str().unwrap().is_empty(), "{place}: {status}");
                }
            }
            assert_eq!(call["security"].is_array(), call["responses"]["401"].is_object(), "{place}");
            assert_eq!(call["requestBody"].is_object(), call["responses"]["415"].is_object(), "{place}");
        }
    }

    #[test]
    fn no_header_and_no_key_of_a_query_is_ever_null() {
        let document = serde_json::to_value(super::document()).unwrap();
        for (place, call) in operations(&document) {
            for parameter in call["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["schema"]["type"].is_string(), "{place}: {parameter}");
            }
        }
    }
}
