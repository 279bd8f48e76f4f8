//! `/livez`, `/readyz` and `/metrics`, on a listener of their own.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use domain::world::World;
use sms::Link;
use store::{Store, StoreError};

use super::Render;

/// The three routes.
pub(super) fn routes(store: Store, world: World, link: Option<Link>, render: Render) -> Router {
    let texts = link.is_some();
    let ready = {
        let store = store.clone();
        move || ready(store.clone(), link.clone())
    };
    let metrics = move || metrics(store.clone(), world.clone(), texts, Arc::clone(&render));
    Router::new()
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// Ready means that the store answers. A centre that is away is told, but texts wait for it: the
/// servers go on serving.
async fn ready(store: Store, link: Option<Link>) -> impl IntoResponse {
    let stored = store.ping().await.is_ok();
    let status = if stored { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = |good: bool| if good { "ok" } else { "away" };
    let centre = link.map_or("not here", |link| word(link.is_bound()));
    (status, format!("store: {}\nsms centre: {centre}\n", word(stored)))
}

/// `texts`: whether this process sends them; another one may have no right to look at them.
async fn metrics(store: Store, world: World, texts: bool, render: Render) -> String {
    let now = world.now();
    let counts = store.read::<_, StoreError, _>(move |view| {
        let open = if texts { Some(view.texts().count_open()?) } else { None };
        Ok((view.jobs().counts(now)?, open))
    });
    if let Ok((jobs, texts)) = counts.await {
        metrics::gauge!("jobs_due").set(jobs.due as f64);
        metrics::gauge!("jobs_scheduled").set(jobs.scheduled as f64);
        metrics::gauge!("jobs_set_aside").set(jobs.set_aside as f64);
        if let Some(texts) = texts {
            metrics::gauge!("texts_open").set(texts as f64);
        }
    }
    render()
}
