//! The exchange role: subscriptions in step with the platform, shares, the feed, orders.
//!
//! It reaches the platform only through the TM Forum interface (`tmf::Client`), which may lead into
//! this process or across a network, and hears of changes by the hub's events ([`listener`]).
//! Limits: `domain::limits`.

mod compare;
mod erase;
pub mod events;
pub mod feed;
mod forward;
pub mod listener;
pub mod orders;
mod problem;
pub mod shares;
mod shown;
pub mod subscriptions;
mod sync;

use std::sync::Arc;

use domain::Region;
use domain::world::World;
use edge::Running;
use store::jobs::{Handler, JobKind};
use store::{Store, StoreError};
use tmf::camara::NumberChecks;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Whom the role asks before an order that costs goes on.
#[derive(Clone)]
pub struct SimCheck {
    /// The operator's network.
    pub network: Arc<dyn NumberChecks>,
    /// A SIM swapped in the last so many hours orders nothing that costs.
    pub hours: i64,
}

/// The role.
#[derive(Clone)]
pub struct Exchange {
    store: Store,
    world: World,
    platform: tmf::Client,
    region: Region,
    streams: Arc<events::Streams>,
    placing: Running,
    sim: Option<SimCheck>,
}

impl Exchange {
    /// The role over a store and a platform; `region` is where a number without a country code is read.
    pub fn new(store: Store, world: World, platform: tmf::Client, region: Region) -> Self {
        Self {
            store,
            world,
            platform,
            region,
            streams: Arc::default(),
            placing: Running::default(),
            sim: None,
        }
    }

    /// The same, asking the operator's network whether a SIM was swapped.
    #[must_use]
    pub fn asking(self, sim: Option<SimCheck>) -> Self {
        Self { sim, ..self }
    }

    /// Asks for the whole catalogue; done once at start, after the listener is registered.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin_sync(&self) -> Result<(), StoreError> {
        let now = self.world.now();
        self.store.write(move |tx| tx.jobs().enqueue_topic(JobKind::SyncCatalogue, "all", &(), now)).await
    }

    /// Has the platform asked from time to time about what its events may have missed; done once at start.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin_comparing(&self) -> Result<(), StoreError> {
        let now = self.world.now();
        self.store.write(move |tx| tx.jobs().enqueue_topic(JobKind::Compare, "all", &(), now)).await
    }
}

/// Its part of `/v1`.
pub fn routes(exchange: Exchange) -> axum::Router {
    described().split_for_parts().0.with_state(exchange)
}

/// The part of the OpenAPI document that describes those very routes.
pub fn document() -> utoipa::openapi::OpenApi {
    described().split_for_parts().1
}

fn described() -> OpenApiRouter<Exchange> {
    OpenApiRouter::new()
        .routes(routes!(subscriptions::list::list))
        .routes(routes!(subscriptions::end::end))
        .routes(routes!(shares::set::set, shares::take_back::take_back))
        .routes(routes!(feed::list::list))
        .routes(routes!(feed::friend::friend))
        .routes(routes!(orders::place::place, orders::list::list))
        .routes(routes!(orders::show::show))
        .routes(routes!(orders::cancel::cancel))
        .routes(routes!(events::events))
}

/// The jobs it does.
pub fn jobs(exchange: &Exchange) -> Vec<(JobKind, Arc<dyn Handler>)> {
    vec![
        (JobKind::ForwardOrder, Arc::new(forward::Forward(exchange.clone())) as Arc<dyn Handler>),
        (JobKind::CancelOrder, Arc::new(forward::Cancel(exchange.clone()))),
        (JobKind::Compare, Arc::new(compare::Compare(exchange.clone()))),
        (JobKind::EraseCustomer, Arc::new(erase::Erase(exchange.clone()))),
        (JobKind::SyncSubscriptions, Arc::new(sync::Subscriptions(exchange.clone()))),
        (JobKind::SyncCatalogue, Arc::new(sync::Catalogue(exchange.clone()))),
    ]
}
