//! One story for each row of the mission, M1 to M13: people with terminals, over real sockets.

use api::book::AmendBook;
use api::feed::FeedFilter;
use api::subscriptions::{Audience, SetShare};
use domain::Region;
use domain::consent::Consent;
use domain::order::{Progress, Reason};
use futures::StreamExt;
use terminal::memory::FileMemory;
use terminal::scan::Scan;
use terminal::sync::{Extent, Outcome, sync};

use crate::house::{House, code, digits, elsewhere, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn m1_a_number_is_registered_only_by_the_code_sent_to_it() {
    let mut house = House::start().await;
    let token = {
        let mut person = house.stranger("+8613800138001");
        let id = person.begin().await;
        let right = digits(&person.next_text().await.1, 6);
        let wrong = if right == "000000" { "000001" } else { "000000" };
        assert_eq!(code(person.confirm(id, wrong, vec![]).await), "registration/wrong-code");
        assert_eq!(code(person.client.me().await), "auth/missing");
        person.confirm(id, &right, vec![]).await.unwrap();
        assert_eq!(person.client.me().await.unwrap().number, "+8613800138001");
        assert_eq!(
            code(person.confirm(id, &right, vec![]).await),
            "registration/expired",
            "a code works once"
        );
        person.token()
    };
    house.kill_and_restart().await;
    let mut person = house.stranger("+8613800138001");
    person.client = person.client.clone().with_token(&token);
    assert_eq!(person.client.me().await.unwrap().number, "+8613800138001", "the registration is kept");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m2_a_scanned_book_is_delivered_with_consent_and_later_only_what_changed() {
    let house = House::start().await;
    let mut person = house.stranger("+8613800138001");
    person.register(vec![]).await;
    let body = api::book::ReplaceBook { numbers: vec!["13900139002".to_owned()], confirm_shrink: false };
    let refused = person.client.replace_book(&body, None);
    assert_eq!(code(refused.await), "consent/upload-missing");
    person.client.give_consent(Consent::Upload, &Default::default()).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let memory = FileMemory::at(directory.path().join("terminal.json"));
    let deliver = async |bytes: &[u8]| {
        let mut scan = Scan::default();
        scan.add("a file", bytes, Region::CN);
        sync(&person.client, &memory, &scan.matchable_numbers(), Extent::Whole, false).await.unwrap()
    };
    let whole = include_bytes!("../../../../examples/zhang_wei.vcf");
    let Outcome::Delivered(first) = deliver(whole).await else { panic!("nothing was delivered") };
    assert!(first.added > 5 && first.size == first.added);
    assert!(matches!(deliver(whole).await, Outcome::Unchanged(_)));
    let shorter = include_bytes!("../../../../examples/zhang_wei_without_li.vcf");
    let Outcome::Delivered(second) = deliver(shorter).await else { panic!("nothing was delivered") };
    assert_eq!((second.added, second.removed), (0, 1));
    person.client.take_back_consent(Consent::Upload).await.unwrap();
    assert_eq!(person.client.book().await.unwrap().size, 0, "the book goes with its consent");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m3_two_match_when_each_has_the_other_and_no_longer() {
    let house = House::start().await;
    let (li, zhang) = (house.person("+8613900139002").await, house.person("+8613800138001").await);
    assert!(li.upload(&[zhang.number, "10086"]).await.new_matches.is_empty());
    assert!(zhang.matches().await.is_empty(), "being listed is not enough");
    assert_eq!(zhang.upload(&[li.number]).await.new_matches, [li.number]);
    assert_eq!(
        (li.matches().await, zhang.matches().await),
        (vec![zhang.number.into()], vec![li.number.into()])
    );
    let remove = AmendBook { add: vec![], remove: vec!["138 0013 8001".to_owned()] };
    li.client.amend_book(&remove, None).await.unwrap();
    assert!(li.matches().await.is_empty() && zhang.matches().await.is_empty());
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m4_a_match_comes_about_also_when_both_upload_at_the_same_moment() {
    let house = House::start().await;
    let (li, zhang) = (house.person("+8613900139002").await, house.person("+8613800138001").await);
    for _ in 0..20 {
        let (zhangs, lis) = ([zhang.number], [li.number]);
        let (a, b) = tokio::join!(li.upload(&zhangs), zhang.upload(&lis));
        assert_eq!(
            a.new_matches.len() + b.new_matches.len(),
            1,
            "exactly one of the two completes the match"
        );
        assert_eq!((li.matches().await.len(), zhang.matches().await.len()), (1, 1));
        tokio::join!(li.upload(&[]), zhang.upload(&[]));
        assert_eq!((li.matches().await.len(), zhang.matches().await.len()), (0, 0));
    }
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m5_subscriptions_follow_the_platform_also_when_changed_elsewhere() {
    let house = House::start().await;
    let li = house.person("+8613900139002").await;
    li.service("data10").await;
    let products = house.list("productInventory/v4/product", li.number).await;
    let product = products.iter().find(|p| p["productOffering"]["id"] == "data10").unwrap();
    let order = elsewhere(li.number, "delete", "data10", product["id"].as_str());
    assert_eq!(house.post("/tmf-api/productOrderingManagement/v4/productOrder", order).await.status(), 201);
    eventually("the subscription to go", async || {
        let services = li.client.subscriptions(None).await.unwrap().items;
        services.iter().all(|one| one.offering != "data10").then_some(())
    })
    .await;
    let order = elsewhere(li.number, "add", "data10", None);
    assert_eq!(house.post("/tmf-api/productOrderingManagement/v4/productOrder", order).await.status(), 201);
    li.service("data10").await;
    li.client.take_back_consent(Consent::Subscriptions).await.unwrap();
    assert!(li.client.subscriptions(None).await.unwrap().items.is_empty(), "kept only while allowed");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m6_a_service_is_shared_in_one_step_and_taken_back_at_once() {
    let house = House::start().await;
    let (li, zhang) = house.friends().await;
    assert!(zhang.feed().await.is_empty(), "sharing is off until it is turned on");
    let service = li.share("crbt").await;
    assert_eq!(zhang.feed().await.len(), 1);
    li.client.unshare(service.id).await.unwrap();
    assert!(zhang.feed().await.is_empty());
    let sensitive = li.service("health").await;
    let answer = li.client.share(sensitive.id, &SetShare { audience: Audience::Matches }).await;
    assert_eq!(code(answer), "share/not-shareable");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m7_a_match_sees_exactly_what_is_shared_and_nobody_else_learns_anything() {
    let house = House::start().await;
    let (li, zhang) = house.friends().await;
    let john = house.person("+8613700137003").await;
    john.upload(&[li.number]).await;
    let shared = li.share("crbt").await;
    li.service("data10").await;
    let shown: Vec<String> = zhang.feed().await.into_iter().map(|item| item.offering.id).collect();
    assert_eq!(shown, ["crbt"], "what is not shared is not shown");
    assert!(john.feed().await.is_empty());
    let of_li = code(john.client.friend_shares(li.number, None).await);
    let of_nobody = code(john.client.friend_shares("+8613600136999", None).await);
    assert_eq!((of_li.as_str(), of_nobody.as_str()), ("not-found", "not-found"));
    let only = SetShare { audience: Audience::Only(vec!["13600136005".to_owned()]) };
    let share = li.client.share(shared.id, &only).await.unwrap();
    let told = Audience::Only(vec!["+8613600136005".to_owned()]);
    assert_eq!(share.audience, told, "any reading inwards, E.164 outwards");
    assert!(zhang.feed().await.is_empty(), "a named audience leaves out those not named");
    li.share("crbt").await;
    li.client.hide(zhang.number).await.unwrap();
    assert!(
        zhang.feed().await.is_empty() && zhang.matches().await.is_empty() && li.matches().await.is_empty()
    );
    assert_eq!(code(zhang.client.friend_shares(li.number, None).await), "not-found");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m8_one_tap_is_one_order_whatever_is_repeated() {
    let house = House::start().await;
    let (li, zhang) = house.friends().await;
    li.share("data10").await;
    li.share("crbt").await;
    let first = zhang.tap("data10", "one-tap").await;
    let again = zhang.tap("data10", "one-tap").await;
    assert_eq!(first, again, "the same key is the same order, answered alike");
    let other = zhang.card("crbt").await;
    let differs = zhang.client.place_order(&other.share_id, "one-tap").await;
    assert_eq!(code(differs), "idempotency/body-differs");
    zhang.wait(&first, Progress::Completed).await;
    let card = zhang.card("crbt").await;
    let john = house.person("+8613700137003").await;
    assert_eq!(
        code(john.client.place_order(&card.share_id, "k").await),
        "not-found",
        "a share id is one viewer's"
    );
    assert_eq!(code(john.client.place_order("no share at all", "k").await), "not-found");
    assert_eq!(code(john.client.place_order("\u{0}", "k").await), "not-found");
    assert_eq!(house.active_products(zhang.number, "data10").await, 1);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m9_what_one_already_has_is_refused_and_said_so() {
    let house = House::start().await;
    let (li, mut zhang) = house.friends().await;
    li.share("data10").await;
    let order = zhang.tap("data10", "first").await;
    zhang.wait(&order, Progress::Completed).await;
    zhang.next_text().await;
    let order = zhang.tap("data10", "second").await;
    zhang.ends(&order, Progress::Rejected, Reason::AlreadySubscribed).await;
    assert!(zhang.next_text().await.1.contains("已订购"));
    assert_eq!(house.active_products(zhang.number, "data10").await, 1);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m10_the_operators_own_service_starts_at_once() {
    let house = House::start().await;
    let (li, mut zhang) = house.friends().await;
    li.share("data10").await;
    let order = zhang.tap("data10", "tap").await;
    zhang.wait(&order, Progress::Completed).await;
    assert!(zhang.next_text().await.1.contains("已开通"));
    assert_eq!(house.active_products(zhang.number, "data10").await, 1);
    zhang.service("data10").await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m11_preset_conditions_come_first_and_only_designated_providers_are_taken() {
    let house = House::start().await;
    let (li, mut zhang) = house.friends().await;
    for offering in ["stars", "crbt", "data10"] {
        li.share(offering).await;
    }
    let order = zhang.tap("stars", "not-designated").await;
    zhang.ends(&order, Progress::Rejected, Reason::ProviderNotDesignated).await;
    house
        .seed(r#"{"payers":[{"number":"+8613800138001","barred":false,"monthly_cap":{"amount":"4.00","currency":"CNY"}}]}"#)
        .await;
    let order = zhang.tap("data10", "above-the-cap").await;
    zhang.ends(&order, Progress::Rejected, Reason::PayerCheckFailed).await;
    house
        .seed(r#"{"payers":[{"number":"+8613800138001","barred":false,"monthly_cap":{"amount":"40.00","currency":"CNY"}}]}"#)
        .await;
    let order = zhang.tap("crbt", "designated").await;
    zhang.wait(&order, Progress::AwaitingConfirmation).await;
    assert_eq!(house.active_products(zhang.number, "crbt").await, 0, "nothing before the answer");
    let again = zhang.tap("crbt", "while-one-is-open").await;
    zhang.ends(&again, Progress::Rejected, Reason::OrderOpen).await;
    zhang.client.cancel_order(order.id).await.unwrap();
    zhang.ends(&order, Progress::Cancelled, Reason::UserCancelled).await;
    let _ = zhang.next_text().await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m12_only_the_code_from_that_phone_confirms() {
    let house = House::start().await;
    let (li, mut zhang) = house.friends().await;
    li.share("crbt").await;
    li.share("reading").await;
    let (order, from, right) = zhang.prompted("crbt", "declined").await;
    zhang.reply(&from, "否").await;
    zhang.ends(&order, Progress::Cancelled, Reason::UserDeclined).await;
    zhang.next_text().await;
    let (order, from, other) = zhang.prompted("crbt", "wrong").await;
    li.reply(&from, &other).await;
    let wrong = if other == "1111" { "2222" } else { "1111" };
    zhang.reply(&from, wrong).await;
    zhang.ends(&order, Progress::Cancelled, Reason::ConfirmationMismatch).await;
    zhang.next_text().await;
    assert_eq!(house.active_products(zhang.number, "crbt").await, 0, "no charge without the code: {right:?}");
    let (order, from, code) = zhang.prompted("crbt", "right").await;
    zhang.reply(&from, &code).await;
    zhang.reply(&from, &code).await;
    zhang.wait(&order, Progress::Completed).await;
    assert!(zhang.next_text().await.1.contains("已开通"));
    assert_eq!(house.active_products(zhang.number, "crbt").await, 1);
    assert_eq!(house.active_products(li.number, "crbt").await, 1, "nobody else's changed");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn m13_the_result_comes_back_to_the_terminal_that_ordered() {
    let house = House::start().await;
    let (li, zhang) = house.friends().await;
    li.share("data10").await;
    let mut events = zhang.client.events(Some("0")).await.unwrap();
    let order = zhang.tap("data10", "tap").await;
    let waited = zhang.wait(&order, Progress::Completed).await;
    assert_eq!(zhang.client.orders(None).await.unwrap().items, [waited]);
    let mut states = Vec::new();
    while states.last() != Some(&Progress::Completed) {
        let event = tokio::time::timeout(std::time::Duration::from_secs(30), events.next());
        let event = event.await.unwrap().unwrap().unwrap();
        if let api::events::Happening::Order(seen) = event.happening {
            states.push(seen.state);
        }
    }
    assert_eq!(states.first(), Some(&Progress::Queued));
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9_and_an_order_under_way_ends_once() {
    let mut house = House::start().await;
    let (tokens, order) = {
        let (li, zhang) = house.friends().await;
        li.share("data10").await;
        li.share("crbt").await;
        let order = zhang.tap("data10", "just-before-the-kill").await;
        ((li.token(), zhang.token()), order)
    };
    house.kill_and_restart().await;
    let again = |number, token: &str| {
        let mut person = house.stranger(number);
        person.client = person.client.clone().with_token(token);
        person
    };
    let (li, zhang) = (again("+8613900139002", &tokens.0), again("+8613800138001", &tokens.1));
    assert_eq!((li.matches().await.len(), zhang.matches().await.len()), (1, 1));
    assert_eq!(zhang.feed().await.len(), 2);
    zhang.wait(&order, Progress::Completed).await;
    assert_eq!(house.active_products(zhang.number, "data10").await, 1);
    let filter = FeedFilter { friend: Some(li.number.to_owned()), offering: Some("data10".to_owned()) };
    let card = zhang.client.feed(&filter, None).await.unwrap().items.remove(0);
    assert!(card.mine);
    let repeated = zhang.client.place_order(&card.share_id, "just-before-the-kill").await.unwrap();
    assert_eq!(repeated.id, order.id, "the first answer outlives the process");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_funnel_is_in_the_export_of_who_took_it() {
    let house = House::start().await;
    let (li, mut zhang) = house.friends().await;
    li.share("crbt").await;
    zhang.client.friend_shares(li.number, None).await.unwrap();
    let (order, from, code) = zhang.prompted("crbt", "tap").await;
    zhang.reply(&from, &code).await;
    zhang.wait(&order, Progress::Completed).await;
    let steps = |export: api::account::Export| -> Vec<String> {
        export.activity.into_iter().map(|one| one.step).collect()
    };
    assert!(steps(li.client.export().await.unwrap()).contains(&"shared".to_owned()));
    let taken = steps(zhang.client.export().await.unwrap());
    for step in ["opened", "tapped", "forwarded", "prompted", "replied", "active"] {
        assert!(taken.contains(&step.to_owned()), "{step} in {taken:?}");
    }
    zhang.client.forget_me().await.unwrap();
    assert!(li.matches().await.is_empty());
    assert_eq!(crate::house::code(zhang.client.me().await), "auth/invalid");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_changed_since_the_card_was_shown_orders_nothing() {
    let house = House::start().await;
    let (li, zhang) = house.friends().await;
    li.share("data10").await;
    let old = zhang.card("data10").await;
    let catalogue = include_str!("../../../../examples/catalogue.json");
    house.seed(&catalogue.replace("\"10.00\"", "\"99.00\"")).await;
    eventually("the new price on the card", async || {
        (zhang.card("data10").await.offering.price.amount == "99.00").then_some(())
    })
    .await;
    let order = zhang.client.place_order(&old.share_id, "old-card").await.unwrap();
    zhang.ends(&order, Progress::Rejected, Reason::OfferingChanged).await;
    assert_eq!(house.active_products(zhang.number, "data10").await, 0);
    let order = zhang.tap("data10", "new-card").await;
    zhang.wait(&order, Progress::Completed).await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_an_order_that_has_ended_ends_no_other() {
    let house = House::start().await;
    let (li, mut zhang) = house.friends().await;
    li.share("crbt").await;
    li.share("reading").await;
    let (first, from, code) = zhang.prompted("crbt", "first").await;
    let (second, other, right) = zhang.prompted("reading", "second").await;
    zhang.reply(&from, &code).await;
    zhang.wait(&first, Progress::Completed).await;
    zhang.next_text().await;
    for text in [format!("{code} ."), "N".to_owned(), "1111".to_owned()] {
        zhang.reply(&from, &text).await;
    }
    zhang.next_text().await;
    assert_eq!(zhang.client.order(second.id, 0).await.unwrap().state, Progress::AwaitingConfirmation);
    zhang.reply(&other, &right).await;
    zhang.wait(&second, Progress::Completed).await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_signs_out_hears_nothing_more() {
    let house = House::start().await;
    let (li, zhang) = house.friends().await;
    let mut stream = zhang.client.events(None).await.unwrap();
    zhang.client.sign_out().await.unwrap();
    li.share("crbt").await;
    let next = tokio::time::timeout(std::time::Duration::from_secs(30), stream.next()).await.unwrap();
    assert!(!matches!(next, Some(Ok(_))), "the stream ends");
    house.end().await;
}
