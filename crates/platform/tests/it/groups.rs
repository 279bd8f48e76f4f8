//! Short-number groups: who orders a friend's membership joins the friend's group.

use domain::group::ShortNumber;
use domain::order::Reason;
use platform::seed::SeedError;
use serde_json::{Value, json};
use store::StoreError;
use store::audit::Actor;

use crate::house::*;

const CLARA: &str = "+8613800138003";
const DAVE: &str = "+8613800138004";

fn groups() -> Value {
    let offering = |id: &str, provider: &str, chinese: &str, members: i64| {
        json!({"id": id, "provider": provider, "name": {"zh-CN": chinese, "en": id},
            "price": {"amount": "5.00", "currency": "CNY", "period": "month"},
            "group": {"digits": 3, "members_max": members}})
    };
    json!({"offerings": [
        offering("family", "op", "亲情网", 3), offering("office", "op", "集团网", 50), offering("village", "xx", "乡村网", 2)]})
}

/// A short number, and what orders name.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    short: String,
    reference: String,
}

impl House {
    async fn with_groups() -> Self {
        let house = Self::new().await;
        house.seed(&groups()).await;
        house
    }

    /// Orders an offering from a friend's share.
    async fn order_from(&self, external_id: &str, number: &str, offering: &str, reference: &str) -> Value {
        let mut body = add(external_id, number, offering);
        body["note"] = json!([{"id": "referral", "text": reference}]);
        let (status, _, order) = self.post(ORDERS, &body).await;
        assert_eq!(status.as_u16(), 201, "{order}");
        order
    }

    /// Everything that somebody has, as the inventory shows it.
    async fn inventory(&self, number: &str) -> Vec<Value> {
        let path = format!("{PRODUCTS}?relatedParty.id={}", number.replace('+', "%2B"));
        self.get(&path).await.2.as_array().unwrap().clone()
    }

    /// Somebody's place in a group; `None` when they are in none.
    async fn place(&self, number: &str) -> Option<Place> {
        let characteristic = |product: &Value, name: &str| {
            let all = product["productCharacteristic"].as_array().unwrap();
            all.iter().find(|one| one["name"] == name).map(|one| one["value"].as_str().unwrap().to_owned())
        };
        let products = self.inventory(number).await;
        let mut places = products.iter().filter_map(|product| {
            let short = characteristic(product, "shortNumber")?;
            Some(Place { short, reference: characteristic(product, "referralReference")? })
        });
        let place = places.next();
        assert!(places.next().is_none(), "one group a person");
        place
    }

    async fn group_rules_hold(&self) {
        let broken = self.platform.store.read::<_, StoreError, _>(|view| view.broken_rules()).await.unwrap();
        assert_eq!(broken, []);
    }

    async fn leaves(&self, external_id: &str, number: &str, offering: &str) {
        let products = self.inventory(number).await;
        let mut live = products.iter().filter(|product| product["status"] == "active");
        let product = live.find(|product| product["productOffering"]["id"] == offering).unwrap();
        let order = self.unsubscribe(external_id, number, &product["id"]).await;
        assert_eq!(order["state"], "completed");
    }
}

#[tokio::test]
async fn ordering_a_friends_membership_joins_the_friends_group_under_a_number_of_ones_own() {
    let house = House::with_groups().await;
    assert_eq!(house.order("e1", ANNA, "family").await["state"], "completed", "a group begins");
    let anna = house.place(ANNA).await.unwrap();
    let order = house.order_from("e2", BEN, "family", &anna.reference).await;
    assert_eq!(order["state"], "completed");
    let ben = house.place(BEN).await.unwrap();
    assert!(ben.short != anna.short && ben.reference != anna.reference);
    for short in [&anna.short, &ben.short] {
        assert!(ShortNumber::parse(short).is_some_and(|short| short.as_str().len() == 3), "{short}");
    }
    assert!(!order.to_string().contains("13800138001"), "nothing names the friend");
    let texts = house.phones().await;
    let to_ben = texts.iter().find(|text| text.to == BEN).unwrap();
    assert!(
        to_ben.body.contains(&format!("短号：{}", ben.short)) && to_ben.body.contains("QX"),
        "{to_ben:?}"
    );
    // The reference of either leads into the same group, which then is full.
    assert_eq!(house.order_from("e3", CLARA, "family", &ben.reference).await["state"], "completed");
    let full = house.order_from("e4", DAVE, "family", &anna.reference).await;
    assert_eq!(state_of(&full), ("rejected".to_owned(), Some(Reason::GroupFull)));
    assert_eq!((house.place(DAVE).await, house.charges(DAVE).await), (None, 0));
    house.group_rules_hold().await;
}

#[tokio::test]
async fn who_is_in_a_group_is_refused_by_another_and_told_so_by_their_own() {
    let house = House::with_groups().await;
    house.order("e1", ANNA, "family").await;
    house.order("e2", BEN, "family").await;
    house.order("e3", CLARA, "office").await;
    let (anna, ben) = (house.place(ANNA).await.unwrap(), house.place(BEN).await.unwrap());
    let clara = house.place(CLARA).await.unwrap();
    let reason = async |id, number, offering, reference: &str| {
        state_of(&house.order_from(id, number, offering, reference).await)
    };
    let another = ("rejected".to_owned(), Some(Reason::InAnotherGroup));
    assert_eq!(reason("e4", ANNA, "family", &ben.reference).await, another);
    assert_eq!(reason("e5", ANNA, "office", &clara.reference).await, another);
    assert_eq!(state_of(&house.order("e6", ANNA, "office").await), another, "no new one beside it either");
    let own = reason("e7", ANNA, "family", &anna.reference).await;
    assert_eq!(own, ("rejected".to_owned(), Some(Reason::AlreadySubscribed)));
    // A reference leads into groups of its own offering alone.
    let strange = reason("e8", DAVE, "office", &anna.reference).await;
    assert_eq!(strange, ("rejected".to_owned(), Some(Reason::FriendLeftGroup)));
    assert_eq!(house.place(ANNA).await.unwrap(), anna, "kept through all of it");
    house.group_rules_hold().await;
}

