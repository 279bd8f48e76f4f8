//! A number that somebody else had before: the network is asked, and what the former owner had is closed in
//! the very write that signs the new one in.
//!
//! Asked is who has proven the number by its code, about an account that is older than a day: nobody learns
//! from a wrong code, or from the time it takes, whether there is an account. The network is asked between two
//! runs of the write, never inside of one; an answer counts for the account that it was asked about, and for
//! no other that stands there when the write runs again.
//!
//! While the network gives no word, an account whose number was proven within `limits::NUMBER_AGING_S` opens:
//! no number is given away so soon. An older one stays shut, its code unspent, for `limits::NUMBER_HOLD_S`
//! from the first try on; then it opens, since an outage must not shut people out for ever.

use api::Code;
use domain::Msisdn;
use domain::ids::{RegistrationId, SubscriberId};
use domain::key::ContactKey;
use domain::limits;
use domain::world::{World, after_seconds};
use edge::Problem;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use store::contacts::Proof;
use store::erasures::Erasure;
use store::{StoreError, Tx};

use crate::{Contacts, NumberCheck};

/// Closes all that a number's former owner had, in the write that signs the new one in.
pub trait FormerOwner: Send + Sync {
    /// Closes it; no text goes out. Answers what to write into the journal before anybody is told.
    ///
    /// # Errors
    /// The store's.
    fn close(&self, tx: &mut Tx<'_>, key: ContactKey) -> Result<Erasure, StoreError>;
}

/// What the network is to be asked before somebody is signed in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    number: Msisdn,
    account: SubscriberId,
    after: Date,
}

/// What is known of a number's owner when the write runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word {
    /// Nobody was asked.
    NotAsked,
    /// The network was asked about an account: whether the number got a new owner; `None` when it did not say.
    Of(SubscriberId, Option<bool>),
}

/// Whether somebody who has proven a number comes in.
pub(super) enum Entry {
    /// They do; what a former owner had is closed.
    Open(Option<Erasure>),
    /// Not before the network was asked.
    Ask(Question),
    /// Not now: the network gives no word.
    Held,
}

/// Rounds of asking and writing: an account that came to be between them is asked about for itself.
pub(super) const ROUNDS_MAX: usize = 3;
/// When to try again while the network gives no word.
const AGAIN_S: u64 = 30;

impl Contacts {
    /// Asks the network.
    pub(super) async fn ask(&self, question: Question) -> Word {
        let Question { number, account, after } = question;
        let Some(NumberCheck { network, .. }) = &self.numbers else { return Word::NotAsked };
        match network.has_new_owner(number, after).await {
            Ok(recycled) => Word::Of(account, Some(recycled)),
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the network did not say whether a number got a new owner; an account not used for long \
                     stays shut meanwhile"
                );
                Word::Of(account, None)
            }
        }
    }

    /// Whether the holder of a number that was just proven comes in, given what is known; closes a former
    /// owner's account.
    pub(super) fn enter(
        &self,
        tx: &mut Tx<'_>,
        number: Msisdn,
        attempt: RegistrationId,
        word: Word,
    ) -> Result<Entry, StoreError> {
        let Some(NumberCheck { former, .. }) = &self.numbers else { return Ok(Entry::Open(None)) };
        let key = self.store.keys().contact_key(number);
        let Some(proof) = tx.contacts().find_proof(key)? else { return Ok(Entry::Open(None)) };
        let Some(after) = day_to_ask_about(&proof, &self.world) else { return Ok(Entry::Open(None)) };
        match word {
            Word::Of(account, said) if account == proof.id => match said {
                Some(false) => Ok(Entry::Open(None)),
                Some(true) => former.close(tx, key).map(|closed| Entry::Open(Some(closed))),
                None => self.hold(tx, key, attempt, &proof),
            },
            _ => Ok(Entry::Ask(Question { number, account: proof.id, after })),
        }
    }

    fn hold(
        &self,
        tx: &mut Tx<'_>,
        key: ContactKey,
        attempt: RegistrationId,
        proof: &Proof,
    ) -> Result<Entry, StoreError> {
        if self.world.seconds_since(proof.proven) < limits::NUMBER_AGING_S {
            return Ok(Entry::Open(None));
        }
        let since = tx.contacts().hold_sign_in(key, attempt)?;
        if self.world.seconds_since(since) < limits::NUMBER_HOLD_S {
            return Ok(Entry::Held);
        }
        tracing::error!(
            "the network has given no word on a number for a day: an old account opens unchecked; look at \
             numbers.url, and tell of new owners by the operator's interface meanwhile"
        );
        Ok(Entry::Open(None))
    }
}

/// The day after which a change of owner counts: the one after the account came to be, wherever on earth
/// that day was written down, so that the very change that brought this account's person does not count.
/// `None` while that day is not over: nobody's number goes to somebody else so soon.
fn day_to_ask_about(proof: &Proof, world: &World) -> Option<Date> {
    let day = |moment: Timestamp| moment.to_zoned(TimeZone::UTC).date();
    let after = day(proof.since).checked_add(1.day()).ok()?;
    // A day behind the furthest west: an answerer refuses days to come.
    (after < day(after_seconds(world.now(), -86_400))).then_some(after)
}

/// The refusal of somebody whose old account stays shut.
pub(super) fn held() -> Problem {
    Problem::new(
        Code::RegistrationNumberUnchecked,
        "The network does not say just now whether this number is still yours. Try again in half a minute, with the same code.",
    )
    .retry_after_s(AGAIN_S)
}
