//! `hutong smsc`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::binary::command;

#[test]
fn the_simulated_centre_prints_its_two_addresses_and_serves_both() {
    let directory = tempfile::tempdir().unwrap();
    let mut child =
        command(&["smsc", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"], directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut address = |name: &str| {
        let line = lines.next().unwrap().unwrap();
        line.strip_prefix(name).unwrap().trim().to_owned()
    };
    let (smpp, control) = (address("smpp"), address("control"));
    TcpStream::connect(smpp).unwrap();
    let mut stream = TcpStream::connect(control.strip_prefix("http://").unwrap()).unwrap();
    let request = "GET /phones/+8613800138000/texts HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("[]"), "{answer}");
}

#[test]
fn a_taken_address_is_an_error_with_a_hint() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = command(&["smsc", "--listen", &address], directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.starts_with("Error: ") && stderr.contains("Hint: ") && stderr.contains("--listen"),
        "{stderr}"
    );
}
