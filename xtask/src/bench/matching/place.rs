//! Where the programs are, and what was measured before.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::house;
use crate::run::{self, Failed};

/// The versions that the figures of docs/benchmarks are of.
const PEERS: &[&str] = &["duckdb==2.0.0", "polars==2.1.0", "numpy==2.4.6"];

const PEERS_PROGRAM: &str = include_str!("peers.py");

/// The programs that measure, and a directory for what they leave.
pub(super) struct Place {
    pub(super) matching: PathBuf,
    pub(super) store: PathBuf,
    directory: PathBuf,
}

fn failed(error: std::io::Error) -> Failed {
    Failed::new(format!("what is measured cannot be kept under target: {error}"))
}

impl Place {
    /// Makes the directory and builds the programs.
    pub(super) fn make(root: &Path) -> Result<Self, Failed> {
        let target = house::target(root);
        let directory = target.join("bench-matching");
        fs::create_dir_all(&directory).map_err(failed)?;
        let build = |package: &str| {
            let example = format!("measure-{package}");
            run::cargo(root, &["build", "--release", "--package", package, "--example", &example]).run()?;
            Ok::<_, Failed>(target.join("release").join("examples").join(example))
        };
        Ok(Self { matching: build("matching")?, store: build("store")?, directory })
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Makes a virtual environment for the peers, if it is not there from before; gives its Python.
    pub(super) fn make_python(&self) -> Result<PathBuf, Failed> {
        let environment = self.file("python");
        let python = environment.join("bin").join("python");
        if !python.exists() {
            run::program("python3", &["-m", "venv", &environment.to_string_lossy()]).run()?;
        }
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run::program(&python, &[&install[..], PEERS].concat()).run()?;
        fs::write(self.file("peers.py"), PEERS_PROGRAM).map_err(failed)?;
        Ok(python)
    }

    /// Keeps the figures of a part until it is measured again.
    pub(super) fn keep(&self, part: &str, when: &Value, figures: &[Value]) -> Result<(), Failed> {
        let kept = json!({ "when": when, "figures": figures });
        fs::write(self.file(&format!("{part}.json")), format!("{kept:#}")).map_err(failed)
    }

    /// What was measured last of a part; `Null` where nothing was.
    pub(super) fn kept(&self, part: &str) -> Value {
        let text = fs::read(self.file(&format!("{part}.json"))).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}
