//! The phones of the simulated SMS centre, here or in a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::json;
use smpp::simulator::Simulator;

use crate::house::{Server, http};

/// A simulated centre.
pub(crate) enum Centre {
    /// In the test itself.
    Here(Simulator),
    /// `hutong smsc`, which is told everything over its control.
    Apart { smpp: SocketAddr, control: String, _server: Server },
}

/// A text on a phone's screen.
#[derive(serde::Deserialize)]
pub(crate) struct Shown {
    pub(crate) from: String,
    pub(crate) text: String,
}

impl Centre {
    /// Starts `hutong smsc`.
    pub(crate) fn apart() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hutong"));
        command.args(["smsc", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = || lines.next().unwrap().unwrap().split_whitespace().last().unwrap().to_owned();
        let (smpp, control) = (next().parse().unwrap(), next());
        Self::Apart { smpp, control, _server: Server::of(child) }
    }

    pub(crate) fn smpp_addr(&self) -> SocketAddr {
        match self {
            Self::Here(simulator) => simulator.smpp_addr(),
            Self::Apart { smpp, .. } => *smpp,
        }
    }

    /// What a phone shows, the oldest first.
    pub(crate) async fn texts(&self, number: &str) -> Vec<Shown> {
        match self {
            Self::Here(simulator) => {
                let texts = simulator.texts(number).await.into_iter();
                texts.map(|text| Shown { from: text.from, text: text.text }).collect()
            }
            Self::Apart { control, .. } => {
                let url = format!("{control}/phones/{number}/texts");
                let answer = http().get(url).send().await.unwrap().text().await.unwrap();
                serde_json::from_str(&answer).unwrap()
            }
        }
    }

    /// Answers from a phone.
    pub(crate) async fn reply(&self, number: &str, to: &str, text: &str) -> Result<(), String> {
        match self {
            Self::Here(simulator) => {
                simulator.reply(number, to, text).await.map_err(|error| error.to_string())
            }
            Self::Apart { control, .. } => {
                let url = format!("{control}/phones/{number}/reply");
                let body = json!({ "to": to, "text": text }).to_string();
                let request = http().post(url).header("content-type", "application/json").body(body);
                let answer = request.send().await.unwrap();
                if answer.status().is_success() { Ok(()) } else { Err(answer.text().await.unwrap()) }
            }
        }
    }
}
