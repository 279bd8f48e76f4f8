//! Calls a platform. It tries once: whoever calls knows whether and when to try again.

use std::sync::Arc;

use bytes::Bytes;
use domain::Msisdn;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::common::ErrorBody;
use crate::event::EventType;
use crate::hub::{HubListener, HubRequest};
use crate::offering::ProductOffering;
use crate::order::{
    CancelProductOrder, CancelProductOrderCreate, OrderRef, ProductOrder, ProductOrderCreate,
};
use crate::paths;
use crate::product::Product;
use crate::query::escape;
use crate::transport::{Transport, TransportError};

/// Why a call came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TmfError {
    /// The platform answered, and not with what was asked.
    #[error("the platform refused with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said, when that could be read.
        body: Option<ErrorBody>,
    },
    /// The platform was certainly not reached.
    #[error("the platform cannot be reached")]
    Unreachable,
    /// The platform may have acted, and its answer did not come.
    #[error("the platform's answer did not come")]
    Unknown,
    /// The platform answered what cannot be read; it may have acted.
    #[error("the platform's answer cannot be read")]
    Garbage,
}

impl TmfError {
    /// Whether the same call may succeed later. Every call here is safe to repeat: an order carries its
    /// external id, and registering a listener twice is the same listener.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable | Self::Unknown | Self::Garbage => true,
            // 401 and 403: the operator mends the token; no order should be lost to it meanwhile.
            Self::Refused { status, .. } => *status >= 500 || matches!(status, 401 | 403 | 408 | 425 | 429),
        }
    }
}

impl From<TransportError> for TmfError {
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::NotSent => Self::Unreachable,
            TransportError::Unknown => Self::Unknown,
        }
    }
}

/// A platform, called through a transport.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
}

