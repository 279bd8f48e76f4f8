use std::sync::Arc;

use api::Code;
use axum::routing::get;
use axum::{Extension, Router};
use domain::ids::{SessionId, SubscriberId};
use domain::key::ContactKey;
use domain::locale::Locale;
use edge::{Authenticate, Authenticator, Caller, Json, Problem};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::Request;

use crate::{ask, shelled};

struct OneToken;

impl Authenticate for OneToken {
    fn caller<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Caller>, Problem>> {
        async move {
            match token {
                "good" => Ok(Some(Caller {
                    subscriber: SubscriberId(uuid::Uuid::nil()),
                    key: ContactKey::from_value(1),
                    session: SessionId(uuid::Uuid::nil()),
                    locale: Locale::English,
                })),
                "later" => Err(Problem::new(Code::StoreUnavailable, "Try again.")),
                _ => Ok(None),
            }
        }
        .boxed()
    }
}

fn router() -> Router {
    let router = Router::new().route("/me", get(async |caller: Caller| Json(caller.subscriber)));
    shelled(router.layer(Extension(Authenticator(Arc::new(OneToken)))))
}

#[tokio::test]
async fn a_good_token_is_a_caller() {
    for header in ["Bearer good", "bearer good", "BEARER  good "] {
        assert_eq!(ask(&router(), Request::get("/me").header("authorization", header), "").await.status, 200);
    }
}

#[tokio::test]
async fn no_token_and_a_bad_token_are_challenged() {
    for header in ["", "good", "Basic Z29vZA==", "Bearer", "Bearer "] {
        let answer = ask(&router(), Request::get("/me").header("authorization", header), "").await;
        assert_eq!((answer.status, answer.code()), (401, "auth/missing"), "{header}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"hutong\"");
    }
    let long = format!("Bearer {}", "x".repeat(5000));
    for header in ["Bearer bad", &long] {
        let answer = ask(&router(), Request::get("/me").header("authorization", header), "").await;
        assert_eq!((answer.status, answer.code()), (401, "auth/invalid"));
        assert_ne!(answer.header("www-authenticate"), "");
    }
}

#[tokio::test]
async fn a_caller_that_cannot_be_told_now_is_not_a_stranger() {
    let answer = ask(&router(), Request::get("/me").header("authorization", "Bearer later"), "").await;
    assert_eq!(answer.code(), "store/unavailable");
}
