//! Verbs about people: signing in, consents, books, hiding, leaving.

use std::collections::BTreeSet;
use std::fmt::Write;

use domain::consent::Consent;
use domain::ids::{RegistrationId, SessionId, SubscriberId};
use domain::key::ContactKey;
use domain::limiter::Rule;
use domain::locale::Locale;
use domain::quota::Quota;
use domain::world::after_seconds;
use store::audit::{Actor, AuditAction, AuditEntry};
use store::contacts::{Counted, ImportedBook, NewRegistration, NewSession};
use store::erasures::Erased;
use store::friends::{FeedFilter, FriendsView};
use store::{Keys, StoreError};

use super::{OFFERINGS, PEOPLE, Play, Verb};
use crate::backends::number;

const CONSENTS: [Consent; 3] = [Consent::Upload, Consent::Subscriptions, Consent::Recommendations];
const LOCALES: [Locale; 2] = [Locale::English, Locale::Chinese];
/// Texts that people may write: none of them is like its neighbour in every database.
pub(super) const WORDS: [&str; 6] = ["", "1", "Ärger", "彩铃", "a'b\"c", "\u{1F600}%_\\"];

pub(super) const VERBS: &[(&str, Verb)] = &[
    ("sign in", sign_in),
    ("sign in", sign_in),
    ("prove", prove),
    ("hold", hold),
    ("sign out", sign_out),
    ("limit", limit),
    ("consent", consent),
    ("replace a book", replace_book),
    ("replace a book", replace_book),
    ("replace a book", replace_book),
    ("amend a book", amend_book),
    ("amend a book", amend_book),
    ("forget a book", forget_book),
    ("import", import),
    ("hide", hide),
    ("show", show),
    ("back up", back_up),
    ("audit", audit),
    ("leave", leave),
];

/// All that people see of each other.
pub(super) fn look(friends: &mut FriendsView<'_>, keys: &Keys) -> Result<String, StoreError> {
    let mut seen = String::new();
    let people: Vec<ContactKey> = (0..PEOPLE as u64).map(|one| keys.contact_key(number(one))).collect();
    for &viewer in &people {
        let _ = writeln!(seen, "{:?}", friends.list_matches(viewer, None, 50)?);
        let _ = writeln!(seen, "{:?}", friends.list_matches(viewer, Some(people[1]), 2)?);
        let all = friends.list_feed(viewer, &FeedFilter::default(), 50)?;
        let _ = writeln!(seen, "{all:?}");
        for &friend in &people {
            let filter = FeedFilter { friend: Some(friend), ..FeedFilter::default() };
            let _ = writeln!(seen, "{:?}", friends.find_match(viewer, friend)?);
            let _ = writeln!(seen, "{:?}", friends.list_feed(viewer, &filter, 2)?);
        }
        for item in &all {
            let _ = writeln!(seen, "{:?}", friends.find_feed_item(viewer, item.share)?);
        }
        for offering in OFFERINGS {
            let offering = domain::catalogue::OfferingId::parse(offering).ok();
            let filter = FeedFilter { offering, ..FeedFilter::default() };
            let _ = writeln!(seen, "{:?}", friends.list_feed(viewer, &filter, 3)?);
        }
    }
    Ok(seen)
}

fn sign_in(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (subscriber, session) = (SubscriberId(play.fresh()), SessionId(play.fresh()));
    // The same token twice is a mistake, and must be the same mistake.
    let token = if play.chances[3] < 30 { "token".to_owned() } else { session.0.to_string() };
    let device = Some(play.one_of(2, &WORDS).to_owned()).filter(|word| !word.is_empty());
    let new = NewSession { id: session, token: token.clone(), device };
    let (who, locale) = (number(play.place(0)), play.one_of(1, &LOCALES));
    let signed = play.tx.contacts().sign_in(who, locale, subscriber, &new)?;
    let key = signed.key;
    let mut contacts = play.tx.contacts();
    Ok(format!(
        "{signed:?} {:?} {:?} {:?} {:?} {:?}",
        contacts.find_session(&token)?,
        contacts.is_signed_in(key, session)?,
        contacts.list_sessions(key)?,
        contacts.find_proof(key)?,
        contacts.find_subscriber(key)?,
    ))
}

fn prove(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let id = RegistrationId(play.id(1));
    let fresh = RegistrationId(play.fresh());
    let new = NewRegistration {
        id: fresh,
        number: number(play.place(0)),
        locale: play.one_of(2, &LOCALES),
        code: "123456".to_owned(),
        expires: after_seconds(play.world.now(), 600),
    };
    let code = play.one_of(3, &["123456", "000000", ""]);
    let mut contacts = play.tx.contacts();
    contacts.begin_registration(&new)?;
    let other = contacts.try_code(id, code, 2)?;
    let own = contacts.try_code(fresh, code, 2)?;
    Ok(format!("{other:?} {own:?} {:?} {:?}", contacts.find_attempt(id)?, contacts.find_attempt(fresh)?))
}

fn hold(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, attempt) = (play.person(0), RegistrationId(play.id(1)));
    Ok(format!("{:?}", play.tx.contacts().hold_sign_in(who, attempt)?))
}

fn sign_out(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, session) = (play.person(0), SessionId(play.id(1)));
    let ended = play.tx.contacts().end_session(who, session)?;
    if play.chances[2] < 100 {
        play.tx.contacts().end_all_sessions(who)?;
    }
    Ok(format!("{ended} {:?}", play.tx.contacts().list_sessions(who)?))
}

