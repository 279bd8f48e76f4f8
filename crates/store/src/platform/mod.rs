//! What the platform role keeps: catalogue, customers, orders, products, confirmations, listeners.

mod catalogue;
mod charges;
mod confirmations;
mod customers;
mod evidence;
mod groups;
mod hub;
mod orders;
mod products;
mod provisioning;
mod terms;
mod withdrawn;

pub use catalogue::CatalogueChange;
pub use charges::{ChargeRow, NewCharge};
pub use confirmations::{ConfirmationOutcome, ConfirmationRow};
pub use customers::Customer;
pub use evidence::{Evidence, EvidenceKind};
pub use groups::{Joined, Membership};
pub use hub::{HubEventRow, HubListenerRow};
pub use orders::{CancellationRow, OrderFilter, OrderRow};
pub use products::{ClaimHolder, ProductFilter, ProductRow};
pub use provisioning::{NewProvisioning, ProvisioningOutcome, ProvisioningRow};
pub use terms::TermRow;

use crate::store::room;

room! {
    /// Reads what the platform role keeps.
    PlatformView,
    /// Writes what the platform role keeps.
    PlatformTx
}

/// A list of words between commas, for `$n LIKE '%,' || column || ',%'`, which both databases know.
fn between_commas<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut list = ",".to_owned();
    for word in words {
        list.push_str(word);
        list.push(',');
    }
    list
}
