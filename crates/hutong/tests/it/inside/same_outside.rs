//! Blocking, hiding, leaving and never having joined look the same from outside.

use http::Method;
use serde_json::json;

use super::house::{Inside, Person};
use super::look::{Questions, look};

/// How somebody comes to be no match any more, or never was one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    NeverJoined,
    Hides,
    Leaves,
    UploadsWithout,
    TakesOut,
    DeletesBook,
    TakesConsentBack,
}

const CAUSES: [Cause; 6] = [
    Cause::Hides,
    Cause::Leaves,
    Cause::UploadsWithout,
    Cause::TakesOut,
    Cause::DeletesBook,
    Cause::TakesConsentBack,
];

struct Street {
    house: Inside,
    viewer: Person,
    friend: Person,
    stays: Person,
    own: Vec<String>,
    steps: u64,
    /// Whether the clock stands, so that all that happens falls into one millisecond.
    stands: bool,
    _directory: tempfile::TempDir,
}

impl Street {
    /// A viewer who lists two people; one of them matches, and shares.
    async fn new() -> Self {
        let mut street = Self::founded().await;
        street.stays_joins().await;
        street
    }

    /// A viewer who lists two people.
    async fn founded() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let house = Inside::embedded(directory.path()).await;
        let [viewer, friend, stays] = [1, 2, 3].map(Person::new);
        let mut street = Self {
            house,
            viewer,
            friend,
            stays,
            own: Vec::new(),
            steps: 0,
            stands: false,
            _directory: directory,
        };
        let (viewer, friend, stays) = (street.viewer.clone(), street.friend.clone(), street.stays.clone());
        street.step().register(&viewer).await;
        street.step().subscribe(&viewer, &["reading"]).await;
        street.step().upload(&viewer, &[&friend.number, &stays.number]).await;
        street
    }

    async fn stays_joins(&mut self) {
        let (viewer, stays) = (self.viewer.clone(), self.stays.clone());
        self.step().register(&stays).await;
        self.step().subscribe(&stays, &["crbt"]).await;
        self.step().upload(&stays, &[&viewer.number]).await;
        self.step().share(&stays, "crbt", None).await.unwrap();
    }

    fn step(&mut self) -> &Inside {
        self.steps += 1;
        if self.stands {
            self.house.set_dice(self.steps);
        } else {
            self.house.step(self.steps);
        }
        &self.house
    }

    async fn join(&mut self) {
        let (viewer, friend) = (self.viewer.clone(), self.friend.clone());
        self.step().register(&friend).await;
        self.step().subscribe(&friend, &["data10", "crbt", "stars"]).await;
        self.step().upload(&friend, &[&viewer.number]).await;
        for offering in ["data10", "crbt"] {
            self.step().share(&friend, offering, None).await.unwrap();
        }
    }

    async fn end(&mut self, cause: Cause) {
        let (viewer, friend) = (self.viewer.clone(), self.friend.clone());
        let house = self.step();
        let call = |method, path: String, body: Option<String>| {
            let friend = &friend;
            async move {
                let answer = house.call(friend, method, &path, body.as_deref(), &[]).await;
                assert!(answer.status.is_success(), "{answer:?}");
            }
        };
        match cause {
            Cause::NeverJoined => {}
            Cause::Hides => call(Method::PUT, format!("/v1/hidden/{}", viewer.path()), None).await,
            Cause::Leaves => call(Method::DELETE, "/v1/me".to_owned(), None).await,
            Cause::UploadsWithout => {
                let body = json!({ "numbers": ["+8613700000001"], "confirm_shrink": true }).to_string();
                call(Method::PUT, "/v1/book".to_owned(), Some(body)).await;
            }
            Cause::TakesOut => {
                let body = json!({ "remove": [viewer.number] }).to_string();
                call(Method::PATCH, "/v1/book".to_owned(), Some(body)).await;
            }
            Cause::DeletesBook => call(Method::DELETE, "/v1/book".to_owned(), None).await,
            Cause::TakesConsentBack => call(Method::DELETE, "/v1/consents/upload".to_owned(), None).await,
        }
        self.house.settle().await;
    }

    async fn look(&mut self, turn: usize) -> Vec<(String, String)> {
        let people = [self.friend.clone(), self.stays.clone(), Person::new(9)];
        let mut shares = self.own.clone();
        shares.extend(["s".to_owned(), "nonsense".to_owned()]);
        // The one that stays comes last, so that there is an order to end the stream with.
        shares.extend(self.house.card(&self.viewer, "crbt").await);
        let (gone, viewer) = ([self.friend.clone()], self.viewer.clone());
        let ask = Questions {
            people: &people,
            relisted: &gone,
            hidden: &gone,
            shares: &shares,
            own: "reading",
            turn,
        };
        let answers = look(self.step(), &viewer, &ask).await;
        self.house.settle().await;
        answers
    }
}

fn same(one: &[(String, String)], other: &[(String, String)], which: &str) {
    assert_eq!(one.len(), other.len(), "{which}");
    for (a, b) in one.iter().zip(other) {
        assert_eq!(a, b, "{which}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_a_friend_vanishes_the_answers_are_the_same() {
    let mut first = None;
    for cause in CAUSES {
        let mut street = Street::new().await;
        street.join().await;
        let viewer = street.viewer.clone();
        let card = street.house.card(&viewer, "data10").await.expect("the friend's share");
        street.step().tap(&viewer, &card, "while it was there").await;
        street.house.settle().await;
        street.own.push(card);
        street.end(cause).await;
        let looks = [street.look(1).await, street.look(2).await].concat();
        assert!(
            looks.iter().any(|(_, answer)| answer.contains(r#""state":"queued""#)),
            "orders went through"
        );
        let (known, answers) = first.get_or_insert_with(|| (cause, looks.clone()));
        same(answers, &looks, &format!("{known:?} and {cause:?}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_come_and_gone_unseen_has_never_been_there() {
    let mut never = Street::new().await;
    // As many moments go by.
    for _ in 0..5 {
        never.step();
    }
    never.end(Cause::NeverJoined).await;
    let expected = [never.look(1).await, never.look(2).await].concat();
    assert!(expected.iter().any(|(_, answer)| answer.contains("event: match")), "events were read");
    for cause in CAUSES {
        let mut street = Street::new().await;
        street.join().await;
        street.end(cause).await;
        let looks = [street.look(1).await, street.look(2).await].concat();
        same(&expected, &looks, &format!("never joined and {cause:?}"));
    }
}

/// What the viewer sees when somebody has come and gone, or not, in the millisecond in which the one who stays
/// matches and shares.
async fn within_a_millisecond(cause: Cause) -> Vec<(String, String)> {
    let mut street = Street::founded().await;
    street.step();
    street.stands = true;
    if cause == Cause::NeverJoined {
        for _ in 0..5 {
            street.step();
        }
    } else {
        street.join().await;
    }
    street.end(cause).await;
    street.stays_joins().await;
    street.stands = false;
    [street.look(1).await, street.look(2).await].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_come_and_gone_in_the_millisecond_of_something_seen_moves_none_of_its_numbers() {
    let expected = within_a_millisecond(Cause::NeverJoined).await;
    assert!(expected.iter().any(|(_, answer)| answer.contains("event: share")), "events were read");
    for cause in CAUSES {
        same(&expected, &within_a_millisecond(cause).await, &format!("never joined and {cause:?}"));
    }
}
