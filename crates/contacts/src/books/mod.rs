//! Books: delivered whole or as changes, kept as keys, never read back.

pub mod amend;
pub mod backup;
pub mod forget;
pub mod replace;
pub mod show;

use api::Code;
use api::book::{AmendedList, BookChanged, RefusedNumber};
use axum::http::HeaderMap;
use axum::http::header::ETAG;
use domain::book::ParsedBook;
use domain::consent::Consent;
use domain::key::ContactKey;
use domain::{limiter, limits};
use edge::{Caller, Problem};
use serde_json::json;
use store::contacts::{BookChange, BookState};
use store::exchange::EventKind;
use store::{StoreError, Tx};

use crate::Contacts;
use crate::problem::{Refused, still_signed_in};

/// What a write of a book answers, before numbers are put in for keys.
pub(crate) struct Changed {
    change: BookChange,
    new_matches: Vec<String>,
}

/// Checks what every change of a book needs: the consent, and the version that it was made for.
fn check(tx: &mut Tx<'_>, caller: &Caller, if_match: Option<i64>) -> Result<BookState, Refused> {
    still_signed_in(tx, caller)?;
    let key = caller.key;
    if !tx.contacts().has_consent(key, Consent::Upload)? {
        let detail = "Give the consent \"upload\" first: PUT /v1/consents/upload.";
        return Err(Problem::new(Code::ConsentUploadMissing, detail).into());
    }
    let book = tx.contacts().find_book(key)?;
    if if_match.is_some_and(|version| version != book.version) {
        let detail =
            format!("The book is at version {} now. Read it again and repeat the change.", book.version);
        return Err(Problem::new(Code::BookVersionConflict, detail).into());
    }
    Ok(book)
}

/// Takes what is new in a book out of its owner's quota: whoever would find out who lists them has to ask
/// for numbers one by one, and can ask for few.
fn pay(contacts: &Contacts, tx: &mut Tx<'_>, owner: ContactKey, change: &BookChange) -> Result<(), Refused> {
    let until = tx.contacts().take_new_numbers(owner, change.added, &contacts.config.new_numbers)?;
    let Some(until) = until else { return Ok(()) };
    let detail = "More new numbers than one subscriber may add in that time. What is in the book already costs nothing; \
                  send the rest later.";
    let wait_s = limiter::wait_s(contacts.world.now(), until);
    Err(Problem::new(Code::QuotaNewNumbers, detail).retry_after_s(wait_s).into())
}

fn check_size(size: usize) -> Result<(), Problem> {
    if size <= limits::count(limits::BOOK_NUMBERS_MAX) {
        return Ok(());
    }
    let detail = format!("A book holds {} numbers at most. Send fewer.", limits::BOOK_NUMBERS_MAX);
    Err(Problem::new(Code::BookTooLarge, detail))
}

/// Tells both sides of each new match, and answers the numbers that the uploader now sees.
fn tell_matches(tx: &mut Tx<'_>, owner: ContactKey, change: BookChange) -> Result<Changed, StoreError> {
    let mut new_matches = Vec::new();
    for friend in &change.new_matches {
        tell_match(tx, owner, *friend)?;
        new_matches.extend(tx.friends().find_match(owner, *friend)?.map(|matched| matched.number.e164()));
    }
    new_matches.sort_unstable();
    Ok(Changed { change, new_matches })
}

/// Tells two people that they match from now on.
pub(crate) fn tell_match(tx: &mut Tx<'_>, one: ContactKey, other: ContactKey) -> Result<(), StoreError> {
    tx.exchange().append_event(one, EventKind::Match, Some(other), &json!({}))?;
    tx.exchange().append_event(other, EventKind::Match, Some(one), &json!({}))
}

impl Changed {
    fn answer(self, refused: Vec<RefusedNumber>) -> (HeaderMap, axum::Json<BookChanged>) {
        let Self { change, new_matches } = self;
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let body = BookChanged {
            version: change.book.version,
            size: count(change.book.size),
            added: count(change.added),
            removed: count(change.removed),
            refused,
            new_matches,
        };
        (etag(change.book.version), axum::Json(body))
    }
}

fn etag(version: i64) -> HeaderMap {
    HeaderMap::from_iter([(ETAG, edge::etag(version))])
}

fn refusals(book: &ParsedBook, list: Option<AmendedList>) -> impl Iterator<Item = RefusedNumber> {
    let one = move |(index, refusal): &(usize, domain::Refusal)| RefusedNumber {
        index: *index,
        reason: refusal.code().to_owned(),
        list,
    };
    book.refused.iter().map(one)
}
