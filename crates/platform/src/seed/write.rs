//! Writes a seed that has no faults of its own.

use std::collections::{BTreeMap, BTreeSet};

use domain::catalogue::{GroupId, Offering, ProviderId};
use domain::ids::ProductId;
use domain::money::Price;
use domain::order::ProductState;
use store::Tx;
use store::audit::{Actor, AuditAction, AuditEntry};
use store::platform::{CatalogueChange, ClaimHolder, Joined, ProductFilter, ProductRow};
use tmf::EventType;

use super::read::{GroupPlace, Seed, Subscription};
use super::{SeedError, SeedFault, SeedReport};
use crate::Platform;
use crate::desk::Desk;
use crate::refusal::Refusal;

/// Subscriptions that share one write: some milliseconds.
const SUBSCRIPTIONS_A_WRITE: usize = 500;

impl From<Refusal> for SeedError {
    fn from(refusal: Refusal) -> Self {
        Self::Store(refusal.into())
    }
}

pub(super) async fn write(platform: &Platform, seed: Seed, actor: Actor) -> Result<SeedReport, SeedError> {
    let Seed { providers, offerings, groups, subscriptions, payers } = seed;
    let wanted: BTreeSet<_> = subscriptions.iter().map(|one| one.offering.clone()).collect();
    let places: Vec<_> = subscriptions.iter().map(|one| one.offering.clone()).collect();
    let catalogue = Seed { providers, offerings, groups, payers, subscriptions: Vec::new() };
    let clone = platform.clone();
    let mut report = platform
        .store
        .write(move |tx| {
            let mut faults = unknown_providers(tx, &catalogue)?;
            let mut unknown = BTreeSet::new();
            for id in &wanted {
                let here = catalogue.offerings.iter().any(|offering| offering.id == *id);
                if !here && tx.platform().find_offering(id)?.is_none() {
                    unknown.insert(id.clone());
                }
            }
            for (index, id) in places.iter().enumerate().filter(|(_, id)| unknown.contains(id)) {
                let place = format!("subscriptions[{index}].offering");
                faults.push(SeedFault { place, problem: format!("names '{id}', which no catalogue has") });
            }
            if !faults.is_empty() {
                return Err(SeedError::Faults(faults));
            }
            let report = write_catalogue(tx, &clone, &catalogue)?;
            let entry = AuditEntry::new(actor.clone(), AuditAction::Seeded)
                .with("providers", report.providers)
                .with("offerings", report.offerings)
                .with("payers", report.payers)
                .with("subscriptions_named", places.len());
            tx.audit().append(&entry)?;
            Ok(report)
        })
        .await?;
    for part in subscriptions.chunks(SUBSCRIPTIONS_A_WRITE) {
        let (part, clone) = (part.to_vec(), platform.clone());
        report.subscriptions +=
            platform.store.write(move |tx| write_subscriptions(tx, &clone, &part)).await?;
    }
    Ok(report)
}

fn unknown_providers(tx: &mut Tx<'_>, seed: &Seed) -> Result<Vec<SeedFault>, SeedError> {
    let mut faults = Vec::new();
    let here: BTreeSet<_> = seed.providers.iter().map(|provider| &provider.id).collect();
    for (index, offering) in seed.offerings.iter().enumerate() {
        if !here.contains(&offering.provider) && tx.platform().find_provider(&offering.provider)?.is_none() {
            let place = format!("offerings[{index}].provider");
            faults.push(SeedFault {
                place,
                problem: format!("names '{}', which no catalogue has", offering.provider),
            });
        }
    }
    Ok(faults)
}

