//! The client of `tmf` against the faces, in process as the exchange calls them.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use domain::Msisdn;
use domain::catalogue::Offering;
use domain::locale::Locale;
use domain::order::{OrderState, Reason};
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use std::sync::Arc;
use tmf::{Client, ProductOrderCreate, TmfError, Transport, TransportError};
use tower::ServiceExt;

use crate::house::*;

struct Inside(Router);

impl Transport for Inside {
    fn call(&self, mut request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let token = HeaderValue::from_str(&format!("Bearer {TOKEN}")).unwrap();
        request.headers_mut().insert("authorization", token);
        let router = self.0.clone();
        Box::pin(async move {
            let answer = router.oneshot(request.map(Body::from)).await.unwrap();
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.map_err(|_| TransportError::Unknown)?.to_bytes();
            Ok(Response::from_parts(parts, body))
        })
    }
}

async fn card(client: &Client, id: &str) -> Offering {
    let (offerings, total) = client.list_offerings(0, 100).await.unwrap();
    assert_eq!((offerings.len(), total), (6, 6));
    offerings.iter().find(|offering| offering.id == id).unwrap().to_domain().unwrap().0
}

#[tokio::test]
async fn the_client_and_the_faces_understand_each_other() {
    let house = House::new().await;
    let client = Client::new(Arc::new(Inside(house.router.clone())));
    assert_eq!(client.register_hub("http://ear.test/cb").await.unwrap().len(), 3);
    let anna = Msisdn::parse_e164(ANNA).unwrap();
    let crbt = card(&client, "crbt").await;
    let order = ProductOrderCreate::add("e1", anna, &crbt, Some("opaque")).in_language(Locale::English);
    let placed = client.create_order(&order).await.unwrap();
    assert_eq!(placed.order_state(), Ok(OrderState::Pending));
    assert_eq!(client.find_order_by_external_id("e1").await.unwrap().as_ref(), Some(&placed));
    assert_eq!(client.find_order_by_external_id("e2").await.unwrap(), None);
    let text = house.phones().await.remove(0);
    assert!(text.body.contains("Ring tones"), "{text:?}");
    house.reply(ANNA, &text.suffix, &text.code()).await;
    let done = client.load_order(&placed.id).await.unwrap();
    assert_eq!(done.order_state(), Ok(OrderState::Completed));
    let (products, total) = client.list_products(anna, 0, 10).await.unwrap();
    assert_eq!((products.len(), total), (1, 1));
    assert_eq!(done.product_id(), Some(products[0].id.as_str()));
    assert_eq!((products[0].customer(), products[0].offering()), (Ok(anna), Ok(crbt.id.clone())));
    let again = client.create_order(&ProductOrderCreate::add("e2", anna, &crbt, None)).await.unwrap();
    assert_eq!(
        (again.order_state(), again.reason()),
        (Ok(OrderState::Rejected), Some(Reason::AlreadySubscribed))
    );
    let late = client.cancel_order(&placed.id).await;
    assert!(matches!(late, Err(TmfError::Refused { status: 409, body: Some(_) })), "{late:?}");
    let end = client.create_order(&ProductOrderCreate::delete("e3", anna, &products[0].id)).await.unwrap();
    assert_eq!(end.order_state(), Ok(OrderState::Completed));
    house.work().await;
    assert!(!house.ear.told.lock().unwrap().is_empty());
}
