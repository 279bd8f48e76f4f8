//! POST product: the operator writes down what a customer has. It takes the claim; nobody is charged or texted,
//! for it is no order.

use axum::extract::State;
use axum::response::Response;
use domain::Msisdn;
use domain::catalogue::OfferingId;
use domain::ids::ProductId;
use domain::money::Price;
use domain::order::ProductState;
use edge::operator::Operator;
use jiff::Timestamp;
use store::platform::ProductRow;
use tmf::{Product, ProductCreate};

use crate::Platform;
use crate::auth::actor;
use crate::desk::Desk;
use crate::lists::{Body, created};
use crate::refusal::Refusal;
use crate::wire;

/// What is to be written down, read.
#[derive(Clone)]
struct Asked {
    customer: Msisdn,
    offering: OfferingId,
    steps: &'static [ProductState],
    /// Absent: what the offering costs now.
    price: Option<Price>,
    since: Timestamp,
}

impl Asked {
    fn read(product: &Product, now: Timestamp) -> Result<Self, Refusal> {
        let fault = |member: tmf::Unreadable| Refusal::body(member.to_string());
        let steps = steps_to(product.state().map_err(fault)?);
        let since = product.start_date.unwrap_or(now);
        if since > now || since < Timestamp::UNIX_EPOCH {
            return Err(Refusal::body("startDate must lie in the past"));
        }
        let price = product.product_price.first().map(tmf::PricePlan::to_domain);
        Ok(Self {
            customer: product.customer().map_err(fault)?,
            offering: product.offering().map_err(fault)?,
            steps: steps
                .ok_or_else(|| Refusal::body("status must be one of a product that has not ended"))?,
            price: price.transpose().map_err(fault)?,
            since,
        })
    }
}

/// By which states a new product comes to one; `None` for those of a product that has ended.
fn steps_to(state: ProductState) -> Option<&'static [ProductState]> {
    use ProductState::*;
    match state {
        Created => Some(&[]),
        PendingActive => Some(&[PendingActive]),
        Active => Some(&[Active]),
        Suspended => Some(&[Active, Suspended]),
        PendingTerminate => Some(&[Active, PendingTerminate]),
        Aborted | Cancelled | Terminated => None,
    }
}

pub(crate) async fn create(
    State(platform): State<Platform>,
    operator: Operator,
    Body(ProductCreate(product)): Body<ProductCreate>,
) -> Result<Response, Refusal> {
    let asked = Asked::read(&product, platform.world.now())?;
    let (store, actor) = (platform.store.clone(), actor(&operator));
    let product = store
        .write(move |tx| {
            let mut desk = Desk::new(tx, &platform).acting_for(Some(actor.clone()));
            let row = desk.register(&asked)?;
            Ok::<_, Refusal>(wire::product(&mut desk.tx.platform(), &row)?)
        })
        .await?;
    Ok(created(&product, product.href.as_deref().unwrap_or_default()))
}

impl Desk<'_, '_> {
    fn register(&mut self, asked: &Asked) -> Result<ProductRow, Refusal> {
        let offering = self.tx.platform().find_offering(&asked.offering)?;
        let unknown = || Refusal::body("productOffering.id names no offering of the catalogue");
        let (offering, _) = offering.ok_or_else(unknown)?;
        let customer = self.tx.platform().put_customer(asked.customer, None)?;
        let mut product = ProductRow {
            id: ProductId(self.world.uuid()),
            customer: customer.key,
            offering: offering.id.clone(),
            state: ProductState::Created,
            price: asked.price.unwrap_or(offering.price),
            since: asked.since,
            ended: None,
        };
        if !self.tx.platform().take_claim_for_product(&product)? {
            return Err(Refusal::state("the customer has this offering, or has an order open for it"));
        }
        self.begin_product(&product)?;
        for step in asked.steps {
            if *step == ProductState::Active {
                self.begin_term(&product, offering.renews)?;
            }
            self.move_product(&mut product, *step)?;
        }
        Ok(product)
    }
}
