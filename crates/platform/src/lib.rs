//! The platform role: catalogue, subscriptions, the decision about each order, and its confirmation by
//! text.
//!
//! An order comes in at `POST productOrder` and is decided in one write: preset conditions, the claim,
//! the provider's standing. The operator's own service starts at once; a designated provider's waits
//! for the code that a text carries; anything else is rejected, with its reason. A reply comes in as a
//! job, a silence as another. Whatever changes is told to the listeners at the hub, in order. Every
//! change of an order's or a product's state goes through one function (`desk::life`), which knows the
//! tables of `domain::order`.
//!
//! Limits: bodies, pages, open confirmations and listeners as in `domain::limits`.

mod auth;
pub mod charging;
mod communication;
mod desk;
mod hub;
mod jobs;
mod lists;
mod operator;
mod outbound;
pub mod party;
mod product;
mod product_offering;
mod product_order;
pub mod provisioning;
mod refusal;
pub mod seed;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use domain::catalogue::ProviderId;
use domain::confirmation::Answer;
use domain::limits;
use domain::world::World;
use edge::operator::Door;
use jiff::tz::TimeZone;
use store::Store;
use store::audit::Refusals;
use store::jobs::{Handler, JobKind};
use tmf::Transport;

use crate::charging::Charging;
use crate::provisioning::Provisioning;
pub use auth::EXCHANGE;
pub use outbound::{Cause, NotTaken};

/// What the operator sets.
#[derive(Clone)]
pub struct PlatformConfig {
    /// Who may use the faces of the platform.
    pub door: Door,
    /// Seconds from the centre's acceptance of a confirmation text to the end of its order.
    pub confirmation_time_limit_s: i64,
    /// Wrong answers that end an order; 1 in the source.
    pub attempts: i64,
    /// What answers a confirmation.
    pub answer: Answer,
    /// The operator's time zone: for the days of a designation, and the moment in a text.
    pub zone: TimeZone,
    /// The common sender address, to which confirmations append digits.
    pub sender: String,
    /// Whether listeners at the hubs may have addresses that are not public.
    pub private_callbacks: bool,
    /// The way to the operator's charging system; `None`: charge events wait in the store.
    pub charging: Option<Arc<dyn Charging>>,
    /// The ways to providers that start and stop their services when told; those of others start at once.
    pub provisioning: BTreeMap<ProviderId, Arc<dyn Provisioning>>,
}

impl Default for PlatformConfig {
    fn default() -> Self {
        Self {
            door: Door::default(),
            confirmation_time_limit_s: limits::CONFIRMATION_S_DEFAULT,
            attempts: 1,
            answer: Answer::Code,
            zone: TimeZone::fixed(jiff::tz::offset(8)),
            sender: "10690001".to_owned(),
            private_callbacks: false,
            charging: None,
            provisioning: BTreeMap::new(),
        }
    }
}

/// Chooses how a listener's callback is reached; bound late, so that no role is built from another.
pub trait Callbacks: Send + Sync {
    /// The transport to a callback, which is handed requests with their whole address; `None`: this
    /// callback may not be called.
    fn transport(&self, callback: &str) -> Option<Arc<dyn Transport>>;
}

/// The platform and all that it needs; cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// Where it keeps everything.
    pub store: Store,
    /// The clock and the dice.
    pub world: World,
    /// What the operator sets.
    pub config: Arc<PlatformConfig>,
    /// How listeners are reached.
    pub callbacks: Arc<dyn Callbacks>,
}

/// The HTTP faces: TMF620, 622, 637, 681, 632, 669 and 644 under `/tmf-api`.
pub fn routes(platform: Platform) -> Router {
    let refusals = Arc::new(Refusals::new(platform.store.clone(), platform.world.clone()));
    let gate = auth::Gate { door: platform.config.door.clone(), refusals };
    let body = DefaultBodyLimit::max(limits::count(limits::BODY_BYTES_MAX));
    Router::new()
        .merge(product_order::routes())
        .merge(product::routes())
        .merge(product_offering::routes())
        .merge(communication::routes())
        .merge(hub::routes())
        .merge(party::routes())
        .layer(body)
        .merge(charging::routes())
        .method_not_allowed_fallback(async || refusal::Refusal::method())
        .layer(from_fn_with_state(gate, auth::guard))
        .with_state(platform)
}

/// The handlers of the platform's jobs.
pub fn jobs(platform: Platform) -> Vec<(JobKind, Arc<dyn Handler>)> {
    jobs::all(platform)
}