impl Client {
    /// A client over a transport, which brings the address and the authentication.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport }
    }

    /// Places an order; with the same external id it is the same order.
    ///
    /// # Errors
    /// [`TmfError`].
    pub async fn create_order(&self, order: &ProductOrderCreate) -> Result<ProductOrder, TmfError> {
        let path = format!("{}{}", paths::ORDERING, paths::PRODUCT_ORDER);
        let taken: ProductOrder = read(&self.send(Method::POST, &path, Some(order)).await?)?;
        // What is said of another order is said of nothing that was asked; without an id it cannot be asked for again.
        let same = taken.external_id.is_none() || taken.external_id == order.external_id;
        if same && !taken.id.is_empty() { Ok(taken) } else { Err(TmfError::Garbage) }
    }

    /// Finds the order placed under an external id.
    ///
    /// # Errors
    /// [`TmfError`].
    pub async fn find_order_by_external_id(
        &self,
        external_id: &str,
    ) -> Result<Option<ProductOrder>, TmfError> {
        let path = format!("{}{}?externalId={}", paths::ORDERING, paths::PRODUCT_ORDER, escape(external_id));
        let orders: Vec<ProductOrder> = read(&self.get(&path).await?)?;
        // A platform that ignores the filter must not hand over somebody else's order.
        Ok(orders.into_iter().find(|order| order.external_id.as_deref() == Some(external_id)))
    }

    /// Reads an order by the platform's id.
    ///
    /// # Errors
    /// [`TmfError`]; status 404 when there is none.
    pub async fn load_order(&self, id: &str) -> Result<ProductOrder, TmfError> {
        let path = format!("{}{}/{}", paths::ORDERING, paths::PRODUCT_ORDER, escape(id));
        let order: ProductOrder = read(&self.get(&path).await?)?;
        if order.id == id { Ok(order) } else { Err(TmfError::Garbage) }
    }

    /// Asks for an order's cancellation.
    ///
    /// # Errors
    /// [`TmfError`]; status 409 when the order can no longer be cancelled.
    pub async fn cancel_order(&self, id: &str) -> Result<CancelProductOrder, TmfError> {
        let path = format!("{}{}", paths::ORDERING, paths::CANCEL_PRODUCT_ORDER);
        let request = CancelProductOrderCreate { cancellation_reason: None, product_order: OrderRef::to(id) };
        read(&self.send(Method::POST, &path, Some(&request)).await?)
    }

    /// Lists a customer's products, with how many there are in all.
    ///
    /// # Errors
    /// [`TmfError`].
    pub async fn list_products(
        &self,
        customer: Msisdn,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<Product>, usize), TmfError> {
        let (base, customer) = (paths::INVENTORY, escape(&customer.e164()));
        let path =
            format!("{base}{}?relatedParty.id={customer}&offset={offset}&limit={limit}", paths::PRODUCT);
        read_page(&self.get(&path).await?, offset)
    }

    /// Lists offerings, with how many there are in all.
    ///
    /// # Errors
    /// [`TmfError`].
    pub async fn list_offerings(
        &self,
        offset: usize,
        limit: usize,
    ) -> Result<(Vec<ProductOffering>, usize), TmfError> {
        let path = format!("{}{}?offset={offset}&limit={limit}", paths::CATALOGUE, paths::PRODUCT_OFFERING);
        read_page(&self.get(&path).await?, offset)
    }

    /// Registers one callback at the hubs of ordering, for changes of state, of inventory and of catalogue.
    ///
    /// # Errors
    /// [`TmfError`] of the first hub that refused; registering again is harmless.
    pub async fn register_hub(&self, callback: &str) -> Result<Vec<HubListener>, TmfError> {
        // That an order was taken is told by the answer to whoever places it.
        let changes = format!("eventType={}", EventType::ProductOrderStateChange.word());
        let hubs = [(paths::ORDERING, Some(changes)), (paths::INVENTORY, None), (paths::CATALOGUE, None)];
        let mut listeners = Vec::new();
        for (base, query) in hubs {
            let request = HubRequest { callback: callback.to_owned(), query };
            let answer = self.send(Method::POST, &format!("{base}{}", paths::HUB), Some(&request)).await?;
            listeners.push(read(&answer)?);
        }
        Ok(listeners)
    }

    /// Has a person erased as they were before a moment; what must be kept stays under a pseudonym. One who is
    /// not known is erased.
    ///
    /// # Errors
    /// [`TmfError`]; repeating it erases nothing more.
    pub async fn erase_individual(
        &self,
        number: Msisdn,
        erasure: Uuid,
        before: Timestamp,
    ) -> Result<(), TmfError> {
        let (base, number) = (paths::PARTY, escape(&number.e164()));
        let path = format!("{base}{}/{number}?erasure={erasure}&before={before}", paths::INDIVIDUAL);
        match self.send(Method::DELETE, &path, None::<&()>).await {
            Ok(_) | Err(TmfError::Refused { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn get(&self, path: &str) -> Result<Response<Bytes>, TmfError> {
        self.send(Method::GET, path, None::<&()>).await
    }

    async fn send<T: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&T>,
    ) -> Result<Response<Bytes>, TmfError> {
        let mut request = Request::builder().method(method).uri(path).header(ACCEPT, "application/json");
        let mut bytes = Bytes::new();
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json");
            bytes = serde_json::to_vec(body).map_err(|_| TmfError::Unreachable)?.into();
        }
        let request = request.body(bytes).map_err(|_| TmfError::Unreachable)?;
        let answer = self.transport.call(request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let body = serde_json::from_slice(answer.body()).ok();
        Err(TmfError::Refused { status: answer.status().as_u16(), body })
    }
}

fn read<T: DeserializeOwned>(answer: &Response<Bytes>) -> Result<T, TmfError> {
    serde_json::from_slice(answer.body()).map_err(|_| TmfError::Garbage)
}

/// A page and the total; a platform that gives no total has shown all there is.
fn read_page<T: DeserializeOwned>(
    answer: &Response<Bytes>,
    offset: usize,
) -> Result<(Vec<T>, usize), TmfError> {
    let items: Vec<T> = read(answer)?;
    let total = answer.headers().get("x-total-count").and_then(|total| total.to_str().ok()?.parse().ok());
    // Who does not say how many there are is asked until there are no more.
    let total = total.unwrap_or(if items.is_empty() { offset } else { usize::MAX });
    Ok((items, total))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::future::BoxFuture;

    use super::*;

    struct Scripted {
        answer: Mutex<Option<Result<Response<Bytes>, TransportError>>>,
        asked: Mutex<Vec<String>>,
    }

    impl Transport for Scripted {
        fn call(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
            self.asked.lock().unwrap().push(request.uri().to_string());
            let answer = self.answer.lock().unwrap().take().unwrap_or(Err(TransportError::NotSent));
            Box::pin(async move { answer })
        }
    }

    fn client(answer: Result<(u16, &'static str), TransportError>) -> (Client, Arc<Scripted>) {
        let answer = answer.map(|(status, body)| {
            Response::builder().status(status).header("X-Total-Count", "7").body(Bytes::from(body)).unwrap()
        });
        let scripted = Arc::new(Scripted { answer: Mutex::new(Some(answer)), asked: Mutex::default() });
        (Client::new(scripted.clone()), scripted)
    }

    #[tokio::test]
    async fn each_way_to_fail_is_told_apart() {
        let cases = [
            (Err(TransportError::NotSent), TmfError::Unreachable, true),
            (Err(TransportError::Unknown), TmfError::Unknown, true),
            (Ok((200, "<html>")), TmfError::Garbage, true),
            (Ok((500, "")), TmfError::Refused { status: 500, body: None }, true),
            (Ok((400, "no")), TmfError::Refused { status: 400, body: None }, false),
        ];
        for (answer, error, retryable) in cases {
            let (client, _) = client(answer);
            assert_eq!(client.load_order("x").await, Err(error.clone()));
            assert_eq!(error.is_retryable(), retryable, "{error:?}");
        }
    }

    #[tokio::test]
    async fn an_order_is_found_only_under_its_own_external_id() {
        let (client, asked) =
            client(Ok((200, r#"[{"id":"1","externalId":"theirs"},{"id":"2","externalId":"a b"}]"#)));
        let order = client.find_order_by_external_id("a b").await.unwrap().unwrap();
        assert_eq!(order.id, "2");
        let asked = asked.asked.lock().unwrap().clone();
        assert_eq!(asked, ["/tmf-api/productOrderingManagement/v4/productOrder?externalId=a%20b"]);
    }

    #[tokio::test]
    async fn a_page_comes_with_its_total() {
        let (client, asked) = client(Ok((200, r#"[{"id":"1"}]"#)));
        let number = Msisdn::parse_e164("+8613800138000").unwrap();
        let (products, total) = client.list_products(number, 3, 1).await.unwrap();
        assert_eq!((products.len(), total), (1, 7));
        assert!(asked.asked.lock().unwrap()[0].contains("relatedParty.id=%2B8613800138000&offset=3&limit=1"));
    }
}
