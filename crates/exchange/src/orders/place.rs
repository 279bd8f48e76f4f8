//! `POST /v1/orders`

use api::Code;
use api::orders::{Order, PlaceOrder};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use domain::funnel::FunnelStep;
use domain::ids::OrderId;
use domain::key::ContactKey;
use domain::order::{OrderAction, Progress, Reason};
use edge::{Caller, IdempotencyKey, Problem, RawJson};
use serde_json::json;
use store::exchange::{FirstAnswer, NewOrder};
use store::friends::FeedItem;
use store::jobs::JobKind;
use store::{FunnelEvent, StoreError, Tx, View};

use super::refuse_too_many;
use crate::problem::{Refused, still_signed_in};
use crate::{Exchange, shown};

/// Orders for the caller what a match shares with them. One key, one order, whatever is repeated.
#[utoipa::path(post, path = "/v1/orders", operation_id = "placeOrder",
    request_body = PlaceOrder, security(("token" = [])),
    params(("Idempotency-Key" = String, Header, min_length = 1, max_length = 255, pattern = "^[!-~]{1,255}$",
        description = "A new random value for each tap.")),
    responses((status = 202, body = Order, links(
        ("show" = (operation_id = "showOrder", parameters(("id" = "$response.body#/id")))),
        ("cancel" = (operation_id = "cancelOrder", parameters(("id" = "$response.body#/id")))))),
        (status = 404, description = "The share may not be seen, or is none"),
        (status = 409, description = "The first request with this key is still running"),
        (status = 429, description = "Too many open orders")))]
pub async fn place(
    State(exchange): State<Exchange>,
    caller: Caller,
    key: IdempotencyKey,
    // Whatever the share id is made of, it is only compared.
    RawJson(body): RawJson<PlaceOrder>,
) -> Result<Response, Problem> {
    // Held until the answer is durable, or the caller has gone: a write already queued is still the first.
    let _turn = match exchange.placing.begin(caller.key, &key) {
        Ok(turn) => turn,
        Err(running) => return exchange.answered(caller, key, body).await?.map(accepted).ok_or(running),
    };
    let id = OrderId(exchange.world.uuid());
    let share = exchange.store.keys().open_share_id(caller.key, &body.share_id);
    let now = exchange.world.now();
    let write = move |tx: &mut Tx<'_>| -> Result<String, Refused> {
        still_signed_in(tx, &caller)?;
        let asked = body.share_id.as_bytes();
        let first = tx.exchange().find_first_answer(caller.key, key.as_str(), asked, now)?;
        if let Some(answer) = repeated(first)? {
            return Ok(answer);
        }
        // The gate (M7, M8): whoever may not see a share learns no more than if it did not exist.
        // What is no share id at all passes the gate too, as a share that nobody has: the time tells nothing.
        let (share, version) = share.unwrap_or_default();
        let item = tx.friends().find_feed_item(caller.key, share)?.ok_or_else(Problem::not_found)?;
        let order = new_order(id, caller.key, &item, version);
        let order = if tx.exchange().has_open_order(caller.key, &order.offering)? {
            // A second tap while one is open: its end is known before anything is forwarded.
            tx.exchange().insert_order(&order)?;
            tx.exchange().end_unforwarded(id, Progress::Rejected, Reason::OrderOpen)?
        } else {
            refuse_too_many(tx, caller.key)?;
            let order = tx.exchange().insert_order(&order)?;
            tx.jobs().enqueue(JobKind::ForwardOrder, &json!({ "order": id }), now)?;
            Some(order)
        };
        let order = order.ok_or_else(Problem::not_found)?;
        record_tap(tx, caller.key, &item)?;
        let shown = shown::order_with(Some(&item.card), order, caller.locale);
        let answer = serde_json::to_string(&shown).map_err(Problem::internal)?;
        tx.exchange().keep_first_answer(caller.key, key.as_str(), asked, &answer)?;
        Ok(answer)
    };
    exchange.store.write(write).await.map(accepted).map_err(Problem::from)
}

fn accepted(answer: String) -> Response {
    (StatusCode::ACCEPTED, [(CONTENT_TYPE, "application/json")], answer).into_response()
}

/// The first answer, to be given again; `None` when there is none yet.
fn repeated(first: FirstAnswer) -> Result<Option<String>, Problem> {
    match first {
        FirstAnswer::Same(answer) => Ok(Some(answer)),
        FirstAnswer::OtherBody => {
            let detail = "This Idempotency-Key was used for another order. Use a new one for each tap.";
            Err(Problem::new(Code::IdempotencyBodyDiffers, detail))
        }
        FirstAnswer::New => Ok(None),
    }
}

impl Exchange {
    /// The first answer to a request whose key is at work just now: what is at work may be a repetition too.
    async fn answered(
        &self,
        caller: Caller,
        key: IdempotencyKey,
        body: PlaceOrder,
    ) -> Result<Option<String>, Problem> {
        let now = self.world.now();
        let read = move |view: &mut View<'_>| -> Result<FirstAnswer, Refused> {
            let asked = body.share_id.as_bytes();
            Ok(view.exchange().find_first_answer(caller.key, key.as_str(), asked, now)?)
        };
        repeated(self.store.read(read).await.map_err(Problem::from)?)
    }
}

fn new_order(id: OrderId, orderer: ContactKey, item: &FeedItem, version: i64) -> NewOrder {
    NewOrder {
        id,
        orderer,
        action: OrderAction::Add,
        offering: item.card.offering.id.clone(),
        // As on the card that was tapped: the platform refuses when it has changed since.
        version: Some(version),
        product: None,
        share: Some(item.share),
    }
}

fn record_tap(tx: &mut Tx<'_>, orderer: ContactKey, item: &FeedItem) -> Result<(), StoreError> {
    tx.funnel().record(&FunnelEvent {
        step: FunnelStep::Tapped,
        offering: Some(item.card.offering.id.clone()),
        person: Some(orderer),
        friend: Some(item.owner),
        cause: Some(item.share.to_string()),
    })
}
