//! `PATCH /v1/book`

use std::collections::BTreeSet;

use api::book::{AmendBook, AmendedList, BookChanged};
use axum::extract::State;
use axum::response::IntoResponse;
use domain::book::ParsedBook;
use domain::key::ContactKey;
use edge::{Caller, IfMatch, Problem, RawJson};
use store::Tx;

use super::{check, check_size, pay, refusals, tell_matches};
use crate::Contacts;
use crate::problem::Refused;

/// Adds numbers to the book and takes numbers away; one in both lists is added.
#[utoipa::path(patch, path = "/v1/book", operation_id = "amendBook",
    request_body = AmendBook, security(("token" = [])),
    params(("If-Match" = Option<String>, Header, description = "The version that this changes.")),
    responses((status = 200, body = BookChanged, headers(("ETag" = String, description = "The version now."))),
        (status = 403, description = "The consent to upload is missing"),
        (status = 412, description = "The book has changed meanwhile"),
        (status = 429, description = "Too many numbers that are new to the book")))]
pub async fn amend(
    State(contacts): State<Contacts>,
    caller: Caller,
    IfMatch(version): IfMatch,
    RawJson(body): RawJson<AmendBook>,
) -> Result<impl IntoResponse, Problem> {
    check_size(body.add.len().max(body.remove.len()))?;
    let parse = |raw: &[String]| ParsedBook::parse(raw.iter().map(String::as_str), contacts.config.region);
    let (add, remove) = (parse(&body.add), parse(&body.remove));
    let keys = contacts.store.keys();
    let as_keys = |book: &ParsedBook| book.numbers.iter().map(|number| keys.contact_key(*number)).collect();
    let (added, removed): (BTreeSet<ContactKey>, BTreeSet<ContactKey>) = (as_keys(&add), as_keys(&remove));
    let role = contacts.clone();
    let write = move |tx: &mut Tx<'_>| -> Result<_, Refused> {
        check(tx, &caller, version)?;
        let change = tx.contacts().amend_book(caller.key, &added, &removed)?;
        check_size(change.book.size)?;
        pay(&role, tx, caller.key, &change)?;
        Ok(tell_matches(tx, caller.key, change)?)
    };
    let changed = contacts.store.write(write).await.map_err(Problem::from)?;
    let refused = refusals(&add, Some(AmendedList::Add)).chain(refusals(&remove, Some(AmendedList::Remove)));
    Ok(changed.answer(refused.collect()))
}
