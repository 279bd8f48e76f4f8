//! M7 as non-interference: two houses that differ in whatever is no business of one viewer's answer that
//! viewer in the same bytes.

use std::cell::Cell;

use domain::world::{SeededDice, SetClock, World};
use http::Method;
use serde_json::json;

use super::house::{Inside, Person};
use super::look::{Questions, look};

const VIEWER: usize = 0;
/// Match the viewer, and share some things with them.
const FRIENDS: [usize; 2] = [1, 2];
/// Is listed by the viewer and does not list them.
const DOES_NOT_LIST: usize = 3;
/// Lists the viewer and is not listed.
const IS_NOT_LISTED: usize = 4;
/// Matches, but for hiding from the viewer.
const HIDES: usize = 5;
/// Matches, but for being hidden by the viewer.
const IS_HIDDEN: usize = 6;
const PEOPLE: usize = 9;
/// Offerings that friends share with others than the viewer, or with nobody.
const SECRET: [&str; 3] = ["reading", "stars", "health"];
const ALL: [&str; 5] = ["data10", "crbt", "reading", "stars", "health"];

/// One of the two houses; the secrets in it come from dice of its own.
struct Town {
    house: Inside,
    people: Vec<Person>,
    registered: Vec<bool>,
    secrets: World,
    done: Cell<usize>,
    shares: Cell<usize>,
    _directory: tempfile::TempDir,
}

impl Town {
    async fn new(seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let house = Inside::embedded(directory.path()).await;
        let people = (0..PEOPLE as u64).map(Person::new).collect();
        let secrets =
            World::new(std::sync::Arc::new(SetClock::at_ms(0)), std::sync::Arc::new(SeededDice::new(seed)));
        let (registered, done, shares) = (vec![false; PEOPLE], Cell::new(0), Cell::new(0));
        Self { house, people, registered, secrets, done, shares, _directory: directory }
    }

    fn draw(&self, below: usize) -> usize {
        self.secrets.below(u32::try_from(below).unwrap()) as usize
    }

    fn number(&self, who: usize) -> &str {
        &self.people[who].number
    }

    async fn call(&self, who: usize, method: Method, path: &str, body: Option<String>) -> String {
        let answer = self.house.call(&self.people[who], method, path, body.as_deref(), &[]).await;
        self.done.set(self.done.get() + usize::from(answer.status.is_success()));
        format!("{answer:?}")
    }

    /// What is the same in both towns.
    async fn found(&mut self) {
        for who in [VIEWER, FRIENDS[0], FRIENDS[1]] {
            self.house.register(&self.people[who]).await;
            self.registered[who] = true;
        }
        self.house.subscribe(&self.people[VIEWER], &["reading"]).await;
        let listed = [FRIENDS[0], FRIENDS[1], DOES_NOT_LIST, HIDES, IS_HIDDEN];
        let listed: Vec<&str> = listed.iter().map(|who| self.number(*who)).collect();
        self.house.upload(&self.people[VIEWER], &listed).await;
        let path = format!("/v1/hidden/{}", self.people[IS_HIDDEN].path());
        self.call(VIEWER, Method::PUT, &path, None).await;
        for friend in FRIENDS {
            self.house.subscribe(&self.people[friend], &["data10", "crbt"]).await;
            self.house.upload(&self.people[friend], &[self.number(VIEWER)]).await;
            for offering in ["data10", "crbt"] {
                self.house.share(&self.people[friend], offering, None).await.unwrap();
            }
        }
    }

    /// A book that keeps its owner where they stand to the viewer.
    fn book(&self, who: usize) -> Vec<&str> {
        let others = (1..PEOPLE).filter(|other| *other != who && self.draw(2) == 0);
        let with_viewer = match who {
            DOES_NOT_LIST => false,
            _ if FRIENDS.contains(&who) => true,
            _ => self.draw(4) > 0,
        };
        others.chain(with_viewer.then_some(VIEWER)).map(|other| self.number(other)).collect()
    }

    /// Something that is no business of the viewer's.
    async fn secret(&mut self) {
        let who = 1 + self.draw(PEOPLE - 1);
        if !self.registered[who] {
            self.house.register(&self.people[who]).await;
            self.registered[who] = true;
            if who == HIDES {
                let path = format!("/v1/hidden/{}", self.people[VIEWER].path());
                self.call(who, Method::PUT, &path, None).await;
            }
        }
        let friend = FRIENDS.contains(&who);
        match self.draw(10) {
            0..3 => drop(self.house.upload(&self.people[who], &self.book(who)).await),
            3 if !friend => {
                self.call(who, Method::DELETE, "/v1/me", None).await;
                self.registered[who] = false;
            }
            4 if !friend => {
                let path = ["/v1/book", "/v1/consents/subscriptions"][self.draw(2)];
                self.call(who, Method::DELETE, path, None).await;
            }
            5 => {
                // Hiding from the viewer is for those whom they do not see anyhow.
                let first = usize::from(friend || who == HIDES);
                let other = first + self.draw(PEOPLE - first);
                let method = if self.draw(2) == 0 { Method::PUT } else { Method::DELETE };
                let path = format!("/v1/hidden/{}", self.people[other].path());
                self.call(who, method, &path, None).await;
            }
            6 => {
                let offering = if friend { SECRET[self.draw(3)] } else { ALL[self.draw(5)] };
                self.house.subscribe(&self.people[who], &[offering]).await;
            }
            7 | 8 => self.share(who, friend).await,
            _ => {
                let offering = if friend { SECRET[self.draw(3)] } else { ALL[self.draw(5)] };
                if let Some(card) = self.house.card(&self.people[who], offering).await {
                    let key = format!("{:?}", self.secrets.uuid());
                    self.house.tap(&self.people[who], &card, &key).await;
                }
            }
        }
        self.house.settle().await;
    }

