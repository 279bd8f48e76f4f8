//! JSON bodies: of `/v1`, and of the TM Forum interface.

use std::fmt::Debug;

use api::book::{AmendBook, ReplaceBook};
use api::consents::GiveConsent;
use api::orders::PlaceOrder;
use api::registration::{BeginRegistration, ConfirmRegistration};
use api::subscriptions::SetShare;
use axum::body::Body;
use axum::extract::FromRequest;
use edge::Json;
use futures::FutureExt;
use http::Request;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) fn check(bytes: &[u8]) {
    let Some((&which, bytes)) = bytes.split_first() else { return };
    match which % 12 {
        0 => body::<BeginRegistration>(bytes),
        1 => body::<ConfirmRegistration>(bytes),
        2 => body::<ReplaceBook>(bytes),
        3 => body::<AmendBook>(bytes),
        4 => body::<GiveConsent>(bytes),
        5 => body::<SetShare>(bytes),
        6 => body::<PlaceOrder>(bytes),
        7 => lenient::<tmf::ProductOrderCreate>(bytes),
        8 => lenient::<tmf::ProductOrder>(bytes),
        9 => lenient::<tmf::Event>(bytes),
        10 => lenient::<tmf::ProductOffering>(bytes),
        _ => lenient::<tmf::Product>(bytes),
    }
}

/// A body of `/v1`: taken, and then it is an object that comes back the same; or refused as 400 or 422.
fn body<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) {
    let request = Request::post("/").header("content-type", "application/json");
    let Ok(request) = request.body(Body::from(bytes.to_vec())) else { return };
    match Json::<T>::from_request(request, &()).now_or_never() {
        Some(Ok(Json(read))) => {
            assert!(serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes).is_ok());
            let written = serde_json::to_value(&read).unwrap_or_default();
            assert_eq!(serde_json::from_value::<T>(written).ok(), Some(read), "it comes back the same");
        }
        Some(Err(problem)) => {
            assert!(matches!(problem.code().status(), 400 | 413 | 422), "{problem:?}");
            assert!(problem.detail().len() <= 512, "a refusal repeats no body: {}", problem.detail().len());
        }
        None => unreachable!("a body in memory is there at once"),
    }
}

/// A document of the TM Forum interface: what is kept of it once is kept for good.
fn lenient<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<T>(bytes) else { return };
    let written = serde_json::to_value(&read).unwrap_or_default();
    let again = serde_json::from_value::<T>(written.clone()).map(|again| serde_json::to_value(&again));
    assert!(matches!(again, Ok(Ok(again)) if again == written), "written, read and written again");
}