#[tokio::test]
async fn leaving_frees_number_and_reference_and_another_group_can_be_joined() {
    let house = House::with_groups().await;
    house.order("e1", ANNA, "family").await;
    let anna = house.place(ANNA).await.unwrap();
    house.order_from("e2", BEN, "family", &anna.reference).await;
    let ben = house.place(BEN).await.unwrap();
    house.leaves("e3", ANNA, "family").await;
    assert_eq!(house.place(ANNA).await, None);
    let gone = house.order_from("e4", CLARA, "family", &anna.reference).await;
    assert_eq!(state_of(&gone), ("rejected".to_owned(), Some(Reason::FriendLeftGroup)));
    // The group goes on without whoever began it.
    assert_eq!(house.order_from("e5", CLARA, "family", &ben.reference).await["state"], "completed");
    house.clock.advance_s(1);
    assert_eq!(house.order("e6", ANNA, "office").await["state"], "completed");
    // The way back leaves as well.
    house.phones().await;
    house.reply(ANNA, "", "QX").await;
    assert_eq!(house.place(ANNA).await, None);
    house.group_rules_hold().await;
}

#[tokio::test]
async fn a_providers_group_is_joined_at_the_right_answer_if_it_still_can_be() {
    let house = House::with_groups().await;
    let seed = json!({"subscriptions": [
        {"number": ANNA, "offering": "village", "since": "2026-01-01T00:00:00Z", "group": "li", "short_number": "600"}]});
    house.seed(&seed).await;
    let anna = house.place(ANNA).await.unwrap();
    assert_eq!(anna.short, "600");
    let order = house.order_from("e1", BEN, "village", &anna.reference).await;
    let other = house.order_from("e2", CLARA, "village", &anna.reference).await;
    assert_eq!((&order["state"], &other["state"]), (&json!("pending"), &json!("pending")));
    let prompts = house.phones().await;
    let answer = async |number: &str| {
        let prompt = prompts.iter().find(|text| text.to == number).unwrap();
        house.reply(number, &prompt.suffix, &prompt.code()).await;
    };
    answer(CLARA).await;
    assert_eq!(house.state(&other).await.0, "completed");
    answer(BEN).await;
    assert_eq!(house.state(&order).await, ("cancelled".to_owned(), Some(Reason::GroupFull)));
    assert_eq!((house.place(BEN).await, house.charges(BEN).await), (None, 0));
    let texts = house.phones().await;
    let told = |number: &str| texts.iter().find(|text| text.to == number).unwrap().body.clone();
    assert!(told(BEN).contains("短号群已满") && told(CLARA).contains("短号："), "{texts:?}");
    assert!(!told(CLARA).contains("QX"));
    house.group_rules_hold().await;
}

#[tokio::test]
async fn seeded_groups_are_there_once_and_faults_of_theirs_are_named() {
    let house = House::with_groups().await;
    let member = |number: &str, short: &str| {
        json!({"number": number, "offering": "family", "since": "2026-01-01T00:00:00Z", "group": "li",
            "short_number": short})
    };
    // Two have the same number, and one a number that these groups do not have.
    let seed = json!({"subscriptions": [
        member(ANNA, "601"), member(BEN, "602"), member(CLARA, "602"), member(DAVE, "6021")]});
    assert_eq!(house.seed(&seed).await.subscriptions, 2);
    assert_eq!(house.seed(&seed).await.subscriptions, 0);
    let anna = house.place(ANNA).await.unwrap();
    assert_eq!((anna.short.as_str(), house.place(CLARA).await), ("601", None));
    assert_eq!(house.order_from("e1", CLARA, "family", &anna.reference).await["state"], "completed");
    house.group_rules_hold().await;

    let mut bad = groups();
    bad["offerings"][0]["group"] = json!({"digits": 3, "members_max": 51});
    bad["offerings"][1]["group"] = json!({"digits": "four"});
    bad["subscriptions"] = json!([
        {"number": ANNA, "offering": "family", "since": "2026-01-01T00:00:00Z", "short_number": "601"},
        {"number": ANNA, "offering": "family", "since": "2026-01-01T00:00:00Z", "group": "a b", "short_number": "110"}]);
    let bad = bad.to_string();
    let seeded = platform::seed::seed(&house.platform, bad.as_bytes(), Actor::Local).await;
    let Err(SeedError::Faults(faults)) = seeded else { panic!("no faults") };
    let mut places: Vec<_> = faults.iter().map(|fault| fault.place.as_str()).collect();
    places.sort_unstable();
    assert_eq!(
        places,
        [
            "offerings[0].group",
            "offerings[1].group",
            "subscriptions[0].short_number",
            "subscriptions[1].group",
            "subscriptions[1].short_number",
        ]
    );
}
