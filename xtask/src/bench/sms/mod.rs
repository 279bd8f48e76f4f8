//! `cargo xtask bench sms`: our session layer beside other people's, against the same centre in the same run, and the
//! durable outbox.

mod page;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::report::Moment;
use crate::house::{self, Pipe, Server};
use crate::interop;
use crate::python;
use crate::run::{self, Failed};

/// Submits that may wait for their answers.
const WINDOWS: [u64; 3] = [1, 10, 100];

const USAGE: &str = "usage: cargo xtask bench sms [--rounds 5] [--texts 20000]";

/// A client of SMPP: its name, and its program with what comes before port, window and count.
struct Client {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, PathBuf)>,
}

/// The runs of one client at one window, in texts a second.
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) window: u64,
    pub(super) rates: Vec<f64>,
}

/// Measures, and writes the page.
pub(super) fn run(root: &Path, arguments: &[&str]) -> Result<(), Failed> {
    let (rounds, texts) = read(arguments).ok_or_else(|| Failed::new(USAGE))?;
    let [measure, outbox] = build(root)?;
    let (_centre, said) = Server::start(&measure, &["serve"], Pipe::Stdout, "listening ")?;
    let port = said.trim().rsplit(' ').next().unwrap_or_default().to_owned();
    let clients = clients(root, measure)?;
    let moment = Moment::now(root);
    let mut figures = Vec::new();
    for window in WINDOWS {
        // At window 1 every text waits for a round trip: fewer are enough.
        let count = if window == 1 { texts / 4 } else { texts };
        let mut of_window: Vec<_> =
            clients.iter().map(|client| Figure { name: client.name, window, rates: Vec::new() }).collect();
        // Interleaved, so that what else the machine does meets all alike; the first round only warms up.
        for round in 0..=rounds {
            for (client, figure) in clients.iter().zip(&mut of_window) {
                let rate = client.rate(&port, window, count)?;
                println!("{} at window {window}: {rate:.0} a second", client.name);
                if round > 0 {
                    figure.rates.push(rate);
                }
            }
        }
        figures.extend(of_window);
    }
    let alone = Client { name: OUTBOX, program: outbox, arguments: Vec::new(), environment: Vec::new() };
    for window in [10, 100] {
        let mut figure = Figure { name: OUTBOX, window, rates: Vec::new() };
        for _ in 0..rounds {
            let rate = alone.rate(&port, window, texts)?;
            println!("{} at window {window}: {rate:.0} a second", alone.name);
            figure.rates.push(rate);
        }
        figures.push(figure);
    }
    page::write(root, &figures, rounds, texts, &moment)
}

pub(super) const OURS: &str = "smpp (ours)";
pub(super) const OUTBOX: &str = "durable outbox";

fn read(arguments: &[&str]) -> Option<(u64, u64)> {
    let (mut rounds, mut texts) = (5, 20_000);
    for pair in arguments.chunks(2) {
        match pair {
            ["--rounds", count] => rounds = count.parse().ok().filter(|count| *count > 0)?,
            ["--texts", count] => texts = count.parse().ok().filter(|count| *count >= 4)?,
            _ => return None,
        }
    }
    Some((rounds, texts))
}

/// Builds the programs that measure.
fn build(root: &Path) -> Result<[PathBuf; 2], Failed> {
    let examples =
        ["--package", "smpp", "--package", "sms", "--example", "measure-smpp", "--example", "outbox"];
    run::cargo(root, &[&["build", "--release"], &examples[..]].concat()).run()?;
    let place = house::target(root).join("release").join("examples");
    Ok([place.join("measure-smpp"), place.join("outbox")])
}

fn clients(root: &Path, measure: PathBuf) -> Result<Vec<Client>, Failed> {
    let target = house::target(root);
    let requirements = root.join("xtask").join("interop").join("requirements.txt");
    let interpreter = python::environment(&target, interop::PYTHON, &requirements)?.join("python");
    let modules = interop::node(&target)?.join("node_modules");
    let script = |name: &str| {
        root.join("xtask").join("src").join("bench").join("sms").join(name).to_string_lossy().into_owned()
    };
    let peers = build_peers(root, &target)?;
    let compiled = |name, program: &Path, word: &str| {
        let (program, arguments) = (program.to_owned(), vec![word.to_owned()]);
        Client { name, program, arguments, environment: Vec::new() }
    };
    let ours = compiled(OURS, &measure, "send");
    let smpp34 = compiled("smpp34", &peers, "smpp34");
    let rusmppc = compiled("rusmppc", &peers, "rusmppc");
    let python = Client {
        name: "smpp34 in Python",
        program: interpreter,
        arguments: vec![script("peer.py")],
        environment: Vec::new(),
    };
    let npm = Client {
        name: "npm smpp",
        program: PathBuf::from("node"),
        arguments: vec![script("peer.js")],
        environment: vec![("NODE_PATH", modules)],
    };
    Ok(vec![ours, smpp34, rusmppc, python, npm])
}

/// Builds the clients of others that are crates; nothing but this needs them.
fn build_peers(root: &Path, target: &Path) -> Result<PathBuf, Failed> {
    let manifest = root.join("xtask").join("peers").join("sms").join("Cargo.toml");
    let place = target.join("bench-sms");
    let (manifest, place_text) = (manifest.to_string_lossy(), place.to_string_lossy());
    let arguments =
        ["build", "--release", "--locked", "--manifest-path", &manifest, "--target-dir", &place_text];
    run::cargo(root, &arguments).run()?;
    Ok(place.join("release").join("peers"))
}

impl Client {
    /// Runs it; gives texts a second.
    fn rate(&self, port: &str, window: u64, count: u64) -> Result<f64, Failed> {
        let (window, texts) = (window.to_string(), count.to_string());
        let mut arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        arguments.extend([port, &window, &texts]);
        let mut program = run::program(&self.program, &arguments);
        for (name, value) in &self.environment {
            program = program.with(name, &value.to_string_lossy());
        }
        let said: Value = serde_json::from_str(program.read()?.trim())
            .map_err(|_| Failed::new(format!("{} does not say its seconds", self.name)))?;
        let seconds = said["seconds"].as_f64().filter(|seconds| *seconds > 0.0);
        let seconds = seconds.ok_or_else(|| Failed::new(format!("{} took no time", self.name)))?;
        Ok(count as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_words_that_mean_nothing_refused() {
        assert_eq!(read(&[]), Some((5, 20_000)));
        assert_eq!(read(&["--texts", "400", "--rounds", "1"]), Some((1, 400)));
        for wrong in [&["--rounds"][..], &["--rounds", "0"], &["--texts", "3"], &["--fast", "1"]] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
