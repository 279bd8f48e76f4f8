//! Laws of shares: who sees them, and what may never be one.

use std::collections::BTreeSet;

use domain::catalogue::{Offering, OfferingId, Provider, ProviderId, ProviderKind};
use domain::consent::Audience;
use domain::ids::{SessionId, SubscriberId, SubscriptionId};
use domain::key::ContactKey;
use domain::locale::{Locale, Localised};
use domain::money::{Money, Period, Price};
use domain::order::ProductState;
use store::contacts::NewSession;
use store::exchange::{Card, ProductNews};
use store::friends::FeedFilter;
use store::{StoreError, Tx};

use crate::backends::{Bench, laws, number};

laws! {
    a_service_that_becomes_sensitive_leaves_every_feed_at_once_and_stays_away
    what_orders_from_a_share_name_follows_the_platforms_word
    old_news_of_a_card_takes_no_share_away
    named_people_see_a_share_while_they_match_and_again_when_they_match_again
    nothing_is_left_to_see_when_the_subscriptions_are_forgotten
}

async fn write<T: Send + 'static>(
    bench: &Bench,
    verb: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    bench.store.write::<_, StoreError, _>(verb).await.unwrap()
}

fn key(bench: &Bench, n: u64) -> ContactKey {
    bench.store.keys().contact_key(number(n))
}

pub(crate) fn card(sensitive: bool, version: i64) -> Card {
    card_of("crbt", sensitive, version)
}

pub(crate) fn card_of(offering: &str, sensitive: bool, version: i64) -> Card {
    let id = OfferingId::parse(offering).unwrap();
    let provider = ProviderId::parse("xx").unwrap();
    let price = Price { money: Money::parse("5.00", "CNY").unwrap(), period: Period::Month };
    Card {
        offering: Offering {
            id,
            provider: provider.clone(),
            name: Localised::default(),
            price,
            renews: true,
            sensitive,
            active: true,
            terms: Localised::default(),
            how_to_cancel: Localised::default(),
            conflicts_with: Vec::new(),
            version,
        },
        provider: Provider {
            id: provider,
            name: Localised::default(),
            kind: ProviderKind::Own,
            from: None,
            until: None,
        },
    }
}

async fn put(bench: &Bench, card: Card) {
    write(bench, move |tx| tx.exchange().put_card(&card)).await;
}

async fn upload(bench: &Bench, n: u64, book: &[u64]) {
    let owner = key(bench, n);
    let book: BTreeSet<ContactKey> = book.iter().map(|n| key(bench, *n)).collect();
    write(bench, move |tx| tx.contacts().replace_book(owner, &book)).await;
}

/// The first of three people, who all match the first, has a service.
pub(crate) async fn three(bench: &Bench) -> SubscriptionId {
    for n in 1..=3 {
        let (subscriber, id) = (SubscriberId(bench.world.uuid()), SessionId(bench.world.uuid()));
        let session = NewSession { id, token: format!("token-{n}"), device: None };
        write(bench, move |tx| tx.contacts().sign_in(number(n), Locale::English, subscriber, &session)).await;
    }
    upload(bench, 1, &[2, 3]).await;
    upload(bench, 2, &[1]).await;
    upload(bench, 3, &[1]).await;
    put(bench, card(false, 1)).await;
    let (owner, since) = (key(bench, 1), bench.world.now());
    write(bench, move |tx| {
        let offering = OfferingId::parse("crbt").unwrap();
        let news = ProductNews {
            product: "p1".to_owned(),
            offering,
            state: ProductState::Active,
            since,
            referral: Some("r1".to_owned()),
        };
        tx.exchange().put_subscription(owner, &news)?;
        Ok(tx.exchange().list_subscriptions(owner)?[0].id)
    })
    .await
}

pub(crate) async fn share(bench: &Bench, subscription: SubscriptionId, audience: Audience) {
    let owner = key(bench, 1);
    write(bench, move |tx| tx.exchange().share(owner, subscription, &audience)).await;
}

