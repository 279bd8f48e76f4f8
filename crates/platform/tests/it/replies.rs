//! Replies of every kind.

use domain::order::Reason;
use serde_json::json;

use crate::house::*;

#[tokio::test]
async fn the_same_reply_twice_has_one_effect_and_no_second_text() {
    let house = House::new().await;
    house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert_eq!(house.phones().await.len(), 1);
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert!(house.phones().await.is_empty());
    assert_eq!((house.charges(ANNA).await, house.products(ANNA).await.len()), (1, 1));
}

#[tokio::test]
async fn a_no_declines() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    house.reply(ANNA, &text.suffix, "否").await;
    assert_eq!(house.state(&order).await, ("cancelled".to_owned(), Some(Reason::UserDeclined)));
    assert!(house.phones().await[0].body.contains("您已拒绝"));
}

#[tokio::test]
async fn a_bare_yes_is_asked_for_the_code_once_and_is_no_attempt() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    house.reply(ANNA, &text.suffix, "是").await;
    assert!(house.phones().await[0].body.contains("四位数字"));
    house.reply(ANNA, &text.suffix, "好").await;
    assert!(house.phones().await.is_empty());
    house.reply(ANNA, &text.suffix, &text.code()).await;
    assert_eq!(house.state(&order).await.0, "completed");
}

#[tokio::test]
async fn the_code_decides_between_two_open_orders() {
    let house = House::new().await;
    let crbt = house.order("e1", ANNA, "crbt").await;
    let game = house.order("e2", ANNA, "game").await;
    let texts = house.phones().await;
    let of_game = texts.iter().find(|text| text.body.contains("游戏")).unwrap();
    assert_ne!(texts[0].suffix, texts[1].suffix);
    house.reply(ANNA, "", &of_game.code()).await;
    assert_eq!(house.state(&game).await.0, "completed");
    assert_eq!(house.state(&crbt).await.0, "pending");
}

#[tokio::test]
async fn td_lists_and_td2_ends_the_second() {
    let house = House::new().await;
    house.order("e1", ANNA, "news").await;
    house.clock.advance_s(1);
    house.seed(&json!({"subscriptions": [{"number": ANNA, "offering": "crbt", "since": "2026-03-01T02:00:05Z"}]})).await;
    house.phones().await;
    house.reply(ANNA, "", "TD").await;
    let list = house.phones().await.remove(0).body;
    assert!(list.contains("TD1 手机报") && list.contains("TD2 彩铃包月"), "{list}");
    house.reply(ANNA, "", "td2").await;
    let products = house.products(ANNA).await;
    assert!(products.contains(&("crbt".to_owned(), "terminated".to_owned())), "{products:?}");
    assert!(products.contains(&("news".to_owned(), "active".to_owned())));
    assert!(house.phones().await[0].body.contains("已退订“彩铃包月”"));
    house.reply(ANNA, "", "TD2").await;
    assert!(house.phones().await[0].body.contains("TD1 手机报"));
}

#[tokio::test]
async fn td_to_the_senders_own_address_declines_what_waits_there() {
    let house = House::new().await;
    let order = house.order("e1", ANNA, "crbt").await;
    let text = house.phones().await.remove(0);
    house.reply(ANNA, &text.suffix, "TD").await;
    assert_eq!(house.state(&order).await.1, Some(Reason::UserDeclined));
}

#[tokio::test]
async fn a_stranger_gets_help_and_two_machines_do_not_talk_for_ever() {
    let house = House::new().await;
    house.reply(BEN, "", "hello").await;
    assert!(house.phones().await[0].body.contains("四位确认码"));
    for _ in 0..20 {
        house.reply(BEN, "", "hello").await;
    }
    assert!(house.phones().await.len() < 5);
    let ben = domain::Msisdn::parse_e164(BEN).unwrap();
    let kept = house.platform.store.read(move |view| {
        let mut platform = view.platform();
        let key = platform.key_of(ben);
        platform.find_customer(key)
    });
    assert!(kept.await.unwrap_or_else(|error: store::StoreError| panic!("{error}")).is_none());
}
