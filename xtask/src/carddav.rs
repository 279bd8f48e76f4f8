//! The terminal and a CardDAV server that nobody here wrote: PyPI's Radicale, with a thousand cards.

use std::path::Path;

use crate::run::{Failed, program};
use crate::{house, python};

/// The Python environment with the server.
const PYTHON: &str = "python-carddav";

/// Pulls from it, delivers what came, and has it change, forget, refuse and stop half-way.
pub(crate) fn run(root: &Path) -> Result<(), Failed> {
    let files = root.join("xtask").join("interop");
    let requirements = files.join("carddav-requirements.txt");
    let programs = python::environment(&house::target(root), PYTHON, &requirements)?;
    let (binary, script) = (house::binary(root)?, files.join("carddav.py"));
    let arguments = [script.to_string_lossy(), binary.to_string_lossy()];
    let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    print!("{}", program(programs.join("python"), &arguments).read()?);
    Ok(())
}
