//! Rows in the words of the TM Forum documents.

use serde_json::json;
use store::StoreError;
use store::platform::{CancellationRow, OrderRow, PlatformView, ProductRow};
use tmf::{
    BillingAccountRef, CancelProductOrder, OfferingRef, OrderRef, PartyRef, PricePlan, Product, ProductOrder,
};
use tmf::{ProductOrderCreate, ProductRef, paths};

use domain::locale::Locale;
use domain::order::OrderState;

/// The characteristic that holds the number within a short-number group.
const SHORT_NUMBER: &str = "shortNumber";

/// An order as it was placed, with where it stands.
pub(crate) fn order(row: &OrderRow) -> ProductOrder {
    // What was stored was read once; should it not be readable any more, the order still has a state.
    let request: ProductOrderCreate = serde_json::from_slice(&row.request).unwrap_or_default();
    let id = row.id.to_string();
    let ended = |state| (row.state == state).then_some(row.changed);
    let mut order = ProductOrder {
        href: Some(format!("{}{}/{id}", paths::ORDERING, paths::PRODUCT_ORDER)),
        id,
        external_id: row.external_id.clone(),
        state: row.state.word().to_owned(),
        order_date: Some(row.taken),
        completion_date: ended(OrderState::Completed),
        cancellation_date: ended(OrderState::Cancelled),
        cancellation_reason: None,
        wishes: request.wishes,
        channel: request.channel,
        note: request.note,
        related_party: request.related_party,
        product_order_item: request.product_order_item,
        type_name: Some("ProductOrder".to_owned()),
    };
    for party in &mut order.related_party {
        // The document wants it of every answer; whoever orders is a person.
        party.referred_type.get_or_insert_with(|| "Individual".to_owned());
    }
    for item in &mut order.product_order_item {
        item.state = Some(order.state.clone());
        if let Some(product) = row.product {
            item.product = Some(ProductRef::to(&product.to_string()));
        }
    }
    if let Some(reason) = row.reason {
        order.set_reason(reason);
    }
    if let Some(open) = row.open_order {
        order.set_open_order(&open.to_string());
    }
    order
}

/// A product with its customer and the name of its offering.
pub(crate) fn product(view: &mut PlatformView<'_>, row: &ProductRow) -> Result<Product, StoreError> {
    let customer = view.find_customer(row.customer)?;
    let offering = view.find_offering(&row.offering)?;
    let name = offering.map(|(offering, _)| offering.name.text(Locale::default()).to_owned());
    let id = row.id.to_string();
    Ok(Product {
        href: Some(format!("{}{}/{id}", paths::INVENTORY, paths::PRODUCT)),
        id,
        name: name.clone(),
        status: row.state.word().to_owned(),
        start_date: Some(row.since),
        termination_date: row.ended,
        billing_account: customer.map(|customer| BillingAccountRef { id: customer.number.e164() }),
        product_characteristic: characteristics(view, row)?,
        product_offering: Some(OfferingRef {
            id: row.offering.to_string(),
            href: Some(format!("{}{}/{}", paths::CATALOGUE, paths::PRODUCT_OFFERING, row.offering)),
            name,
            version: None,
        }),
        product_price: vec![PricePlan::from(row.price)],
        related_party: customer.map(|customer| PartyRef::customer(customer.number)).into_iter().collect(),
        type_name: Some("Product".to_owned()),
    })
}

/// What sets one product apart from others of its offering: in a short-number group the number there, and the
/// reference by which an order joins the same group.
fn characteristics(
    view: &mut PlatformView<'_>,
    row: &ProductRow,
) -> Result<Vec<serde_json::Value>, StoreError> {
    let Some(member) = view.find_membership(row.id)? else { return Ok(Vec::new()) };
    let text = |name: &str, value: &str| json!({"name": name, "valueType": "string", "value": value});
    Ok(vec![
        text(SHORT_NUMBER, member.short_number.as_str()),
        text(Product::REFERRAL_REFERENCE, &member.reference),
    ])
}

/// The task of cancelling an order.
pub(crate) fn cancellation(row: &CancellationRow) -> CancelProductOrder {
    let id = row.id.to_string();
    CancelProductOrder {
        href: Some(format!("{}{}/{id}", paths::ORDERING, paths::CANCEL_PRODUCT_ORDER)),
        id,
        cancellation_reason: row.why.clone(),
        effective_cancellation_date: Some(row.at),
        product_order: OrderRef::to(&row.order.to_string()),
        state: row.state.clone(),
    }
}
