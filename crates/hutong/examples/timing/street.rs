//! One viewer and a crowd around them, of every kind that must look the same.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use domain::Msisdn;
use domain::key::ContactKey;
use domain::world::{SeededDice, SetClock, World};
use http::Method;
use store::{StoreError, Tx};

use super::house::{Inside, Person};
use super::{CONTROL, Kind};

/// People of each kind; the crowd's books differ in size, and so do the stand-ins of those without one.
const EACH: u64 = 100;
/// What a person of the crowd is to the viewer, by the thousands of their number.
const LISTS_AND_HIDES: u64 = 1_000;
const LISTS: u64 = 2_000;
const REGISTERED: u64 = 3_000;
const DOES_NOT_LIST_BACK: u64 = 4_000;
const IS_HIDDEN: u64 = 5_000;
const NOBODY: u64 = 6_000;
const NOBODY_LISTED: u64 = 7_000;
const VIEWER: u64 = 9_000;

pub(crate) struct Street {
    pub(crate) house: Inside,
    pub(crate) viewer: Person,
    shares: Vec<Kind>,
}

fn all(thousand: u64) -> impl Iterator<Item = Person> {
    (thousand..thousand + EACH).map(Person::new)
}

impl Street {
    pub(crate) async fn new(directory: &Path) -> Self {
        let house = Inside::embedded(directory).await;
        let viewer = Person::new(VIEWER);
        house.register(&viewer).await;
        let mut street = Self { house, viewer, shares: Vec::new() };
        let listed: Vec<String> = [DOES_NOT_LIST_BACK, IS_HIDDEN, NOBODY_LISTED]
            .into_iter()
            .flat_map(all)
            .map(|p| p.number)
            .collect();
        let mut listed: Vec<&str> = listed.iter().map(String::as_str).collect();
        for person in all(IS_HIDDEN) {
            street.hide(&street.viewer, &person).await;
        }
        let dice = World::new(Arc::new(SetClock::at_ms(0)), Arc::new(SeededDice::new(5)));
        for (kind, lists) in [
            (LISTS_AND_HIDES, true),
            (LISTS, true),
            (REGISTERED, false),
            (DOES_NOT_LIST_BACK, false),
            (IS_HIDDEN, true),
        ] {
            for person in all(kind) {
                street.settle_in(&person, lists, &dice).await;
                if kind == LISTS_AND_HIDES {
                    street.hide(&person, &street.viewer).await;
                }
            }
        }
        street.house.upload(&street.viewer, &listed).await;
        let friends: Vec<Person> = (8_000..8_020).map(Person::new).collect();
        listed.extend(friends.iter().map(|friend| friend.number.as_str()));
        street.house.upload(&street.viewer, &listed).await;
        street.shares = street.lost_shares(&friends, &dice).await;
        street
    }

    /// Registers somebody with a book of 50 to 1,000 numbers, most of them small.
    async fn settle_in(&self, person: &Person, lists_viewer: bool, dice: &World) {
        self.house.register(person).await;
        let size = 50 + 950 * u64::from(dice.below(1_000)).pow(2) / 1_000_000;
        let keys = self.house.store.keys();
        let key = |number: &str| keys.contact_key(Msisdn::parse_e164(number).unwrap());
        let mut book: BTreeSet<ContactKey> =
            (0..size).map(|_| key(&format!("+86137{:08}", dice.below(100_000_000)))).collect();
        if lists_viewer {
            book.insert(key(&self.viewer.number));
        }
        let owner = key(&person.number);
        let write = move |tx: &mut Tx<'_>| tx.contacts().replace_book(owner, &book).map(drop);
        self.house.store.write::<_, StoreError, _>(write).await.unwrap();
    }

    async fn hide(&self, who: &Person, whom: &Person) {
        let path = format!("/v1/hidden/{}", whom.path());
        assert!(self.house.call(who, Method::PUT, &path, None, &[]).await.status.is_success());
    }

    /// Share ids that the viewer knows and that have ceased to be good, each in another way.
    async fn lost_shares(&self, friends: &[Person], dice: &World) -> Vec<Kind> {
        let mut ids = Vec::new();
        for friend in friends {
            self.settle_in(friend, true, dice).await;
            // The viewer listed them first; what they upload makes the match.
            self.house.upload(friend, &[&self.viewer.number]).await;
            self.house.subscribe(friend, &["data10"]).await;
            self.house.share(friend, "data10", None).await.unwrap();
            let path = format!("/v1/friends/{}/shares", friend.path());
            let shares = self.house.get(&self.viewer, &path).await.json();
            ids.push(shares["items"][0]["share_id"].as_str().unwrap().to_owned());
        }
        for friend in &friends[..5] {
            self.hide(friend, &self.viewer).await;
        }
        for friend in &friends[5..10] {
            let id = self.house.subscription(friend, "data10").await.unwrap();
            let path = format!("/v1/subscriptions/{id}/share");
            assert!(self.house.call(friend, Method::DELETE, &path, None, &[]).await.status.is_success());
        }
        for friend in &friends[10..15] {
            assert!(self.house.call(friend, Method::DELETE, "/v1/me", None, &[]).await.status.is_success());
        }
        // Of the same form, and sealed for nobody: the last characters belong to the seal.
        let forged = ids[15..].iter().map(|id| id.chars().rev().skip(4).collect::<String>());
        let forged = forged.map(|id| format!("{}AAAA", id.chars().rev().collect::<String>()));
        vec![
            Kind { name: "a share of somebody who hides", about: ids[..5].to_vec(), is_later: false },
            Kind { name: "a share that was taken back", about: ids[5..10].to_vec(), is_later: false },
            Kind { name: "a share of somebody who left", about: ids[10..15].to_vec(), is_later: false },
            Kind { name: "a forged share id", about: forged.collect(), is_later: false },
        ]
    }

    /// The kinds that a group compares.
    pub(crate) fn kinds(&self, group: &str) -> Vec<Kind> {
        let people = |name, thousand| {
            let about = all(thousand).map(|person| person.path()).collect();
            Kind { name, about, is_later: false }
        };
        match group {
            CONTROL => vec![
                people("nobody", NOBODY),
                people("the same nobody", NOBODY),
                Kind { is_later: true, ..people("nobody, answered later", NOBODY) },
            ],
            "tap" => self.shares.clone(),
            "friend" | "feed" => vec![
                people("nobody", NOBODY),
                people("nobody, listed", NOBODY_LISTED),
                people("registered", REGISTERED),
                people("lists the viewer, is not listed", LISTS),
                people("is listed, does not list the viewer", DOES_NOT_LIST_BACK),
                people("lists the viewer and hides", LISTS_AND_HIDES),
                people("both list, the viewer hides", IS_HIDDEN),
            ],
            "amend" => vec![
                people("nobody", NOBODY),
                people("registered, does not list the viewer", REGISTERED),
                people("registered, lists the viewer and hides", LISTS_AND_HIDES),
            ],
            _ => vec![
                people("nobody", NOBODY),
                people("registered, does not list the viewer", REGISTERED),
                people("registered, lists the viewer", LISTS),
                people("registered, lists the viewer and hides", LISTS_AND_HIDES),
            ],
        }
    }
}
