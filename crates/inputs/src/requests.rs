//! Headers, queries and cursors of a request.

use api::feed::FeedFilter;
use api::orders::OrderWait;
use axum::extract::FromRequestParts;
use domain::limits;
use edge::{IdempotencyKey, IfMatch, Listing, NoQuery, Paging, Query, cursor, etag};
use futures::FutureExt;
use http::request::Parts;
use http::{HeaderValue, Request};
use tmf::query::{ListQuery, escape, project, resources};

pub(crate) fn check(bytes: &[u8]) {
    let Some((&which, bytes)) = bytes.split_first() else { return };
    match which % 4 {
        0 => idempotency_key(bytes),
        1 => if_match(bytes),
        2 => cursors(bytes),
        _ => queries(&String::from_utf8_lossy(bytes)),
    }
}

fn take<T: FromRequestParts<()>>(mut parts: Parts) -> Option<Result<T, T::Rejection>> {
    T::from_request_parts(&mut parts, &()).now_or_never()
}

fn with_header(name: &str, value: &[u8]) -> Option<Parts> {
    let request = Request::get("/").header(name, HeaderValue::from_bytes(value).ok()?).body(()).ok()?;
    Some(request.into_parts().0)
}

fn idempotency_key(bytes: &[u8]) {
    let Some(parts) = with_header(api::orders::IDEMPOTENCY_KEY, bytes) else { return };
    let taken = take::<IdempotencyKey>(parts);
    let fits = (1..=limits::count(limits::IDEMPOTENCY_KEY_CHARS_MAX)).contains(&bytes.len())
        && bytes.iter().all(u8::is_ascii_graphic);
    match taken {
        Some(Ok(key)) => assert!(fits && key.as_str().as_bytes() == bytes),
        Some(Err(problem)) => assert!(!fits && problem.code().status() == 400),
        None => unreachable!("headers are there at once"),
    }
}

fn if_match(bytes: &[u8]) {
    let Some(parts) = with_header("if-match", bytes) else { return };
    let Some(Ok(IfMatch(version))) = take::<IfMatch>(parts) else { return };
    let fits = IfMatch(version);
    match version {
        None => assert!(fits.fits(0) && fits.fits(i64::MAX), "nothing was asked"),
        Some(version) => {
            assert!(version >= -1 && fits.fits(version) && !fits.fits(version.wrapping_add(1)));
            // The tag that we send is the one that we take.
            let sent = with_header("if-match", etag(version.max(0)).as_bytes()).and_then(take::<IfMatch>);
            assert_eq!(sent.and_then(Result::ok), Some(IfMatch(Some(version.max(0)))));
        }
    }
}

fn cursors(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(last) = cursor::decode::<String>(&text) {
        assert_eq!(cursor::decode::<String>(&cursor::encode(&last)).ok(), Some(last));
    }
    let _ = cursor::decode::<domain::ids::OrderId>(&text);
    assert_eq!(cursor::decode::<String>(&cursor::encode(&text)).ok().as_deref(), Some(&*text));
}

fn queries(text: &str) {
    let parts =
        || Request::get(format!("/v1/feed?{text}")).body(()).ok().map(|request| request.into_parts().0);
    let max = limits::count(limits::PAGE_ITEMS_MAX);
    if let Some(Some(Ok(paging))) = parts().map(take::<Paging>) {
        assert!((1..=max).contains(&paging.limit));
    }
    if let Some(Some(Ok(listing))) = parts().map(take::<Listing<FeedFilter>>) {
        assert!((1..=max).contains(&listing.paging.limit));
    }
    if let Some(Some(Err(problem))) = parts().map(take::<Query<OrderWait>>) {
        assert_eq!(problem.code().status(), 400);
    }
    let _ = parts().map(take::<NoQuery>);
    let pairs =
        text.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned()));
    if let Ok(query) = ListQuery::read(pairs.collect(), &resources::PRODUCT_ORDER, 100, max) {
        assert!(query.limit <= max);
        let whole = serde_json::json!({"id": 1, "@type": "x", "state": "held", "note": [{"text": "x"}]});
        query.sort(&mut [whole.clone(), whole.clone()]);
        let _ = query.fits(&whole);
        let kept = project(whole, query.fields.as_deref());
        assert!(kept["id"].is_number() && kept["@type"].is_string(), "the id and the type always stay");
    }
    assert!(escape(text).bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
}
