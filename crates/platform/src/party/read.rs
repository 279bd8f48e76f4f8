//! Reading people, the parts they play, and what they agreed to.

use axum::extract::State;
use axum::response::Response;
use domain::consent::Consent;
use serde_json::Value;
use store::{StoreError, View};
use tmf::party::{agreement, customer, individual, provider};
use tmf::query::resources::{INDIVIDUAL, PARTY_PRIVACY_AGREEMENT, PARTY_ROLE};

use crate::Platform;
use crate::lists::{Id, Page, Pairs, one, read_customer, read_fields, read_query};
use crate::refusal::Refusal;

/// Lists the people who ordered something here, or have it.
pub(super) async fn individuals(State(platform): State<Platform>, pairs: Pairs) -> Result<Page, Refusal> {
    let mut query = read_query(pairs, &INDIVIDUAL)?;
    let ids = query.take_known("id", read_customer);
    let read = platform.store.read(move |view| {
        let ids = ids.as_deref();
        Page::fetch(&query, |offset, limit| {
            let (people, total) = customers(view, ids, offset, limit)?;
            Ok((people.iter().map(|one| individual(one.number, one.locale)).collect(), total))
        })
    });
    read.await
}

fn customers(
    view: &mut View<'_>,
    ids: Option<&[domain::Msisdn]>,
    offset: usize,
    limit: usize,
) -> Result<(Vec<store::platform::Customer>, i64), StoreError> {
    let mut platform = view.platform();
    let Some(ids) = ids else { return platform.list_customers(offset, limit) };
    let mut found = Vec::new();
    for id in ids {
        let key = platform.key_of(*id);
        found.extend(platform.find_customer(key)?);
    }
    found.sort_by_key(|customer| customer.key.value());
    found.dedup_by_key(|customer| customer.key);
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    Ok((found.into_iter().skip(offset).take(limit).collect(), total))
}

pub(super) async fn an_individual(
    State(platform): State<Platform>,
    Id(id): Id,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let fields = read_fields(pairs)?;
    let number = read_customer(&id).ok_or_else(Refusal::not_found)?;
    let read = platform.store.read(move |view| {
        let mut platform = view.platform();
        let key = platform.key_of(number);
        platform.find_customer(key)
    });
    let person = read.await.map_err(|error: StoreError| Refusal::from(error))?;
    let person = person.ok_or_else(Refusal::not_found)?;
    Ok(one(&individual(person.number, person.locale), fields.as_deref()))
}

/// Lists the parts: first the companies that provide, then the people who order.
pub(super) async fn roles(State(platform): State<Platform>, pairs: Pairs) -> Result<Page, Refusal> {
    let query = read_query(pairs, &PARTY_ROLE)?;
    let read = platform.store.read(move |view| {
        Page::fetch(&query, |offset, limit| {
            let mut platform = view.platform();
            let providers = platform.list_providers()?;
            let mut parts: Vec<Value> = providers.iter().skip(offset).take(limit).map(provider).collect();
            let before = offset.saturating_sub(providers.len());
            let (people, total) = platform.list_customers(before, limit - parts.len())?;
            parts.extend(people.iter().map(|one| customer(one.number)));
            Ok((parts, total + i64::try_from(providers.len()).unwrap_or(0)))
        })
    });
    read.await
}

pub(super) async fn a_role(
    State(platform): State<Platform>,
    Id(id): Id,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let fields = read_fields(pairs)?;
    let read = platform.store.read(move |view| {
        let mut platform = view.platform();
        let role = match id.split_once(':') {
            Some(("provider", name)) => {
                let providers = platform.list_providers()?;
                providers.iter().find(|one| one.id.as_str() == name).map(provider)
            }
            Some(("customer", number)) => match read_customer(number) {
                Some(number) => {
                    let key = platform.key_of(number);
                    platform.find_customer(key)?.map(|found| customer(found.number))
                }
                None => None,
            },
            _ => None,
        };
        Ok::<_, StoreError>(role)
    });
    Ok(one(&read.await?.ok_or_else(Refusal::not_found)?, fields.as_deref()))
}

/// Lists the consents in force.
pub(super) async fn agreements(State(platform): State<Platform>, pairs: Pairs) -> Result<Page, Refusal> {
    let query = read_query(pairs, &PARTY_PRIVACY_AGREEMENT)?;
    let read = platform.store.read(move |view| {
        Page::fetch(&query, |offset, limit| {
            let (given, total) = view.contacts().list_given(offset, limit)?;
            let shown = given
                .iter()
                .map(|(number, given)| agreement(*number, given.consent, &given.version, given.given));
            Ok((shown.collect(), total))
        })
    });
    read.await
}

pub(super) async fn an_agreement(
    State(platform): State<Platform>,
    Id(id): Id,
    pairs: Pairs,
) -> Result<Response, Refusal> {
    let fields = read_fields(pairs)?;
    let (number, consent) = id.split_once(':').ok_or_else(Refusal::not_found)?;
    let number = read_customer(number).ok_or_else(Refusal::not_found)?;
    let consent = Consent::parse(consent).ok_or_else(Refusal::not_found)?;
    let key = platform.store.keys().contact_key(number);
    let read = platform.store.read(move |view| view.contacts().list_consents(key));
    let given = read.await.map_err(|error: StoreError| Refusal::from(error))?;
    let given = given.into_iter().find(|one| one.consent == consent).ok_or_else(Refusal::not_found)?;
    Ok(one(&agreement(number, consent, &given.version, given.given), fields.as_deref()))
}
