//! `PUT /v1/book`

use std::collections::BTreeSet;

use api::Code;
use api::book::{BookChanged, ReplaceBook};
use axum::extract::State;
use axum::response::IntoResponse;
use domain::book::{ParsedBook, needs_shrink_confirmation};
use domain::key::ContactKey;
use edge::{Caller, IfMatch, Problem, RawJson};
use store::Tx;

use super::{check, check_size, pay, refusals, tell_matches};
use crate::Contacts;
use crate::problem::Refused;

/// Replaces the whole book; matches follow in the same commit.
#[utoipa::path(put, path = "/v1/book", operation_id = "replaceBook",
    request_body = ReplaceBook, security(("token" = [])),
    params(("If-Match" = Option<String>, Header, description = "The version that this replaces.")),
    responses((status = 200, body = BookChanged, headers(("ETag" = String, description = "The version now."))),
        (status = 403, description = "The consent to upload is missing"),
        (status = 409, description = "The book would shrink by more than half"),
        (status = 412, description = "The book has changed meanwhile"),
        (status = 429, description = "Too many numbers that are new to the book")))]
pub async fn replace(
    State(contacts): State<Contacts>,
    caller: Caller,
    IfMatch(version): IfMatch,
    RawJson(body): RawJson<ReplaceBook>,
) -> Result<impl IntoResponse, Problem> {
    check_size(body.numbers.len())?;
    let book = ParsedBook::parse(body.numbers.iter().map(String::as_str), contacts.config.region);
    let keys = contacts.store.keys();
    let contacts_now: BTreeSet<ContactKey> =
        book.numbers.iter().map(|number| keys.contact_key(*number)).collect();
    // One field may hold several numbers.
    check_size(contacts_now.len())?;
    let confirmed = body.confirm_shrink;
    let role = contacts.clone();
    let write = move |tx: &mut Tx<'_>| -> Result<_, Refused> {
        let before = check(tx, &caller, version)?;
        if needs_shrink_confirmation(before.size, contacts_now.len()) && !confirmed {
            let detail = format!(
                "The book has {} numbers and would keep {}. Send confirm_shrink if that is meant.",
                before.size,
                contacts_now.len()
            );
            return Err(Problem::new(Code::BookShrinkUnconfirmed, detail).into());
        }
        let change = tx.contacts().replace_book(caller.key, &contacts_now)?;
        pay(&role, tx, caller.key, &change)?;
        Ok(tell_matches(tx, caller.key, change)?)
    };
    let changed = contacts.store.write(write).await.map_err(Problem::from)?;
    Ok(changed.answer(refusals(&book, None).collect()))
}
