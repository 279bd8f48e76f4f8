//! What the OpenAPI document says of every call alike.
//!
//! A route names what is its own: its answer, and the refusals that no other call has. What this crate's
//! extractors and [`crate::shell`] answer stands here once, so that document and behaviour cannot part.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::response::Response;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Content, Header, OpenApi, Ref, RefOr, Schema};

/// Completes the description of every call: refusals that follow from what it takes, the shape of all
/// refusals, and the headers of all answers.
pub fn complete(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        for (reads, operation) in operations(item) {
            complete_operation(operation, reads);
        }
    }
}

/// The operations of a path, each with whether it only reads.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let writes = [put, post, delete, patch].into_iter().flatten().map(|operation| (false, operation));
    get.iter_mut().map(|operation| (true, operation)).chain(writes)
}

fn complete_operation(operation: &mut Operation, reads: bool) {
    for parameter in parameters(operation) {
        never_null(parameter);
    }
    let takes = |operation: &mut Operation, place: ParameterIn| {
        parameters(operation).any(|parameter| parameter.parameter_in == place)
    };
    // A query with a key that is none of the call's is refused by every call that reads.
    if reads || takes(operation, ParameterIn::Query) || takes(operation, ParameterIn::Header) {
        refuse(operation, 400, "The request cannot be read");
    }
    if takes(operation, ParameterIn::Path) {
        refuse(operation, 404, "There is nothing here, or nothing that the caller may see");
    }
    if operation.security.is_some() {
        refuse(operation, 401, "There is no token, or it does not count");
    }
    if operation.request_body.is_some() {
        refuse(operation, 400, "The request cannot be read");
        refuse(operation, 413, "The body is too large");
        refuse(operation, 415, "The body is of the wrong media type");
        refuse(operation, 422, "The request does not fit the contract");
    }
    refuse(operation, 500, "The server has failed");
    refuse(operation, 503, "The server cannot serve this now");
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            complete_response(status, response);
        }
    }
}

fn parameters(operation: &mut Operation) -> impl Iterator<Item = &mut Parameter> {
    operation.parameters.iter_mut().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

/// A header or a query key can be left out, but there is no null in either.
fn never_null(parameter: &mut Parameter) {
    if let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema
        && let SchemaType::Array(types) = &mut object.schema_type
    {
        types.retain(|kind| *kind != Type::Null);
        if let [only] = types.as_slice() {
            object.schema_type = SchemaType::Type(only.clone());
        }
    }
}

/// Adds a refusal that the route itself does not describe.
fn refuse(operation: &mut Operation, status: u16, what: &str) {
    let responses = &mut operation.responses.responses;
    responses.entry(status.to_string()).or_insert_with(|| RefOr::T(Response::new(what)));
}

fn complete_response(status: &str, response: &mut Response) {
    let header = |what: &str, schema: ObjectBuilder| -> RefOr<Header> {
        RefOr::T(HeaderBuilder::new().schema(Some(schema)).description(Some(what)).build())
    };
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let id = text().format(Some(SchemaFormat::Custom("uuid".to_owned())));
    let mut add = |name: &str, value| {
        response.headers.entry(name.to_owned()).or_insert(value);
    };
    add("x-request-id", header("Names this answer when asking the operator about it.", id));
    match status {
        "401" => add("WWW-Authenticate", header("How to sign in: RFC 6750.", text())),
        "429" | "503" => {
            let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
            add("Retry-After", header("Seconds to wait before trying again.", seconds));
        }
        _ => {}
    }
    if status.starts_with(['4', '5']) {
        let problem = Content::new(Some(Ref::from_schema_name("Problem")));
        response.content = [(api::problem::MEDIA_TYPE.to_owned(), RefOr::T(problem))].into_iter().collect();
    }
}
