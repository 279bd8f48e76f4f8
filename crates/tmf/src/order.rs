//! Orders and their cancellation. Source: TMF622 4.0.0, `ProductOrder`, `CancelProductOrder`.

use domain::Msisdn;
use domain::catalogue::Offering;
use domain::locale::Locale;
use domain::order::{OrderAction, OrderState, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::common::{Channel, Note, OfferingRef, PartyRef, PricePlan, Unreadable, null_as_default};
use crate::paths;

/// An order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProductOrder {
    /// The platform's id.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// Where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// The id given by whoever placed it; a repeat names the same order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// A state of [`OrderState`].
    #[serde(deserialize_with = "null_as_default")]
    pub state: String,
    /// When it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_date: Option<Timestamp>,
    /// When it was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion_date: Option<Timestamp>,
    /// When it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation_date: Option<Timestamp>,
    /// Why it was cancelled: the capitals of [`Reason`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<String>,
    /// What whoever placed it wrote beside.
    #[serde(flatten)]
    pub wishes: OrderWishes,
    /// By which way it came.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub channel: Vec<Channel>,
    /// The note `reason` holds the capitals of [`Reason`]; `openOrder` the id of the order that stands
    /// in the way.
    #[serde(deserialize_with = "null_as_default")]
    pub note: Vec<Note>,
    /// The customer.
    #[serde(deserialize_with = "null_as_default")]
    pub related_party: Vec<PartyRef>,
    /// What is ordered.
    #[serde(deserialize_with = "null_as_default")]
    pub product_order_item: Vec<OrderItem>,
    /// The name of this shape.
    #[serde(rename = "@type", skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
}

/// What whoever places an order may write beside it: kept and shown, and decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OrderWishes {
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A category of the caller's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Whom to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_contact: Option<String>,
    /// When it should begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_start_date: Option<Timestamp>,
    /// When it should be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_completion_date: Option<Timestamp>,
}

/// One thing ordered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct OrderItem {
    /// Its id within the order.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// A word of [`OrderAction`].
    #[serde(deserialize_with = "null_as_default")]
    pub action: String,
    /// Its state; in an answer only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What is ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_offering: Option<OfferingRef>,
    /// The product that is ended, or that came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductRef>,
    /// The price on the card that was tapped.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub item_price: Vec<PricePlan>,
}

/// Which product is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductRef {
    /// The id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
}

impl ProductRef {
    /// A reference by id.
    pub fn to(id: &str) -> Self {
        Self { id: Some(id.to_owned()), href: Some(format!("{}{}/{id}", paths::INVENTORY, paths::PRODUCT)) }
    }
}

/// Places an order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProductOrderCreate {
    /// The caller's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// What is written beside.
    #[serde(flatten)]
    pub wishes: OrderWishes,
    /// By which way it comes.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub channel: Vec<Channel>,
    /// Remarks; `referral` may hold an opaque reference to the share, never a number.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub note: Vec<Note>,
    /// The customer.
    #[serde(deserialize_with = "null_as_default")]
    pub related_party: Vec<PartyRef>,
    /// What is ordered.
    #[serde(deserialize_with = "null_as_default")]
    pub product_order_item: Vec<OrderItem>,
}

/// The channel of orders that come from a friend's share.
const FRIEND_SHARE: &str = "friend-share";
const REASON: &str = "reason";
const OPEN_ORDER: &str = "openOrder";
const REFERRAL: &str = "referral";

impl ProductOrderCreate {
    /// Subscribes to an offering as it was seen on the card, from a friend's share.
    pub fn add(external_id: &str, customer: Msisdn, seen: &Offering, referral: Option<&str>) -> Self {
        let item = OrderItem {
            id: "1".to_owned(),
            action: OrderAction::Add.word().to_owned(),
            product_offering: Some(OfferingRef {
                id: seen.id.to_string(),
                version: Some(seen.version.to_string()),
                ..OfferingRef::default()
            }),
            item_price: vec![PricePlan::from(seen.price)],
            ..OrderItem::default()
        };
        let note =
            referral.map(|text| Note { id: Some(REFERRAL.to_owned()), author: None, text: text.to_owned() });
        Self {
            external_id: Some(external_id.to_owned()),
            wishes: OrderWishes::default(),
            channel: vec![Channel { id: FRIEND_SHARE.to_owned(), name: None }],
            note: note.into_iter().collect(),
            related_party: vec![PartyRef::customer(customer)],
            product_order_item: vec![item],
        }
    }

    /// Ends a product of the customer.
    pub fn delete(external_id: &str, customer: Msisdn, product_id: &str) -> Self {
        let item = OrderItem {
            id: "1".to_owned(),
            action: OrderAction::Delete.word().to_owned(),
            product: Some(ProductRef::to(product_id)),
            ..OrderItem::default()
        };
        Self {
            external_id: Some(external_id.to_owned()),
            related_party: vec![PartyRef::customer(customer)],
            product_order_item: vec![item],
            ..Self::default()
        }
    }

