//! Hears what the platform's hub tells. Every event may come twice, late, or about strangers.

use api::Code;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use domain::consent::Consent;
use domain::ids::OrderId;
use domain::order::OrderState;
use edge::{Path, Problem};
use jiff::Timestamp;
use serde_json::json;
use store::failpoints::{self, Point};
use store::jobs::JobKind;
use store::{StoreError, Tx};
use tmf::{Event, Product, ProductOrder};

use crate::problem::Refused;
use crate::sync::{ask_for_cards, read_card, read_product};
use crate::{Exchange, forward};

/// The path under which the hub calls; its end cannot be guessed, because it comes from the keys.
pub fn callback_path(exchange: &Exchange) -> String {
    format!("/hub/{}", secret(exchange))
}

fn secret(exchange: &Exchange) -> String {
    let secret = exchange.store.keys().hash("hub callback", &[]);
    secret.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The listener's routes, for the hub alone. The secret is no part of the pattern, which metrics show.
pub fn routes(exchange: Exchange) -> Router {
    Router::new().route("/hub/{secret}/listener/{event_type}", post(listen)).with_state(exchange)
}

/// Takes one event; it is acknowledged once it is durable.
async fn listen(
    State(exchange): State<Exchange>,
    Path((shown, _)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    // 128 bits from a keyed hash: comparing them byte by byte tells nobody enough to guess the rest.
    if shown != secret(&exchange) {
        return Err(Problem::not_found());
    }
    // Lenient on purpose: members that we do not know are the platform's business.
    let event = serde_json::from_slice::<Event>(&body).ok().filter(|_| !edge::holds_zero(&body));
    let unreadable = || Problem::new(Code::RequestMalformed, "The event cannot be read; correct it.");
    let event = event.ok_or_else(unreadable)?;
    let at = event.event_time;
    if let Some(order) = &event.event.product_order {
        exchange.hear_order(order, at).await?;
    }
    if let Some(product) = &event.event.product {
        exchange.hear_product(product, at).await?;
    }
    if let Some(card) = event.event.product_offering.as_ref().and_then(read_card) {
        let write = exchange.store.write::<_, Refused, _>(move |tx| Ok(tx.exchange().put_card(&card)?));
        write.await.map_err(Problem::from)?;
    }
    failpoints::pass(Point::EventHeard).await.map_err(|error| Problem::from(Refused::from(error)))?;
    Ok(StatusCode::NO_CONTENT)
}

impl Exchange {
    async fn hear_order(&self, order: &ProductOrder, at: Timestamp) -> Result<(), Problem> {
        // An order that came another way has no external id of ours, and is none of ours.
        let id = order.external_id.as_deref().and_then(|id| id.parse::<OrderId>().ok());
        let (Some(id), Some(news)) = (id, forward::read_news(order, at)) else { return Ok(()) };
        // Taken is no news once more is known.
        let first = order.order_state() == Ok(OrderState::Acknowledged);
        let write = move |tx: &mut Tx<'_>| -> Result<(), Refused> {
            let known = tx.exchange().find_any_order(id)?;
            if first && known.is_none_or(|order| order.platform_order.is_some()) {
                return Ok(());
            }
            Ok(forward::apply(tx, id, &news)?)
        };
        self.store.write(write).await.map_err(Problem::from)
    }

    async fn hear_product(&self, product: &Product, at: Timestamp) -> Result<(), Problem> {
        let (Ok(customer), Some(news)) = (product.customer(), read_product(product)) else { return Ok(()) };
        let (key, now) = (self.store.keys().contact_key(customer), self.world.now());
        let write = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            // Nothing is kept of people who are not registered here or do not allow it.
            let Some(proof) = tx.contacts().find_proof(key)? else { return Ok(()) };
            if tx.contacts().has_consent(key, Consent::Subscriptions)? {
                if at <= proof.since {
                    // It may be about who had the number before: the platform's list says whose it is.
                    let (topic, about) = (key.value().to_string(), json!({ "key": key.value() }));
                    return tx.jobs().enqueue_topic(JobKind::SyncSubscriptions, &topic, &about, now);
                }
                tx.exchange().put_subscription(key, &news)?;
                // A list being read just now may be older than this: it is read once more.
                tx.jobs().rerun_topic(JobKind::SyncSubscriptions, &key.value().to_string())?;
                ask_for_cards(tx, std::slice::from_ref(&news), now)?;
            }
            Ok(())
        };
        self.store.write(write).await.map_err(|error| Problem::from(Refused::from(error)))
    }
}
