//! The control face of the simulated centre, over plain HTTP.

use serde_json::{Value, json};
use smpp::Session;
use smpp::simulator::{Faults, Simulator};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixtures::{Inbox, config, simulator, submit};

async fn request(simulator: &Simulator, method: &str, path: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(simulator.control_addr()).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

#[tokio::test]
async fn a_phones_screen_is_shown_under_every_form_of_its_number() {
    let simulator = simulator().await;
    let session = Session::bind(config(simulator.smpp_addr().port()), Inbox::new()).await.unwrap();
    session.submit(submit("验证码 381724")).await.unwrap();
    let shown = json!([{"from": "10690001", "text": "验证码 381724", "at": "2026-01-01T00:00:00Z"}]);
    for number in ["%2B8613800138000", "+8613800138000", "8613800138000", "13800138000"] {
        let (status, _, body) = request(&simulator, "GET", &format!("/phones/{number}/texts"), "").await;
        assert_eq!((status, serde_json::from_str::<Value>(&body).unwrap()), (200, shown.clone()), "{number}");
    }
    let (status, _, body) = request(&simulator, "GET", "/phones/8613911111111/texts", "").await;
    assert_eq!((status, body.as_str()), (200, "[]"));
}

#[tokio::test]
async fn a_reply_is_accepted_and_delivered() {
    let (simulator, inbox) = (simulator().await, Inbox::new());
    let body = json!({"to": "10690001", "text": "好的"}).to_string();
    let (status, ..) = request(&simulator, "POST", "/phones/%2B8613800138000/reply", &body).await;
    assert_eq!(status, 202);
    let _session = Session::bind(config(simulator.smpp_addr().port()), inbox.clone()).await.unwrap();
    inbox.wait_for(1).await;
}

#[tokio::test]
async fn bad_requests_are_problems() {
    let simulator = simulator().await;
    let reply = "/phones/8613800138000/reply";
    let long = json!({"to": "1", "text": "好".repeat(67 * 255 + 1)}).to_string();
    for (method, path, body, wanted) in [
        ("POST", reply, "", 400),
        ("POST", reply, "{", 400),
        ("POST", reply, r#"{"to": "1"}"#, 400),
        ("POST", reply, r#"{"to": "", "text": "x"}"#, 422),
        ("POST", reply, r#"{"to": "123456789012345678901", "text": "x"}"#, 422),
        ("POST", "/phones/none/reply", r#"{"to": "1", "text": "x"}"#, 422),
        ("POST", reply, &long, 422),
        ("PUT", "/faults", r#"{"nonsense": 1}"#, 400),
        ("DELETE", "/faults", "", 405),
        ("GET", "/nothing", "", 404),
    ] {
        let (status, head, body) = request(&simulator, method, path, body).await;
        assert_eq!(status, wanted, "{method} {path} {body}");
        assert!(head.contains("application/problem+json"), "{head}");
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["status"], wanted);
    }
}

#[tokio::test]
async fn faults_are_set_and_shown() {
    let simulator = simulator().await;
    let (status, ..) = request(&simulator, "PUT", "/faults", r#"{"throttle_every": 3}"#).await;
    assert_eq!(status, 200);
    let (_, _, body) = request(&simulator, "GET", "/faults", "").await;
    let faults: Faults = serde_json::from_str(&body).unwrap();
    assert_eq!(faults, Faults { throttle_every: 3, ..Faults::default() });
}
