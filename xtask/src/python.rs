//! Python environments of our own, in the target directory: made once, and again when it should hold something else.

use std::path::{Path, PathBuf};

use crate::run::{Failed, program};

/// Makes the environment of that name below the target directory with what the requirements file names, or takes the one that holds just that;
/// answers the directory of its programs.
pub(crate) fn environment(target: &Path, name: &str, requirements: &Path) -> Result<PathBuf, Failed> {
    let directory = target.join(name);
    let programs = directory.join("bin");
    let wanted = std::fs::read_to_string(requirements)
        .map_err(|error| Failed::new(format!("{}: {error}", requirements.display())))?;
    // Written last: an environment that was not finished has none.
    let stamp = directory.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|held| held == wanted)
        && program(programs.join("python"), &["--version"]).works()
    {
        return Ok(programs);
    }
    find_or_install()?;
    let failed = |error: std::io::Error| Failed::new(format!("{}: {error}", directory.display()));
    program("python3", &["-m", "venv", "--clear", &text(&directory)]).read()?;
    let install =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", &text(requirements)];
    program(programs.join("python"), &install).read()?;
    std::fs::write(&stamp, wanted).map_err(failed)?;
    Ok(programs)
}

/// Debian keeps what makes environments in a package of its own.
fn find_or_install() -> Result<(), Failed> {
    let complete = || program("python3", &["-c", "import ensurepip, venv"]).works();
    if complete() {
        return Ok(());
    }
    let root = program("id", &["-u"]).read()?.trim() == "0";
    if !root || !program("apt-get", &["--version"]).works() {
        return Err(Failed::new(
            "Python 3 with its module venv is not installed and the contract and the SMS link are tried with it; \
             install it (Debian, Ubuntu: sudo apt-get install python3-venv; macOS: brew install python)",
        ));
    }
    println!("Python's module venv is not installed; installing it");
    let quiet = ("DEBIAN_FRONTEND", "noninteractive");
    program("apt-get", &["update", "-qq"]).with(quiet.0, quiet.1).run()?;
    program("apt-get", &["install", "-y", "-qq", "python3-venv"]).with(quiet.0, quiet.1).run()?;
    if complete() { Ok(()) } else { Err(Failed::new("python3-venv was installed, but makes no environment")) }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
