//! What a listener is told. Source: TMF630 part 4; the event types of TMF620, 622, 637 and 681.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::communication::CommunicationMessage;
use crate::offering::ProductOffering;
use crate::order::ProductOrder;
use crate::product::Product;

/// One event in its envelope, posted to `<callback>/listener/<eventType>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The same however often the event is delivered.
    pub event_id: String,
    /// When it happened, UTC.
    pub event_time: Timestamp,
    /// The kind; [`EventType::parse`] reads it.
    pub event_type: String,
    /// The resource after the change.
    #[serde(default)]
    pub event: EventBody,
}

/// The resource of an event, under its own name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct EventBody {
    /// An order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_order: Option<ProductOrder>,
    /// A product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// An offering.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_offering: Option<ProductOffering>,
    /// A message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub communication_message: Option<CommunicationMessage>,
}

/// The kinds of events that are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventType {
    /// An order was taken.
    ProductOrderCreate,
    /// An order changed its state.
    ProductOrderStateChange,
    /// An order waits for the customer.
    ProductOrderInformationRequired,
    /// What is written beside an order was changed.
    ProductOrderAttributeValueChange,
    /// An order is shown no more.
    ProductOrderDelete,
    /// A product came to be.
    ProductCreate,
    /// A product changed its state.
    ProductStateChange,
    /// A product is shown no more.
    ProductDelete,
    /// An offering came to be.
    ProductOfferingCreate,
    /// An offering changed.
    ProductOfferingAttributeValueChange,
    /// A message was taken to be sent.
    CommunicationMessageCreate,
    /// A message has come further, or failed.
    CommunicationMessageStateChange,
}

impl EventType {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::ProductOrderCreate,
        Self::ProductOrderStateChange,
        Self::ProductOrderInformationRequired,
        Self::ProductOrderAttributeValueChange,
        Self::ProductOrderDelete,
        Self::ProductCreate,
        Self::ProductStateChange,
        Self::ProductDelete,
        Self::ProductOfferingCreate,
        Self::ProductOfferingAttributeValueChange,
        Self::CommunicationMessageCreate,
        Self::CommunicationMessageStateChange,
    ];

    /// The word in the envelope and at the end of the listener's path.
    pub fn word(self) -> &'static str {
        match self {
            Self::ProductOrderCreate => "ProductOrderCreateEvent",
            Self::ProductOrderStateChange => "ProductOrderStateChangeEvent",
            Self::ProductOrderInformationRequired => "ProductOrderInformationRequiredEvent",
            Self::ProductOrderAttributeValueChange => "ProductOrderAttributeValueChangeEvent",
            Self::ProductOrderDelete => "ProductOrderDeleteEvent",
            Self::ProductCreate => "ProductCreateEvent",
            Self::ProductStateChange => "ProductStateChangeEvent",
            Self::ProductDelete => "ProductDeleteEvent",
            Self::ProductOfferingCreate => "ProductOfferingCreateEvent",
            Self::ProductOfferingAttributeValueChange => "ProductOfferingAttributeValueChangeEvent",
            Self::CommunicationMessageCreate => "CommunicationMessageCreateEvent",
            Self::CommunicationMessageStateChange => "CommunicationMessageStateChangeEvent",
        }
    }

    /// Reads the word; the documents write it with a small first letter in the listener's path.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word().eq_ignore_ascii_case(word))
    }

    /// The interface whose hub tells it: its base path.
    pub fn interface(self) -> &'static str {
        match self {
            Self::ProductOrderCreate
            | Self::ProductOrderStateChange
            | Self::ProductOrderInformationRequired
            | Self::ProductOrderAttributeValueChange
            | Self::ProductOrderDelete => crate::paths::ORDERING,
            Self::ProductCreate | Self::ProductStateChange | Self::ProductDelete => crate::paths::INVENTORY,
            Self::ProductOfferingCreate | Self::ProductOfferingAttributeValueChange => {
                crate::paths::CATALOGUE
            }
            Self::CommunicationMessageCreate | Self::CommunicationMessageStateChange => {
                crate::paths::COMMUNICATION
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_type_is_read_back_however_its_first_letter_is_written() {
        for kind in EventType::ALL {
            assert_eq!(EventType::parse(kind.word()), Some(kind));
            let (first, rest) = kind.word().split_at(1);
            assert_eq!(EventType::parse(&format!("{}{rest}", first.to_lowercase())), Some(kind));
        }
    }

    #[test]
    fn an_event_with_members_we_do_not_know_is_read() {
        let json = r#"{"eventId":"1","eventTime":"2026-01-01T00:00:00Z","eventType":"ProductStateChangeEvent",
            "title":"x","event":{"product":{"id":"p","status":"aborted ","place":[{}]}}}"#;
        let event: Event = serde_json::from_str(json).unwrap();
        let product = event.event.product.unwrap();
        assert_eq!(product.state(), Ok(domain::order::ProductState::Aborted));
    }
}
