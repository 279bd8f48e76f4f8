//! The SMS link and programs that nobody here wrote: npm's and PyPI's SMS centres, and a client of ours.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::house::{self, Pipe, Server};
use crate::python;
use crate::run::{Failed, program};

/// The centre of npm, pinned.
pub(crate) const NPM: &str = "smpp@0.5.1";

/// The Python environment with what PyPI has, and the version of its centre there.
pub(crate) const PYTHON: &str = "python-sms";
pub(crate) const SMPP34: &str = "1.5.0";

/// Texts sent to each centre, of two parts each.
const TEXTS: usize = 100;
const TEXT: &str = "胡同：朋友分享的服务，一键订购。胡同：朋友分享的服务，一键订购。胡同：朋友分享的服务，一键订购。胡同：朋友分享的服务，一键订购。胡同：朋友分享的服务，一键订购。";

/// What both centres send to whoever binds.
const REPLY: &str = "确认 4827";

/// Tries the link in both directions against each.
pub(crate) fn run(root: &Path) -> Result<(), Failed> {
    let files = root.join("xtask").join("interop");
    let target = house::target(root);
    let node = node(&target)?;
    let programs = python::environment(&target, PYTHON, &files.join("requirements.txt"))?;
    let python = programs.join("python");
    let binary = house::binary(root)?;
    let modules = node.join("node_modules");
    let server = |name: &str| files.join(name).to_string_lossy().into_owned();
    against(&binary, Path::new("node"), &server("server.js"), &[("NODE_PATH", &modules)], "text")?;
    against(&binary, &python, &server("server.py"), &[], "hex")?;
    from_outside(&binary, &python, &server("client.py"))
}

/// The package of npm, in a directory of its own below the target directory.
pub(crate) fn node(target: &Path) -> Result<PathBuf, Failed> {
    let directory = target.join("node-sms");
    let stamp = directory.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|held| held == NPM) {
        return Ok(directory);
    }
    let failed = |error: std::io::Error| Failed::new(format!("{}: {error}", directory.display()));
    find_or_install_npm()?;
    std::fs::create_dir_all(&directory).map_err(failed)?;
    let prefix = directory.to_string_lossy();
    let install =
        ["install", "--prefix", &prefix, "--no-audit", "--no-fund", "--silent", "--save-exact", NPM];
    program("npm", &install).read()?;
    // Written last: an installation that was not finished has none.
    std::fs::write(&stamp, NPM).map_err(failed)?;
    Ok(directory)
}

fn find_or_install_npm() -> Result<(), Failed> {
    let there = || program("npm", &["--version"]).works() && program("node", &["--version"]).works();
    if there() {
        return Ok(());
    }
    let root = program("id", &["-u"]).read()?.trim() == "0";
    if !root || !program("apt-get", &["--version"]).works() {
        return Err(Failed::new(
            "node and npm are not installed and the SMS link is tried with them; install them \
             (Debian, Ubuntu: sudo apt-get install npm; macOS: brew install node)",
        ));
    }
    println!("npm is not installed; installing it");
    let quiet = ("DEBIAN_FRONTEND", "noninteractive");
    program("apt-get", &["update", "-qq"]).with(quiet.0, quiet.1).run()?;
    program("apt-get", &["install", "-y", "-qq", "--no-install-recommends", "npm"])
        .with(quiet.0, quiet.1)
        .run()?;
    if there() { Ok(()) } else { Err(Failed::new("npm was installed, but does not run")) }
}

/// Sends through a centre and listens to it.
fn against(
    binary: &Path,
    interpreter: &Path,
    script: &str,
    environment: &[(&str, &PathBuf)],
    ids: &str,
) -> Result<(), Failed> {
    let name = Path::new(script).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (_centre, said) =
        Server::start_with(interpreter, &[script], Pipe::Stdout, "listening ", environment)?;
    let port = said.trim().rsplit(' ').next().unwrap_or_default().to_owned();
    let link = ["--host", "127.0.0.1", "--port", &port, "--system-id", "test", "--password", "test"];
    let (count, to) = (TEXTS.to_string(), ["--to", "+8613800138000", "--text", TEXT, "--count"]);
    let send = [&["sms", "send"], &link[..], &to, &[&count]].concat();
    let printed = program(binary, &send)
        .with("HUTONG_SMS__ANSWER_IDS", ids)
        .with("HUTONG_SMS__RECEIPT_IDS", ids)
        .read()
        .map_err(|failed| Failed::new(format!("{name}: {failed}")))?;
    judge(&printed).map_err(|what| Failed::new(format!("{name}: {what}")))?;
    let listen = [&["sms", "listen"], &link[..]].concat();
    let (_listener, heard) = Server::start(binary, &listen, Pipe::Stdout, "\"kind\":\"text\"")?;
    if !heard.contains(REPLY) {
        return Err(Failed::new(format!("{name}: a text came in otherwise than it was sent")));
    }
    println!("{name}: {TEXTS} texts of two parts accepted, receipts matched, a text received");
    Ok(())
}

/// Every text accepted under an id for each part, and receipts found.
fn judge(printed: &str) -> Result<(), String> {
    let lines: Vec<Value> = printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    if lines.len() != TEXTS {
        return Err(format!("{} lines for {TEXTS} texts", lines.len()));
    }
    let state = |line: &Value| line["state"].as_str().unwrap_or_default().to_owned();
    if let Some(line) = lines.iter().find(|line| !["accepted", "delivered"].contains(&state(line).as_str())) {
        return Err(format!("a text is {}", state(line)));
    }
    if lines.iter().any(|line| line["message_ids"].as_array().map(Vec::len) != Some(2)) {
        return Err("a text has not two message ids".to_owned());
    }
    // The last receipts may still be on their way.
    let delivered = lines.iter().filter(|line| state(line) == "delivered").count();
    if delivered == 0 { Err("no receipt was matched".to_owned()) } else { Ok(()) }
}

/// Somebody else's client at our centre.
fn from_outside(binary: &Path, python: &Path, client: &str) -> Result<(), Failed> {
    let free = "127.0.0.1:0";
    let arguments = ["smsc", "--listen", free, "--control", free];
    let (_centre, said) = Server::start(binary, &arguments, Pipe::Stdout, "control http://")?;
    let word =
        |mark: &str| said.lines().find_map(|line| line.strip_prefix(mark)).map(|rest| rest.trim().to_owned());
    let (Some(smpp), Some(control)) = (word("smpp"), word("control")) else {
        return Err(Failed::new("the simulated centre does not say where it is"));
    };
    let port = smpp.rsplit(':').next().unwrap_or_default().to_owned();
    program(python, &[client, &port, &control]).read()?;
    println!("client.py: a long text shown whole, its receipts and a reply received");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_lost_or_unreceipted_is_found() {
        let line = |state: &str, ids: &str| format!("{{\"state\":\"{state}\",\"message_ids\":{ids}}}\n");
        let two = "[\"1\",\"2\"]";
        let all = |state: &str| line(state, two).repeat(TEXTS);
        assert!(judge(&all("delivered")).is_ok());
        assert!(judge(&all("accepted")).is_err_and(|what| what.contains("receipt")));
        assert!(judge(&line("delivered", two).repeat(TEXTS - 1)).is_err());
        assert!(judge(&(line("delivered", two).repeat(TEXTS - 1) + &line("unknown", two))).is_err());
        assert!(judge(&(line("delivered", two).repeat(TEXTS - 1) + &line("accepted", "[\"1\"]"))).is_err());
    }
}