    /// What names the share, or the group, that it comes from.
    pub fn referral(&self) -> Option<&str> {
        self.note.iter().find(|note| note.id.as_deref() == Some(REFERRAL)).map(|note| note.text.as_str())
    }

    /// The same, with the language to address the customer in.
    #[must_use]
    pub fn in_language(mut self, locale: Locale) -> Self {
        for party in &mut self.related_party {
            party.language = Some(locale.tag().to_owned());
        }
        self
    }
}

impl ProductOrder {
    /// The state in the words of the domain.
    ///
    /// # Errors
    /// [`Unreadable`] for any other word.
    pub fn order_state(&self) -> Result<OrderState, Unreadable> {
        OrderState::parse(self.state.trim()).ok_or(Unreadable("state"))
    }

    /// Why it did not end as it was meant, when it says so in the capitals of [`Reason`].
    pub fn reason(&self) -> Option<Reason> {
        let notes = self.note.iter().map(|note| note.text.as_str());
        self.cancellation_reason
            .as_deref()
            .into_iter()
            .chain(notes)
            .find_map(|text| Reason::parse(text.trim()))
    }

    /// The product that came of its first item, or that the item ends.
    pub fn product_id(&self) -> Option<&str> {
        self.product_order_item.first()?.product.as_ref()?.id.as_deref()
    }

    /// Writes the reason where [`ProductOrder::reason`] finds it.
    pub fn set_reason(&mut self, reason: Reason) {
        if self.state == OrderState::Cancelled.word() {
            self.cancellation_reason = Some(reason.word().to_owned());
        }
        self.note.push(Note {
            id: Some(REASON.to_owned()),
            author: Some("platform".to_owned()),
            text: reason.word().to_owned(),
        });
    }

    /// Names the order that stands in this one's way.
    pub fn set_open_order(&mut self, id: &str) {
        self.note.push(Note {
            id: Some(OPEN_ORDER.to_owned()),
            author: Some("platform".to_owned()),
            text: id.to_owned(),
        });
    }
}

/// Which order is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderRef {
    /// The id.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// Where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
}

impl OrderRef {
    /// A reference by id.
    pub fn to(id: &str) -> Self {
        Self { id: id.to_owned(), href: Some(format!("{}{}/{id}", paths::ORDERING, paths::PRODUCT_ORDER)) }
    }
}

/// Asks for an order's cancellation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CancelProductOrderCreate {
    /// Why; for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<String>,
    /// Which order.
    #[serde(deserialize_with = "null_as_default")]
    pub product_order: OrderRef,
}

/// The task of cancelling an order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CancelProductOrder {
    /// The task's id.
    #[serde(deserialize_with = "null_as_default")]
    pub id: String,
    /// Where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub href: Option<String>,
    /// Why; for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<String>,
    /// When it took effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_cancellation_date: Option<Timestamp>,
    /// Which order.
    #[serde(deserialize_with = "null_as_default")]
    pub product_order: OrderRef,
    /// A word of [`TaskState`].
    #[serde(deserialize_with = "null_as_default")]
    pub state: String,
}

/// The states of a task. Source: TMF622 4.0.0, `TaskStateType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Taken.
    Acknowledged,
    /// Being worked on.
    InProgress,
    /// Done as asked.
    Done,
    /// Ended without effect.
    TerminatedWithError,
}

impl TaskState {
    /// The word outside and at rest.
    pub fn word(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::InProgress => "inProgress",
            Self::Done => "done",
            Self::TerminatedWithError => "terminatedWithError",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Acknowledged, Self::InProgress, Self::Done, Self::TerminatedWithError];
        all.into_iter().find(|state| state.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_travels_with_a_rejected_and_with_a_cancelled_order() {
        for state in [OrderState::Rejected, OrderState::Cancelled] {
            for reason in Reason::ALL {
                let mut order = ProductOrder { state: state.word().to_owned(), ..ProductOrder::default() };
                order.set_reason(*reason);
                let json = serde_json::to_string(&order).unwrap();
                let back: ProductOrder = serde_json::from_str(&json).unwrap();
                assert_eq!((back.order_state(), back.reason()), (Ok(state), Some(*reason)));
            }
        }
    }

    #[test]
    fn an_order_with_members_we_do_not_know_and_nulls_is_read() {
        let json = r#"{"category":"B2C","agreement":[{}],"relatedParty":null,"channel":null,
            "productOrderItem":[{"id":"100","action":"add","quantity":1,"product":{"isBundle":true}}]}"#;
        let order: ProductOrderCreate = serde_json::from_str(json).unwrap();
        assert_eq!(order.product_order_item.len(), 1);
        assert_eq!(order.product_order_item[0].product_offering, None);
    }
}
