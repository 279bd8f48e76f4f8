//! The operator's own interface, `/operator/v1`: seed, designations, bars, a number's new owner, orders
//! with their history, dead letters.
//!
//! Every call needs a token with the scope that the table in [`guard`] names for it, and leaves a row in
//! the audit log, in the same commit as what it does; a refused call leaves one too. What only the
//! platform role can do is asked of it through [`PlatformDesk`]: roles never import each other. Where the platform is
//! another process, a process serves what its own roles can do: contacts a number's new owner, the exchange dead letters. No answer
//! holds a code or the body of a text, and none repeats a number.

mod bars;
mod closing;
mod designation;
mod guard;
mod keys;
mod letters;
mod orders;
mod owner;
mod port;
mod problem;
mod seed;

use std::sync::Arc;

use axum::Extension;
use axum::middleware::from_fn_with_state;
use domain::world::World;
use domain::{Msisdn, Region, limits, number};
use edge::operator::Door;
use edge::{BodyLimit, Problem};
use store::Store;
use store::audit::Refusals;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use closing::{Closed, close, close_for_new_owner};
pub use guard::SCOPES;
pub use port::{Ended, Parts, PlatformDesk, SeedRefused, Seeded};

/// The interface and all that it needs.
#[derive(Clone)]
pub struct Operators {
    store: Store,
    region: Region,
    parts: Parts,
    refusals: Arc<Refusals>,
}

impl Operators {
    /// The interface over a store and what is in this process.
    pub fn new(store: Store, world: World, region: Region, parts: Parts) -> Self {
        let refusals = Arc::new(Refusals::new(store.clone(), world));
        Self { store, region, parts, refusals }
    }

    /// The platform; where it is not here, what only it can do does not exist here.
    fn platform(&self) -> Result<Arc<dyn PlatformDesk>, Problem> {
        self.parts.platform.clone().ok_or_else(Problem::not_found)
    }

    fn read_number(&self, raw: &str) -> Result<Msisdn, Problem> {
        number::read_own(raw, self.region).map_err(|refusal| {
            Problem::new(api::Code::RequestInvalid, refusal.hint()).field("number", refusal.hint())
        })
    }
}

/// Its routes, behind the door.
pub fn routes(operators: Operators, door: Door) -> axum::Router {
    let guard = from_fn_with_state((door, operators.clone()), guard::guard);
    let Parts { accounts, exchange, platform, .. } = &operators.parts;
    let routes = match platform {
        Some(_) => described(),
        None => OpenApiRouter::new()
            .merge(if *accounts { owners() } else { OpenApiRouter::new() })
            .merge(if *exchange { dead_letters() } else { OpenApiRouter::new() }),
    };
    let routes = routes.split_for_parts().0;
    // A router without routes takes no guard.
    if !routes.has_routes() {
        return axum::Router::new();
    }
    routes.route_layer(guard).with_state(operators)
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Hutong, the operator's interface",
    version = env!("CARGO_PKG_VERSION"),
    description = "Seed, designations, bars, a number's new owner, orders with their history, dead letters.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Head;

/// The OpenAPI document that describes those very routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Head::openapi();
    let token = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    document.components.get_or_insert_default().add_security_scheme("operator", token);
    document.merge(described().split_for_parts().1);
    document
}

fn seeds() -> OpenApiRouter<Operators> {
    OpenApiRouter::new().routes(routes!(seed::seed)).layer(Extension(BodyLimit(limits::SEED_BYTES_MAX)))
}

fn described() -> OpenApiRouter<Operators> {
    OpenApiRouter::new()
        .merge(seeds())
        .routes(routes!(designation::designate, designation::end))
        .routes(routes!(bars::show, bars::set, bars::lift))
        .merge(owners())
        .routes(routes!(orders::list))
        .routes(routes!(orders::show))
        .merge(dead_letters())
        .routes(routes!(keys::rotate))
}

/// What is done to accounts.
fn owners() -> OpenApiRouter<Operators> {
    OpenApiRouter::new().routes(routes!(owner::new_owner))
}

/// What is done to jobs.
fn dead_letters() -> OpenApiRouter<Operators> {
    OpenApiRouter::new()
        .routes(routes!(letters::list))
        .routes(routes!(letters::retry))
        .routes(routes!(letters::remove))
}
