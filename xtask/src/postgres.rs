//! A private PostgreSQL for the tests: made in a temporary directory, gone afterwards.
//!
//! A watcher outside our process group holds the other end of a pipe; when this process ends, in
//! whatever way, the pipe closes, and the watcher stops the server and removes the directory.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::run::{Failed, program};

/// Every test has a database and a pool of its own; 100 connections, the default, are too few.
const CONNECTIONS_MAX: u16 = 400;

/// Between choosing a free port and listening on it somebody else may take it.
const STARTS_MAX: usize = 3;

/// Stops the server of the data directory `$1/data` by the rest of the arguments, when stdin ends.
const WATCH: &str = r#"
trap '' INT TERM HUP
read -r _
directory=$1; shift
"$@" >/dev/null 2>&1
rm -rf "$directory"
"#;

/// A running server.
pub(crate) struct Cluster {
    port: u16,
    watcher: Child,
}

impl Cluster {
    /// Makes and starts a server for tests.
    pub(crate) fn start() -> Result<Self, Failed> {
        // Durability is the product's to prove; these databases live for minutes.
        Self::start_with("-c fsync=off -c synchronous_commit=off -c full_page_writes=off")
    }

    /// Makes and starts a server to be measured: every commit durable, and with the memory that a machine of its own
    /// would give it.
    pub(crate) fn start_durable() -> Result<Self, Failed> {
        Self::start_with("-c shared_buffers=2GB -c max_wal_size=8GB -c work_mem=512MB")
    }

    fn start_with(settings: &str) -> Result<Self, Failed> {
        let programs = Programs::find_or_install()?;
        let directory = make_directory()?;
        programs.give(&directory)?;
        let data = directory.join("data");
        let watcher = watch(
            &directory,
            &programs.command("pg_ctl", &["-D", &text(&data), "-m", "immediate", "-w", "stop"]),
        )?;
        let mut cluster = Self { port: 0, watcher };
        let initdb =
            ["-D", &text(&data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"];
        programs.run("initdb", &initdb)?;
        cluster.port = launch(&programs, &directory, settings)?;
        println!("PostgreSQL listens on port {}", cluster.port);
        Ok(cluster)
    }

    /// Where it is, without a database's name.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The end of its stdin is the watcher's sign.
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

fn launch(programs: &Programs, directory: &Path, settings: &str) -> Result<u16, Failed> {
    let (data, log) = (text(&directory.join("data")), text(&directory.join("log")));
    let mut last = Failed::new("no port is free");
    for _ in 0..STARTS_MAX {
        let port = free_port()?;
        let options = format!(
            "-p {port} -k {} -c listen_addresses=127.0.0.1 -c max_connections={CONNECTIONS_MAX} \
             {settings}",
            text(directory)
        );
        match programs.run("pg_ctl", &["-D", &data, "-l", &log, "-o", &options, "-w", "start"]) {
            Ok(()) => return Ok(port),
            Err(failed) => last = failed,
        }
    }
    let log = std::fs::read_to_string(&log).unwrap_or_default();
    Err(Failed::new(format!("PostgreSQL does not start: {last}\n{log}")))
}

fn free_port() -> Result<u16, Failed> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|error| Failed::new(format!("no port is free: {error}")))
}

fn make_directory() -> Result<PathBuf, Failed> {
    let directory = std::env::temp_dir().join(format!("hutong-test-{}", std::process::id()));
    std::fs::create_dir(&directory)
        .map(|()| directory)
        .map_err(|error| Failed::new(format!("no temporary directory can be made: {error}")))
}

fn watch(directory: &Path, stop: &[String]) -> Result<Child, Failed> {
    Command::new("sh")
        .args(["-c", WATCH, "watch", &text(directory)])
        .args(stop)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C goes to our group and must not reach the watcher.
        .process_group(0)
        .spawn()
        .map_err(|error| Failed::new(format!("sh cannot be started: {error}")))
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Where the server's programs are, and as whom they run.
struct Programs {
    directory: PathBuf,
    /// PostgreSQL refuses to be root; then it runs as the user that its package made.
    as_postgres: bool,
}

impl Programs {
    fn find_or_install() -> Result<Self, Failed> {
        let as_postgres = program("id", &["-u"]).read()?.trim() == "0";
        if let Some(directory) = find() {
            return Ok(Self { directory, as_postgres });
        }
        if !as_postgres || !program("apt-get", &["--version"]).works() {
            return Err(Failed::new(
                "PostgreSQL is not installed and the tests need its initdb and pg_ctl; \
                 install it (Debian, Ubuntu: sudo apt-get install postgresql; macOS: brew install postgresql), \
                 or set HUTONG_TEST_POSTGRES=postgres://user@host:port to a server where databases may be made",
            ));
        }
        println!("PostgreSQL is not installed; installing it");
        let quiet = ("DEBIAN_FRONTEND", "noninteractive");
        program("apt-get", &["update", "-qq"]).with(quiet.0, quiet.1).run()?;
        program("apt-get", &["install", "-y", "-qq", "postgresql"]).with(quiet.0, quiet.1).run()?;
        let directory =
            find().ok_or_else(|| Failed::new("PostgreSQL was installed, but initdb is not found"))?;
        Ok(Self { directory, as_postgres })
    }

    /// Makes the directory the server's own.
    fn give(&self, directory: &Path) -> Result<(), Failed> {
        if self.as_postgres { program("chown", &["postgres", &text(directory)]).run() } else { Ok(()) }
    }

    fn run(&self, name: &str, arguments: &[&str]) -> Result<(), Failed> {
        let command = self.command(name, arguments);
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        // The server's user may not enter the directory that we are in.
        program(first, rest).inside(&std::env::temp_dir()).read().map(drop)
    }

    fn command(&self, name: &str, arguments: &[&str]) -> Vec<String> {
        let step_down = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"];
        let step_down = if self.as_postgres { &step_down[..] } else { &[] };
        let program = text(&self.directory.join(name));
        let words = step_down.iter().copied().chain([program.as_str()]).chain(arguments.iter().copied());
        words.map(str::to_owned).collect()
    }
}

/// The newest installation: where Debian puts them, else where `pg_config` or `PATH` says.
fn find() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = debian
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let told = program("pg_config", &["--bindir"]).read().ok().map(|text| PathBuf::from(text.trim()));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let all = versions.into_iter().rev().map(|(_, directory)| directory).chain(told).chain(path);
    all.into_iter().find(|directory| directory.join("initdb").is_file() && directory.join("pg_ctl").is_file())
}
