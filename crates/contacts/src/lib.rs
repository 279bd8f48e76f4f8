//! The contacts role: registration, consents, address books, matches.
//!
//! A person proves their number by a code, allows their book to be matched, and delivers it; matches
//! are generated in the same commit as the book that brings them. Limits: `domain::limits`.

pub mod account;
pub mod books;
pub mod consents;
pub mod hidden;
pub mod matches;
pub mod one_time_password;
mod problem;
pub mod registration;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use domain::quota::Quota;
use domain::world::World;
use domain::{Region, limits};
use edge::BodyLimit;
use store::Store;
use tmf::camara::NumberChecks;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use registration::former::FormerOwner;
use registration::limits::Alarms;
pub use registration::limits::{SignInLimits, WorstDay};
pub use sessions::Sessions;

/// What the role is told from outside.
#[derive(Debug, Clone)]
pub struct ContactsConfig {
    /// Prefixes of the numbers that this operator serves, such as `+86`.
    pub prefixes: Vec<String>,
    /// The region in which a number without a country code is read.
    pub region: Region,
    /// How often codes are texted and tried.
    pub sign_in: SignInLimits,
    /// How many numbers new to a book one subscriber may deliver.
    pub new_numbers: Quota,
}

/// Tells whether a text would go out in time; the SMS link implements it.
pub trait TextLink: Send + Sync {
    /// Whether a text queued now leaves within so long.
    fn sends_within(&self, limit: Duration) -> bool;
}

/// Whom the role asks about a number, and what it does when that got a new owner.
#[derive(Clone)]
pub struct NumberCheck {
    /// The operator's network.
    pub network: Arc<dyn NumberChecks>,
    /// Closes what the former owner had.
    pub former: Arc<dyn FormerOwner>,
}

/// The role.
#[derive(Clone)]
pub struct Contacts {
    store: Store,
    world: World,
    config: Arc<ContactsConfig>,
    link: Arc<dyn TextLink>,
    alarms: Arc<Alarms>,
    numbers: Option<NumberCheck>,
}

impl Contacts {
    /// The role over a store.
    pub fn new(store: Store, world: World, config: ContactsConfig, link: Arc<dyn TextLink>) -> Self {
        Self { store, world, config: Arc::new(config), link, alarms: Arc::default(), numbers: None }
    }

    /// The same, asking the operator's network whether a number got a new owner.
    #[must_use]
    pub fn asking(self, numbers: Option<NumberCheck>) -> Self {
        Self { numbers, ..self }
    }
}

/// The routes whose bodies are larger than all others.
fn backups() -> OpenApiRouter<Contacts> {
    OpenApiRouter::new()
        .routes(routes!(books::backup::put, books::backup::load))
        .layer(Extension(BodyLimit(limits::BACKUP_BYTES_MAX)))
}

/// Its part of `/v1`.
pub fn routes(contacts: Contacts) -> axum::Router {
    described().split_for_parts().0.with_state(contacts)
}

/// The part of the OpenAPI document that describes those very routes.
pub fn document() -> utoipa::openapi::OpenApi {
    described().split_for_parts().1
}

fn described() -> OpenApiRouter<Contacts> {
    OpenApiRouter::new()
        .routes(routes!(registration::begin::begin))
        .routes(routes!(registration::confirm::confirm))
        .routes(routes!(account::show::show, account::erase::erase))
        .routes(routes!(account::export::export))
        .routes(routes!(account::sessions::list, account::sessions::end_all))
        .routes(routes!(account::sessions::end_one))
        .routes(routes!(account::sessions::end))
        .routes(routes!(
            books::replace::replace,
            books::amend::amend,
            books::show::show,
            books::forget::forget
        ))
        .merge(backups())
        .routes(routes!(matches::list::list))
        .routes(routes!(consents::give::give, consents::take_back::take_back))
        .routes(routes!(hidden::hide, hidden::show))
}