fn limit(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let who = play.person(0);
    let address: &[u8] = play.one_of(1, &[b"a", b"b\0"]);
    let counted = play.one_of(
        2,
        &[
            Counted::TextsTo(who),
            Counted::TextsFrom(address),
            Counted::Texts,
            Counted::Wrong,
            Counted::WrongForFrom(who, address),
        ],
    );
    let rules = [Rule { max: 1, window_s: 60 }, Rule { max: 3, window_s: 3_600 }];
    let quota = Quota { at_once: 20, per_hour: 5 };
    let count = play.chances[3] % 12;
    let mut contacts = play.tx.contacts();
    let before = contacts.next_allowed(counted, &rules)?;
    contacts.count_hit(counted)?;
    let after = contacts.next_allowed(counted, &rules)?;
    Ok(format!("{before:?} {after:?} {:?}", contacts.take_new_numbers(who, count, &quota)?))
}

fn consent(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, which, version) = (play.person(0), play.one_of(1, &CONSENTS), play.one_of(2, &WORDS));
    let given = !play.chances[3].is_multiple_of(3);
    let (offset, mut contacts) = (play.chances[3] % 4, play.tx.contacts());
    if given {
        contacts.give_consent(who, which, version)?;
    } else {
        contacts.take_back_consent(who, which)?;
    }
    let all = contacts.list_consents(who)?;
    Ok(format!("{all:?} {:?} {:?}", contacts.has_consent(who, which)?, contacts.list_given(offset, 3)?))
}

/// Some people, and some of whom nobody has heard.
fn some(play: &Play<'_, '_>, which: usize) -> BTreeSet<ContactKey> {
    let chance = play.chances[which];
    let listed = (0..10_u64).filter(|one| chance >> one & 1 == 1);
    listed.map(|one| play.keys.contact_key(number(if one > 5 { one * 1_000 } else { one }))).collect()
}

fn replace_book(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, mut book) = (play.person(0), some(play, 1));
    if play.chances[2] < 300 {
        book.extend((0..PEOPLE as u64).map(|one| play.keys.contact_key(number(one))));
    }
    let change = play.tx.contacts().replace_book(who, &book)?;
    Ok(format!("{change:?} {:?}", play.tx.contacts().find_book(who)?))
}

fn amend_book(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, add, remove) = (play.person(0), some(play, 1), some(play, 2));
    Ok(format!("{:?}", play.tx.contacts().amend_book(who, &add, &remove)?))
}

fn forget_book(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let who = play.person(0);
    play.tx.contacts().forget_book(who)?;
    Ok(format!("{:?} {:?}", play.tx.contacts().find_book(who)?, play.tx.friends().check_matches()?))
}

fn import(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let places = BTreeSet::from([play.place(0), play.place(1)]);
    let mut books = Vec::new();
    for place in places {
        let fresh = SubscriberId(play.fresh());
        books.push(ImportedBook { number: number(place), fresh, contacts: some(play, 2) });
    }
    let (locale, version) = (play.one_of(3, &LOCALES), play.one_of(3, &WORDS));
    Ok(format!("{:?}", play.tx.contacts().import_books(&books, locale, version)?))
}

fn hide(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, other) = (play.person(0), play.person(1));
    play.tx.contacts().hide(who, other)?;
    Ok(format!("{:?}", play.tx.contacts().count_hidden(who)?))
}

fn show(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, other) = (play.person(0), play.person(1));
    Ok(format!("{:?}", play.tx.contacts().show(who, other)?))
}

fn back_up(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, blob) = (play.person(0), [0, 255, play.chances[1] as u8]);
    let mut contacts = play.tx.contacts();
    let version = contacts.put_backup(who, &blob)?;
    Ok(format!("{version} {:?} {:?}", contacts.backup_version(who)?, contacts.find_backup(who)?))
}

fn audit(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, action) = (play.person(0), play.one_of(1, AuditAction::ALL));
    let actor = play.one_of(2, &[0, 1]);
    let actor = if actor == 0 { Actor::Local } else { Actor::Platform };
    let entry = AuditEntry::new(actor, action).about(who).with("word", play.one_of(3, &WORDS));
    play.tx.audit().append(&entry)?;
    if play.chances[3] < 40 {
        play.tx.audit().begin_generation(&Actor::Local)?;
    }
    if play.chances[3] > 930 {
        play.tx.audit().unlink(who)?;
    }
    let mut audit = play.tx.audit();
    let of_person = audit.list_of_person(who)?.len();
    let newest = audit.newest()?;
    let verified = audit.verify(&[])?.is_ok();
    Ok(format!("{:?} {of_person} {newest:?} {verified} {:?}", audit.count()?, audit.heads()?.to_text()))
}

fn leave(play: &mut Play<'_, '_>) -> Result<String, StoreError> {
    let (who, what) = (play.person(0), play.one_of(1, &[Erased::Account, Erased::Owner, Erased::Customer]));
    if play.chances[2] < 500 {
        return Ok(String::new());
    }
    let erasure = play.tx.erasures().record(what, who)?;
    play.known.ids.push(erasure.id);
    play.tx.contacts().erase_subscriber(who)?;
    play.tx.exchange().erase_person(who)?;
    let again = play.tx.erasures().record_again(&erasure)?;
    Ok(format!("{erasure:?} {again} {:?}", play.tx.erasures().find(erasure.id, what)?))
}