    async fn share(&self, who: usize, friend: bool) {
        let offering = if friend { SECRET[self.draw(3)] } else { ALL[self.draw(5)] };
        let named: Vec<&str> =
            (1..PEOPLE).filter(|_| self.draw(2) == 0).map(|other| self.number(other)).collect();
        let everybody = !friend && self.draw(2) == 0;
        if self.draw(3) == 0 {
            if let Some(id) = self.house.subscription(&self.people[who], offering).await {
                self.call(who, Method::DELETE, &format!("/v1/subscriptions/{id}/share"), None).await;
            }
        } else {
            // What they have already stays as it is.
            self.house.subscribe(&self.people[who], &[offering]).await;
            let only = if everybody { None } else { Some(named.as_slice()) };
            let shared = self.house.share(&self.people[who], offering, only).await;
            self.shares.set(
                self.shares.get() + usize::from(shared.is_some_and(|answer| answer.status.is_success())),
            );
        }
    }

    /// Something that happens in both towns, and that the viewer may see.
    async fn common(&self, turn: usize) -> String {
        let (friend, other) = (FRIENDS[turn % 2], FRIENDS[(turn + 1) % 2]);
        let answer = match turn % 4 {
            0 => {
                let body = json!({ "remove": [self.number(friend)] }).to_string();
                self.call(VIEWER, Method::PATCH, "/v1/book", Some(body)).await
            }
            1 => {
                let body = json!({ "add": [self.number(other), self.number(friend), "+8613700000007"] });
                self.call(VIEWER, Method::PATCH, "/v1/book", Some(body.to_string())).await
            }
            2 => {
                let id = self.house.subscription(&self.people[friend], "crbt").await.unwrap();
                self.call(friend, Method::DELETE, &format!("/v1/subscriptions/{id}/share"), None).await
            }
            _ => format!("{:?}", self.house.share(&self.people[other], "crbt", None).await.unwrap()),
        };
        self.house.settle().await;
        answer
    }

    async fn look(&self, turn: usize) -> Vec<(String, String)> {
        let viewer = &self.people[VIEWER];
        let mut shares = vec!["nonsense".to_owned()];
        for offering in ["crbt", "data10"] {
            shares.extend(self.house.card(viewer, offering).await);
        }
        let relisted = [DOES_NOT_LIST, HIDES, IS_HIDDEN].map(|who| self.people[who].clone());
        let hidden = [DOES_NOT_LIST, IS_NOT_LISTED, HIDES, 7, 8].map(|who| self.people[who].clone());
        let ask = Questions {
            people: &self.people,
            relisted: &relisted,
            hidden: &hidden,
            shares: &shares,
            own: "reading",
            turn,
        };
        let answers = look(&self.house, viewer, &ask).await;
        self.house.settle().await;
        answers
    }
}

/// Rounds of each seed, and secrets of each round.
const ROUNDS: usize = 5;
const SECRETS: usize = 16;

async fn two_towns(seed: u64) {
    let mut towns = [Town::new(2 * seed).await, Town::new(2 * seed + 1).await];
    for town in &mut towns {
        town.house.step(0);
        town.found().await;
    }
    for turn in 0..ROUNDS {
        let mut seen = Vec::new();
        for town in &mut towns {
            for secret in 0..SECRETS {
                town.house.step((1_000 + turn * SECRETS + secret) as u64 * 1_000_003);
                town.secret().await;
            }
            town.house.step(10 + 2 * turn as u64);
            let said = town.common(turn).await;
            town.house.step(11 + 2 * turn as u64);
            let mut answers = town.look(turn).await;
            answers.push(("what happened in both".to_owned(), said));
            seen.push(answers);
        }
        let (one, other) = (&seen[0], &seen[1]);
        for (a, b) in one.iter().zip(other) {
            assert_eq!(a, b, "seed {seed}, round {turn}");
        }
        assert_eq!(one.len(), other.len());
    }
    for town in &towns {
        assert!(town.done.get() > 20 && town.shares.get() > 3, "too few secrets came true");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_none_of_a_viewers_business_changes_no_byte_of_their_answers() {
    for seed in 1..=2 {
        two_towns(seed).await;
    }
}
