//! The TM Forum contract, version 4: what the platform and whoever uses it say to each other. Beside it,
//! what the operator's network says of a number ([`camara`]).
//!
//! Shapes are read leniently (unknown members are ignored, absent ones are defaults) and written with
//! the members that the documents name; what they have no place for travels as an extension under an
//! `@type` of its own. The translation to and from the words of `domain` stands beside each shape.
//! Source: TMF620 4.1.0, TMF622 4.0.0, TMF637 4.0.0, TMF630 (rules of queries, errors and events).

#[cfg(feature = "client")]
mod breaker;
#[cfg(feature = "client")]
pub mod camara;
#[cfg(feature = "client")]
mod client;
mod common;
mod communication;
pub mod document;
mod event;
mod hub;
mod offering;
mod order;
#[cfg(feature = "http")]
mod over_http;
pub mod party;
pub mod paths;
mod product;
pub mod query;
mod transport;

#[cfg(feature = "client")]
pub use breaker::Breaker;
#[cfg(feature = "client")]
pub use client::{Client, TmfError};
pub use common::{Amount, Channel, ErrorBody, Note, OfferingRef, PartyRef, Price, PricePlan, Unreadable};
pub use communication::{CommunicationMessage, CommunicationMessageCreate, MessageState, Receiver, Sender};
pub use event::{Event, EventBody, EventType};
pub use hub::{HubListener, HubRequest};
pub use offering::{
    Characteristic, CharacteristicValue, ProductOffering, Provider, Relationship, Term, Validity,
};
pub use order::{
    CancelProductOrder, CancelProductOrderCreate, OrderItem, OrderRef, OrderWishes, ProductOrder,
    ProductOrderCreate, ProductRef, TaskState,
};
#[cfg(feature = "http")]
pub use over_http::{HttpSettings, OverHttp, SettingsError};
pub use product::{BillingAccountRef, Product, ProductCreate};
pub use transport::{Transport, TransportError};