/// How many shares the second and the third see.
pub(crate) async fn seen(bench: &Bench) -> [usize; 2] {
    let viewers = [key(bench, 2), key(bench, 3)];
    write(bench, move |tx| {
        let mut count = |viewer| Ok(tx.friends().list_feed(viewer, &FeedFilter::default(), 9)?.len());
        Ok([count(viewers[0])?, count(viewers[1])?])
    })
    .await
}

async fn what_orders_from_a_share_name_follows_the_platforms_word(bench: Bench) {
    let subscription = three(&bench).await;
    let (owner, since) = (key(&bench, 1), bench.world.now());
    write(&bench, move |tx| {
        let (share, _) = tx.exchange().share(owner, subscription, &Audience::Matches)?;
        assert_eq!(tx.exchange().find_referral(share)?.as_deref(), Some("r1"));
        assert_eq!(tx.exchange().find_referral(share.wrapping_add(1))?, None);
        let news = ProductNews {
            product: "p1".to_owned(),
            offering: OfferingId::parse("crbt").unwrap(),
            state: ProductState::Active,
            since,
            referral: None,
        };
        tx.exchange().put_subscription(owner, &news)?;
        assert_eq!(tx.exchange().find_referral(share)?, None);
        Ok(())
    })
    .await;
}

async fn a_service_that_becomes_sensitive_leaves_every_feed_at_once_and_stays_away(bench: Bench) {
    let subscription = three(&bench).await;
    share(&bench, subscription, Audience::Only(vec![key(&bench, 2)])).await;
    assert_eq!(seen(&bench).await, [1, 0]);
    put(&bench, card(true, 2)).await;
    assert_eq!(seen(&bench).await, [0, 0]);
    let owner = key(&bench, 1);
    let held = write(&bench, move |tx| tx.exchange().list_subscriptions(owner)).await;
    assert!(!held[0].shared && !held[0].is_shareable());
    put(&bench, card(false, 3)).await;
    assert_eq!(seen(&bench).await, [0, 0], "nobody has said yes to that again");
    share(&bench, subscription, Audience::Matches).await;
    assert_eq!(seen(&bench).await, [1, 1]);
}

async fn old_news_of_a_card_takes_no_share_away(bench: Bench) {
    let subscription = three(&bench).await;
    put(&bench, card(false, 5)).await;
    share(&bench, subscription, Audience::Matches).await;
    put(&bench, card(true, 4)).await;
    assert_eq!(seen(&bench).await, [1, 1]);
}

async fn named_people_see_a_share_while_they_match_and_again_when_they_match_again(bench: Bench) {
    let subscription = three(&bench).await;
    // A stranger is named like anybody.
    share(&bench, subscription, Audience::Only(vec![key(&bench, 2), key(&bench, 9)])).await;
    assert_eq!(seen(&bench).await, [1, 0]);
    upload(&bench, 2, &[]).await;
    assert_eq!(seen(&bench).await, [0, 0]);
    upload(&bench, 2, &[1]).await;
    assert_eq!(seen(&bench).await, [1, 0]);
    let (owner, viewer) = (key(&bench, 1), key(&bench, 2));
    write(&bench, move |tx| tx.contacts().hide(viewer, owner)).await;
    assert_eq!(seen(&bench).await, [0, 0]);
    share(&bench, subscription, Audience::Only(vec![key(&bench, 3)])).await;
    assert_eq!(seen(&bench).await, [0, 1], "the newest audience alone counts");
}

async fn nothing_is_left_to_see_when_the_subscriptions_are_forgotten(bench: Bench) {
    let subscription = three(&bench).await;
    share(&bench, subscription, Audience::Matches).await;
    let owner = key(&bench, 1);
    write(&bench, move |tx| tx.exchange().forget_subscriptions(owner)).await;
    assert_eq!(seen(&bench).await, [0, 0]);
    assert!(write(&bench, move |tx| tx.exchange().list_subscriptions(owner)).await.is_empty());
    assert_eq!(write(&bench, move |tx| tx.exchange().find_share(subscription)).await, None);
}
