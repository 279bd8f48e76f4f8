use api::client::{Client, ClientError};
use api::problem::Code;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that gives one answer to one request and returns what was asked.
async fn answering(answer: String) -> (Client, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
            let mut piece = [0; 4096];
            let n = socket.read(&mut piece).await.unwrap();
            asked.extend_from_slice(&piece[..n]);
        }
        socket.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8_lossy(&asked).into_owned()
    });
    (Client::new(&url).unwrap().with_token("secret"), asked)
}

fn answer(status: &str, media_type: &str, more: &str, body: &str) -> String {
    let n = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\n{more}content-length: {n}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_good_answer_is_read_and_the_token_is_sent() {
    let (client, asked) =
        answering(answer("200 OK", "application/json", "", r#"{"version":3,"size":9,"later":1}"#)).await;
    assert_eq!(client.book().await.unwrap().size, 9);
    let asked = asked.await.unwrap().to_ascii_lowercase();
    assert!(asked.starts_with("get /v1/book http/1.1"), "{asked}");
    assert!(asked.contains("authorization: bearer secret"), "{asked}");
}

#[tokio::test]
async fn a_problem_is_read_with_its_code_and_pause() {
    let body = r#"{"type":"/errors/quota-new-numbers","title":"t","status":429,"code":"quota/new-numbers","detail":"Wait.","request_id":"r"}"#;
    let (client, _asked) =
        answering(answer("429 Too Many", "application/problem+json", "retry-after: 60\r\n", body)).await;
    let error = client.book().await.unwrap_err();
    assert_eq!(error.code(), Some(Code::QuotaNewNumbers));
    assert!(error.is_retryable());
    assert!(matches!(error, ClientError::Problem { retry_after_s: Some(60), .. }));
}

#[tokio::test]
async fn what_is_no_hutong_server_is_named_so() {
    for (status, media_type, body) in [
        ("200 OK", "text/html", "<html>welcome</html>"),
        ("200 OK", "application/json", r#"{"hello":"world"}"#),
        ("502 Bad Gateway", "text/html", "<html>proxy</html>"),
        ("404 Not Found", "application/json", r#"{"error":"no"}"#),
    ] {
        let (client, _asked) = answering(answer(status, media_type, "", body)).await;
        let error = client.book().await.unwrap_err();
        assert!(matches!(error, ClientError::NotHutong { .. }), "{status} {body}: {error}");
    }
}

#[tokio::test]
async fn a_redirect_is_reported_and_not_followed() {
    let (client, _asked) =
        answering(answer("302 Found", "text/plain", "location: http://127.0.0.1:1/\r\n", "")).await;
    let error = client.book().await.unwrap_err();
    assert!(matches!(error, ClientError::Redirected { .. }), "{error}");
}

#[tokio::test]
async fn nobody_there_is_unreachable_and_a_broken_answer_is_interrupted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::new(&url).unwrap().book().await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");

    let (client, _asked) = answering("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{".to_owned()).await;
    let error = client.book().await.unwrap_err();
    assert!(matches!(error, ClientError::Interrupted(_)), "{error}");
}

#[tokio::test]
async fn an_order_carries_its_key_and_a_key_that_cannot_be_sent_fails_alone() {
    let (client, asked) = answering(answer("204 No Content", "text/plain", "", "")).await;
    let error = client.place_order("s", "line\nbreak").await.unwrap_err();
    assert!(matches!(error, ClientError::Unsendable(_)), "{error}");
    client.hide("+86 138/1").await.unwrap();
    assert!(asked.await.unwrap().starts_with("PUT /v1/hidden/+86%20138%2F1 "));
}

#[tokio::test]
async fn events_come_one_by_one() {
    use futures::StreamExt;
    let body = "id: 1\nevent: match\ndata: {\"number\":\"+8613800000001\",\"matched\":true,\"at\":\"2026-01-01T00:00:00Z\"}\n\n";
    let (client, asked) = answering(answer("200 OK", "text/event-stream", "", body)).await;
    let events: Vec<_> = client.events(Some("0")).await.unwrap().collect().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].as_ref().unwrap().id, "1");
    assert!(asked.await.unwrap().contains("last-event-id: 0"));
}
