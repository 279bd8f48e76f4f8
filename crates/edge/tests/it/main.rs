//! The glue from outside: one small router with every extractor, asked in process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod caller;
mod lists;
mod requests;
mod shell;
mod socket;

use std::sync::Arc;

use axum::Router;
use domain::world::{SeededDice, SetClock, World};
use http::{Request, Response};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

fn shelled(router: Router) -> Router {
    let world = World::new(Arc::new(SetClock::at_ms(1_767_225_600_000)), Arc::new(SeededDice::new(1)));
    edge::shell(router, world)
}

async fn ask(router: &Router, request: http::request::Builder, body: impl Into<axum::body::Body>) -> Answer {
    let request: Request<axum::body::Body> = request.body(body.into()).unwrap();
    let response: Response<axum::body::Body> = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status: parts.status.as_u16(), headers: parts.headers, json }
}

struct Answer {
    status: u16,
    headers: http::HeaderMap,
    json: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or("")
    }

    fn field(&self) -> &str {
        self.json["fields"][0]["field"].as_str().unwrap_or("")
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
