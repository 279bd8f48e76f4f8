//! A PostgreSQL of one's own that logs every statement.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Place, files};

pub(crate) struct Cluster {
    directory: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
    step_down: bool,
}

/// Where the server's programs are: where Debian puts them, else where `pg_config` says.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut all: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    all.sort();
    all.reverse();
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    all.extend(told.map(|told| PathBuf::from(String::from_utf8_lossy(&told.stdout).trim())));
    all.into_iter().find(|directory| directory.join("initdb").is_file())
}

impl Cluster {
    /// `None` where PostgreSQL is not installed and nobody insists.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(std::env::var("CI").is_err(), "CI must test PostgreSQL: install it");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let user = Command::new("id").arg("-u").output().unwrap();
        // PostgreSQL refuses to be root; then it runs as the user that its package made.
        let step_down = user.stdout.trim_ascii() == b"0";
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { directory, programs, port, step_down };
        if step_down {
            let given = Command::new("chown").arg("postgres").arg(cluster.directory.path()).status();
            assert!(given.unwrap().success());
        }
        let data = cluster.data();
        cluster
            .run("initdb", &["-D", &data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N"]);
        let options = format!(
            "-p {port} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c log_statement=all \
             -c log_min_duration_statement=0 -c log_line_prefix='%a ' -c log_parameter_max_length=-1",
            cluster.directory.path().display()
        );
        let log = cluster.directory.path().join("log").display().to_string();
        cluster.run("pg_ctl", &["-D", &data, "-l", &log, "-o", &options, "-w", "start"]);
        Some(cluster)
    }

    fn data(&self) -> String {
        self.directory.path().join("data").display().to_string()
    }

    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = Command::new("setpriv");
        if self.step_down {
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
        } else {
            command = Command::new(program);
        }
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        assert!(self.command(program).args(arguments).status().unwrap().success(), "{program}");
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The address of one of its databases for one of its users.
    pub(crate) fn url_of(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// What a statement answers in a database, as text.
    pub(crate) fn ask(&self, database: &str, sql: &str) -> String {
        let url = self.url_of("postgres", database);
        let output = self.command("psql").args([&url, "-Atqc", sql]).stdout(Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "{sql}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn sql(&self, sql: &str) {
        self.run("psql", &[&self.url(), "-qc", sql]);
    }

    /// The whole database as text.
    pub(super) fn dump(&self) -> String {
        let output = self.command("pg_dump").arg(self.url()).stdout(Stdio::piped()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the server itself has logged.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Its tables and its write-ahead log, as they lie on the disk.
    pub(super) fn files(&self) -> Vec<Place> {
        self.sql("CHECKPOINT");
        let data = self.directory.path().join("data");
        ["base", "pg_wal"].iter().flat_map(|part| files(&data.join(part))).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.command("pg_ctl").args(["-D", &self.data(), "-m", "immediate", "-w", "stop"]).status();
    }
}
