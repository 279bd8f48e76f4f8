//! Stored nouns as their owner sees them.

use api::feed::{FeedItem, OfferingCard, PriceShown, ProviderCard};
use api::orders::Order;
use domain::key::ContactKey;
use domain::locale::Locale;
use store::exchange::{self, Card};
use store::{Keys, StoreError, View};

/// A feed item, for one viewer in one language.
pub(crate) fn feed_item(
    keys: &Keys,
    viewer: ContactKey,
    locale: Locale,
    item: store::friends::FeedItem,
) -> FeedItem {
    FeedItem {
        share_id: item.share_id(keys, viewer),
        friend: item.number.e164(),
        since: item.since,
        offering: card(&item.card, locale),
        mine: item.mine,
    }
}

fn card(card: &Card, locale: Locale) -> OfferingCard {
    let Card { offering, provider } = card;
    OfferingCard {
        id: offering.id.to_string(),
        name: offering.name.text(locale).to_owned(),
        provider: ProviderCard { name: provider.name.text(locale).to_owned(), kind: provider.kind },
        price: PriceShown::from(offering.price),
        renews: offering.renews,
        terms: offering.terms.text(locale).to_owned(),
        how_to_cancel: offering.how_to_cancel.text(locale).to_owned(),
    }
}

/// An order in one language; an offering without a card is shown by its id.
pub(crate) fn order(
    view: &mut View<'_>,
    order: exchange::Order,
    locale: Locale,
) -> Result<Order, StoreError> {
    let card = view.exchange().find_card(&order.placed.offering)?;
    Ok(order_with(card.as_ref(), order, locale))
}

/// An order whose card is at hand.
pub(crate) fn order_with(card: Option<&Card>, order: exchange::Order, locale: Locale) -> Order {
    let offering = order.placed.offering.to_string();
    Order {
        id: order.placed.id,
        state: order.state,
        reason: order.reason,
        name: card.map_or_else(|| offering.clone(), |card| card.offering.name.text(locale).to_owned()),
        offering,
        action: order.placed.action,
        created_at: order.created,
    }
}
