//! Telling the listeners: an event row and a delivery job for each, in the same commit.

use domain::catalogue::{Offering, Provider};
use domain::ids::{HubEventId, HubId};
use serde::{Deserialize, Serialize};
use store::jobs::JobKind;
use store::platform::{OrderRow, ProductRow};
use store::{Kind, StoreError};
use tmf::{CommunicationMessage, Event, EventBody, EventType, ProductOffering};

use super::Desk;
use crate::refusal::Refusal;
use crate::wire;

/// Which listener a delivery is for.
#[derive(Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) listener: HubId,
}

impl Desk<'_, '_> {
    pub(crate) fn tell_order(&mut self, kind: EventType, order: &OrderRow) -> Result<(), Refusal> {
        let body = EventBody { product_order: Some(wire::order(order)), ..EventBody::default() };
        self.tell(kind, body)
    }

    pub(crate) fn tell_product(&mut self, kind: EventType, product: &ProductRow) -> Result<(), Refusal> {
        let product = wire::product(&mut self.tx.platform(), product)?;
        self.tell(kind, EventBody { product: Some(product), ..EventBody::default() })
    }

    pub(crate) fn tell_offering(
        &mut self,
        kind: EventType,
        offering: &Offering,
        provider: &Provider,
    ) -> Result<(), Refusal> {
        let offering = ProductOffering::from_domain(offering, provider);
        self.tell(kind, EventBody { product_offering: Some(offering), ..EventBody::default() })
    }

    pub(crate) fn tell_message(
        &mut self,
        kind: EventType,
        message: CommunicationMessage,
    ) -> Result<(), Refusal> {
        self.tell(kind, EventBody { communication_message: Some(message), ..EventBody::default() })
    }

    fn tell(&mut self, kind: EventType, body: EventBody) -> Result<(), Refusal> {
        let mut listeners = self.tx.platform().list_listeners(kind.interface())?;
        listeners.retain(|listener| wants(&listener.query, kind));
        if listeners.is_empty() {
            return Ok(());
        }
        let id = HubEventId(self.world.uuid());
        let event = Event {
            event_id: id.to_string(),
            event_time: self.world.now(),
            event_type: kind.word().to_owned(),
            event: body,
        };
        let body = serde_json::to_vec(&event).map_err(|error| StoreError::new(Kind::Internal, error))?;
        for listener in listeners {
            self.tx.platform().append_hub_event(listener.id, id, kind.word(), &body)?;
            let delivery = Delivery { listener: listener.id };
            let (topic, now) = (listener.id.to_string(), self.world.now());
            self.tx.jobs().enqueue_topic(JobKind::DeliverHubEvents, &topic, &delivery, now)?;
        }
        Ok(())
    }
}

/// Whether a listener's query asks for a kind of event; one that names no kind asks for all.
fn wants(query: &str, kind: EventType) -> bool {
    let mut named =
        query.split('&').filter_map(|pair| pair.strip_prefix("eventType=")).flat_map(|v| v.split(','));
    let first = named.next();
    first.is_none_or(|first| {
        std::iter::once(first).chain(named).any(|word| EventType::parse(word) == Some(kind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_gets_the_kinds_it_asked_for_or_all() {
        let query = "eventType=ProductOrderCreateEvent,ProductOrderStateChangeEvent";
        assert!(wants("", EventType::ProductOrderCreate));
        assert!(wants("state=completed", EventType::ProductOrderCreate));
        assert!(wants(query, EventType::ProductOrderStateChange));
        assert!(!wants(query, EventType::ProductOrderInformationRequired));
    }
}
