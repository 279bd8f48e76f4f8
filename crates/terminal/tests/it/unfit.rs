//! Servers that answer as no server should: each a clear error, and what the terminal remembers stays.

use std::time::Duration;

use terminal::Client;
use terminal::memory::{FileMemory, Memory};
use terminal::state::{State, SyncedBook};
use terminal::sync::{Extent, SyncError, sync};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::planning::numbers;

/// Answers every request with these bytes and hangs up.
async fn answering(bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&bytes).await;
        }
    });
    format!("http://{address}")
}

fn http(status: &str, more: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

#[tokio::test]
async fn an_unfit_server_gives_a_clear_error_and_changes_nothing_here() {
    let json = "content-type: application/json\r\n";
    let problem = "content-type: application/problem+json\r\n";
    let expired = r#"{"type":"/docs/errors/auth/invalid","title":"No","status":401,"code":"auth/invalid","detail":"No.","request_id":"r"}"#;
    for (answer, words) in [
        (b"\x00\xff\x13garbage that is no HTTP at all\r\n\r\n".to_vec(), "broke off"),
        (Vec::new(), "broke off"),
        (
            http("200 OK", "content-type: text/html\r\n", "<html>Welcome to the hotel</html>"),
            "not a Hutong server",
        ),
        (http("200 OK", json, "{\"version\": \"seven\"}"), "not a Hutong server"),
        (http("200 OK", json, &"[".repeat(100_000)), "not a Hutong server"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{\"ver"
                .to_vec(),
            "broke off",
        ),
        (
            http("307 Temporary Redirect", "location: http://evil.example/v1/book\r\n", ""),
            "another address (http://evil.example/",
        ),
        (http("401 Unauthorized", problem, expired), "No."),
        (http("502 Bad Gateway", "", "bad gateway"), "not a Hutong server"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let memory = FileMemory::at(directory.path().join("terminal.json"));
        let book = SyncedBook { version: 3, numbers: numbers(0..5), complete: true, ..SyncedBook::default() };
        memory.save(&State { book: Some(book), ..State::default() }).unwrap();
        let before = std::fs::read(directory.path().join("terminal.json")).unwrap();
        let client = Client::new(&answering(answer).await).unwrap().with_token("secret-token");
        let outcome = sync(&client, &memory, &numbers(0..9), Extent::Whole, false).await;
        let Err(SyncError::Server(error)) = outcome else { panic!("{words}: {outcome:?}") };
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error:?}").contains("secret-token"));
        let after = std::fs::read(directory.path().join("terminal.json")).unwrap();
        assert_eq!(after, before, "{words}");
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_half_way_is_left_and_nothing_counts_as_delivered() {
    let state = http("200 OK", "content-type: application/json\r\n", r#"{"version":3,"size":5}"#);
    // It is silent before or within its first answer, or once it has the upload.
    for (answered, heard) in [(0, 0), (0, state.len() - 4), (1, 0)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = state.clone();
        let server = tokio::spawn(async move {
            let mut request = vec![0; 65_536];
            for _ in 0..answered {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut request).await;
                stream.write_all(&answer).await.unwrap();
            }
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(&answer[..heard]).await.unwrap();
            // The line is kept for as long as the terminal holds it.
            while stream.read(&mut request).await.is_ok_and(|more| more > 0) {}
        });
        let directory = tempfile::tempdir().unwrap();
        let memory = FileMemory::at(directory.path().join("terminal.json"));
        let book = SyncedBook { version: 3, numbers: numbers(0..5), complete: true, ..SyncedBook::default() };
        memory.save(&State { book: Some(book.clone()), ..State::default() }).unwrap();
        let client = Client::new(&format!("http://{address}")).unwrap().with_token("secret-token");
        let client = client.with_answer_limit(Duration::from_millis(300));
        let outcome = sync(&client, &memory, &numbers(0..9), Extent::Whole, false).await;
        let Err(SyncError::Server(error)) = outcome else { panic!("{outcome:?}") };
        assert!(error.to_string().contains("broke off"), "{error}");
        server.await.unwrap();
        // What may have arrived is remembered as such.
        let unsure = if answered == 1 { numbers(5..9) } else { numbers(0..0) };
        assert_eq!(memory.load().unwrap().book, Some(SyncedBook { unsure, ..book }));
    }
}