fn write_catalogue(tx: &mut Tx<'_>, platform: &Platform, seed: &Seed) -> Result<SeedReport, SeedError> {
    let mut report = SeedReport::default();
    let mut changed: BTreeSet<&ProviderId> = BTreeSet::new();
    for provider in &seed.providers {
        if tx.platform().put_provider(provider)? != CatalogueChange::Same {
            changed.insert(&provider.id);
            report.providers += 1;
        }
    }
    for offering in &seed.offerings {
        let change = tx.platform().put_offering(offering)?;
        report.offerings += usize::from(change != CatalogueChange::Same);
        if change != CatalogueChange::Same || changed.contains(&offering.provider) {
            tell(tx, platform, offering, change)?;
        }
    }
    for (offering, rules) in &seed.groups {
        tx.platform().put_group_rules(offering, *rules)?;
    }
    for payer in &seed.payers {
        let key = tx.platform().key_of(payer.number);
        if tx.platform().load_payer(key)? != (payer.barred, payer.cap_hundredths) {
            tx.platform().put_payer(key, payer.barred, payer.cap_hundredths)?;
            report.payers += 1;
        }
    }
    Ok(report)
}

fn tell(
    tx: &mut Tx<'_>,
    platform: &Platform,
    offering: &Offering,
    change: CatalogueChange,
) -> Result<(), SeedError> {
    let kind = match change {
        CatalogueChange::Added => EventType::ProductOfferingCreate,
        CatalogueChange::Changed | CatalogueChange::Same => EventType::ProductOfferingAttributeValueChange,
    };
    if let Some((offering, provider)) = tx.platform().find_offering(&offering.id)? {
        Desk::new(tx, platform).tell_offering(kind, &offering, &provider)?;
    }
    Ok(())
}

/// Writes subscriptions that are not there; neither charged nor texted, for they are not new.
fn write_subscriptions(
    tx: &mut Tx<'_>,
    platform: &Platform,
    part: &[Subscription],
) -> Result<usize, SeedError> {
    let mut prices: BTreeMap<_, (Price, bool)> = BTreeMap::new();
    let mut written = 0;
    for one in part {
        let (price, renews) = match prices.get(&one.offering) {
            Some(known) => *known,
            None => {
                let Some((offering, _)) = tx.platform().find_offering(&one.offering)? else { continue };
                prices.insert(one.offering.clone(), (offering.price, offering.renews));
                (offering.price, offering.renews)
            }
        };
        let customer = tx.platform().put_customer(one.number, None)?;
        let mut product = ProductRow {
            id: ProductId(platform.world.uuid()),
            customer: customer.key,
            offering: one.offering.clone(),
            state: ProductState::Created,
            price,
            since: one.since,
            ended: None,
        };
        if seeded_before(tx, &product)? || !tx.platform().take_claim_for_product(&product)? {
            continue;
        }
        if !join_group(tx, platform, &product, one.place.as_ref())? {
            let holder = ClaimHolder::Product(product.id);
            tx.platform().release_claim(product.customer, &product.offering, holder)?;
            continue;
        }
        // The seed is the decision, and is written down as one.
        let mut desk = Desk::new(tx, platform).acting_for(None);
        desk.begin_product(&product)?;
        desk.begin_term(&product, renews)?;
        desk.move_product(&mut product, ProductState::Active)?;
        written += 1;
    }
    Ok(written)
}

/// Takes a subscription into its short-number group, or into one of its own; `false` when there is no place for
/// it. One to an offering without groups needs none.
fn join_group(
    tx: &mut Tx<'_>,
    platform: &Platform,
    product: &ProductRow,
    place: Option<&GroupPlace>,
) -> Result<bool, SeedError> {
    let Some(rules) = tx.platform().find_group_rules(&product.offering)? else { return Ok(true) };
    let group = place.map_or_else(|| GroupId::from(platform.world.uuid()), |place| place.group.clone());
    let wanted = place.and_then(|place| place.short_number.as_ref());
    if wanted.is_some_and(|wanted| !rules.fits(wanted)) {
        return Ok(false);
    }
    Ok(matches!(tx.platform().join_group(product, &group, rules, wanted)?, Joined::In(_)))
}

/// Whether this very subscription was here, even if it has ended since: a seed brings nothing back.
fn seeded_before(tx: &mut Tx<'_>, product: &ProductRow) -> Result<bool, SeedError> {
    let filter = ProductFilter {
        customers: Some(vec![product.customer]),
        offerings: Some(vec![product.offering.clone()]),
        ..ProductFilter::default()
    };
    let (known, _) = tx.platform().list_products(&filter, 0, usize::from(u16::MAX))?;
    Ok(known.iter().any(|row| row.since == product.since))
}
