//! Orders: placed from a share, forwarded to the platform, followed to their end.

pub mod cancel;
pub mod list;
pub mod place;
pub mod show;

use api::Code;
use domain::key::ContactKey;
use domain::limits;
use edge::Problem;
use store::Tx;

use crate::problem::Refused;

/// Refuses one more order of somebody who has very many open.
pub(crate) fn refuse_too_many(tx: &mut Tx<'_>, orderer: ContactKey) -> Result<(), Refused> {
    if tx.exchange().count_open_orders(orderer)? < limits::ORDERS_OPEN_MAX {
        return Ok(());
    }
    let detail = "Too many of your orders are still open. Answer or cancel some first.";
    Err(Problem::new(Code::OrderTooManyOpen, detail).retry_after_s(60).into())
}
