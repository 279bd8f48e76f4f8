//! The real binary with a simulated SMS centre, on free ports and with data of its own, for those who try it from outside.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::run::{Failed, cargo, program};

/// Lines read at most while a server says where it listens.
const LINES_MAX: usize = 200;

/// Running servers and their centre; both end, and their data goes, with this.
pub(crate) struct House {
    /// Where `/v1` is.
    pub(crate) api: String,
    /// Where the phones' screens are.
    pub(crate) sms_control: String,
    _server: Server,
    _centre: Server,
    data: Directory,
}

/// Where cargo builds.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// Builds the binary as the tests build it, so that nothing is compiled twice, and answers where it is.
pub(crate) fn binary(root: &Path) -> Result<PathBuf, Failed> {
    cargo(root, &["build", "--workspace", "--all-features", "--bin", "hutong", "--quiet"]).run()?;
    Ok(target(root).join("debug").join("hutong"))
}

impl House {
    /// Starts the servers with the settings in `settings` (more of `hutong.toml`), and seeds them in turn.
    pub(crate) fn start(binary: &Path, settings: &str, seeds: &[PathBuf]) -> Result<Self, Failed> {
        let data = Directory::make()?;
        let free = "127.0.0.1:0";
        let centre = ["smsc", "--listen", free, "--control", free];
        let (centre, said) = Server::start(binary, &centre, Pipe::Stdout, "control http://")?;
        let smpp =
            said.lines().find_map(|line| line.strip_prefix("smpp")?.trim().rsplit(':').next()?.parse().ok());
        let smpp: u16 = smpp.ok_or_else(|| Failed::new("the simulated centre does not say where it is"))?;
        let config = data.0.join("hutong.toml");
        let text = format!(
            "listen = \"{free}\"\nmetrics = \"{free}\"\ndata = {:?}\n{settings}\n[sms]\nport = {smpp}\n",
            data.0.join("data")
        );
        std::fs::write(&config, text)
            .map_err(|error| Failed::new(format!("{}: {error}", config.display())))?;
        let config = config.to_string_lossy().into_owned();
        let (server, log) =
            Server::start(binary, &["serve", "--config", &config], Pipe::Stderr, "listening on http://")?;
        let address = after(&log, "listening on http://")?;
        for seed in seeds {
            let seed = seed.to_string_lossy();
            program(binary, &["seed", &seed, "--config", &config, "--listen", &address]).read()?;
        }
        let sms_control = format!("http://{}", after(&said, "control http://")?);
        Ok(Self { api: format!("http://{address}"), sms_control, _server: server, _centre: centre, data })
    }
}

impl House {
    /// A directory that goes with it.
    pub(crate) fn directory(&self) -> &Path {
        &self.data.0
    }
}

fn after(text: &str, mark: &str) -> Result<String, Failed> {
    let (_, rest) = text.rsplit_once(mark).ok_or_else(|| Failed::new(format!("nothing says `{mark}`")))?;
    Ok(rest.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ':')).collect())
}

/// Which of its outputs a server says things on.
pub(crate) enum Pipe {
    Stdout,
    Stderr,
}

/// A program that runs until this is dropped.
pub(crate) struct Server(Child);

impl Server {
    /// Starts it, and reads what it says up to the line with the mark.
    pub(crate) fn start(
        binary: &Path,
        arguments: &[&str],
        pipe: Pipe,
        mark: &str,
    ) -> Result<(Self, String), Failed> {
        Self::start_with(binary, arguments, pipe, mark, &[])
    }

    /// Starts it in an environment that holds more.
    pub(crate) fn start_with(
        binary: &Path,
        arguments: &[&str],
        pipe: Pipe,
        mark: &str,
        environment: &[(&str, &PathBuf)],
    ) -> Result<(Self, String), Failed> {
        let mut command = Command::new(binary);
        command.args(arguments).stdin(Stdio::null()).env("NO_COLOR", "1");
        command.envs(environment.iter().copied());
        match pipe {
            Pipe::Stdout => command.stdout(Stdio::piped()),
            Pipe::Stderr => command.stderr(Stdio::piped()),
        };
        let not_started = |error| Failed::new(format!("{} cannot be started: {error}", binary.display()));
        let mut server = Self(command.spawn().map_err(not_started)?);
        let output: Option<Box<dyn Read + Send>> = match pipe {
            Pipe::Stdout => server.0.stdout.take().map(|out| Box::new(out) as _),
            Pipe::Stderr => server.0.stderr.take().map(|out| Box::new(out) as _),
        };
        let mut lines = BufReader::new(output.ok_or_else(|| Failed::new("no pipe to a server"))?);
        let mut said = String::new();
        for _ in 0..LINES_MAX {
            if said.contains(mark) {
                // A pipe that nobody reads would fill and stop the server.
                std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
                return Ok((server, said));
            }
            if lines.read_line(&mut said).unwrap_or(0) == 0 {
                break;
            }
        }
        Err(Failed::new(format!("`{}` did not say `{mark}` but:\n{said}", arguments.join(" "))))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A directory that goes away.
struct Directory(PathBuf);

impl Directory {
    fn make() -> Result<Self, Failed> {
        let directory = std::env::temp_dir().join(format!("hutong-contract-{}", std::process::id()));
        std::fs::create_dir(&directory)
            .map_err(|error| Failed::new(format!("no temporary directory can be made: {error}")))?;
        Ok(Self(directory))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
