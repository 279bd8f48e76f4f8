//! `hutong sms send` and `listen` beside `hutong smsc`.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Output, Stdio};

use serde_json::Value;

use crate::binary::command;

/// A simulated centre in a process of its own.
struct Centre {
    child: Child,
    port: String,
    control: String,
    directory: tempfile::TempDir,
}

impl Drop for Centre {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Centre {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let arguments = ["smsc", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
        let mut child = command(&arguments, directory.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut after = |prefix: &str| {
            let line = lines.next().unwrap().unwrap();
            line.rsplit_once(prefix).unwrap().1.trim().to_owned()
        };
        let (port, control) = (after(":"), after("http://"));
        Self { child, port, control, directory }
    }

    fn send(&self, arguments: &[&str]) -> Output {
        let all = [&["sms", "send", "--host", "127.0.0.1", "--port", &self.port], arguments].concat();
        command(&all, self.directory.path()).output().unwrap()
    }

    fn http(&self, request: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.control).unwrap();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    fn texts(&self, number: &str) -> Vec<String> {
        let texts: Value =
            serde_json::from_str(&self.http(&format!("GET /phones/{number}/texts"), "")).unwrap();
        texts.as_array().unwrap().iter().map(|text| text["text"].as_str().unwrap().to_owned()).collect()
    }
}

fn json_lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> Value {
    serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()
}

#[test]
fn one_text_goes_to_consecutive_numbers_and_each_outcome_is_a_line() {
    let centre = Centre::start();
    let long = "长文本".repeat(40);
    let output = centre.send(&["--to", "138 0013 8009", "--count", "3", "--text", &long]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = json_lines(&output);
    let to: Vec<_> = lines.iter().map(|line| line["to"].as_str().unwrap()).collect();
    assert_eq!(to, ["+8613800138009", "+8613800138010", "+8613800138011"]);
    for line in &lines {
        assert!(["accepted", "delivered"].contains(&line["state"].as_str().unwrap()), "{line}");
        assert_eq!((&line["attempts"], line.get("error")), (&Value::from(1), None), "{line}");
        assert_eq!(line["message_id"], line["message_ids"][0], "{line}");
        assert_eq!(centre.texts(line["to"].as_str().unwrap()), [long.as_str()]);
    }
    // A centre's ids are its own: no two parts share one.
    let mut ids: Vec<_> = lines.iter().flat_map(|line| line["message_ids"].as_array().unwrap()).collect();
    ids.sort_by_key(|id| id.to_string());
    ids.dedup();
    assert_eq!(ids.len(), 6);
}

#[test]
fn an_outbox_that_was_named_is_kept_and_one_that_was_not_leaves_nothing() {
    let centre = Centre::start();
    let before = std::fs::read_dir(centre.directory.path()).unwrap().count();
    assert!(centre.send(&["--to", "+8613800138000", "--text", "hi"]).status.success());
    assert_eq!(std::fs::read_dir(centre.directory.path()).unwrap().count(), before);
    assert!(centre.send(&["--to", "+8613800138000", "--text", "hi", "--data", "outbox"]).status.success());
    assert!(centre.directory.path().join("outbox").join("hutong.sqlite").exists());
}

#[test]
fn what_cannot_be_sent_is_said_before_anything_is() {
    let centre = Centre::start();
    for (arguments, code, word) in [
        (&["--to", "10086", "--text", "hi"][..], 1, "--to"),
        (&["--to", "+8613800138000", "--text", "hi", "--system-id", "an_account_too_long"], 1, "system_id"),
        (&["--to", "+8613800138000", "--text", "hi", "--count", "0"], 2, "--count"),
        (&["--to", "+8613800138000"], 2, "--text"),
    ] {
        let output = centre.send(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(word) && output.stdout.is_empty(), "{stderr}");
    }
    assert!(centre.texts("+8613800138000").is_empty());
}

#[test]
fn listening_prints_what_phones_write_and_what_became_of_texts() {
    let centre = Centre::start();
    let arguments = ["sms", "listen", "--host", "127.0.0.1", "--port", &centre.port];
    let mut child = command(&arguments, centre.directory.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The centre holds what phones write until somebody is bound.
    let reply = centre.http("POST /phones/+8613800138000/reply", r#"{"to":"10690001","text":"是 4827"}"#);
    let text = next(&mut lines);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        (&text["kind"], &text["from"], &text["to"], &text["text"]),
        (&"text".into(), &"+8613800138000".into(), &"10690001".into(), &"是 4827".into()),
        "{reply}"
    );
}
