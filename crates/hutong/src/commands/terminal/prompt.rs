//! Asking back. Talk goes to stderr, so that data on stdout stays clean.

use std::io::{BufRead, IsTerminal, Write};

use crate::failure::Failure;

/// Says a line.
pub(super) fn say(line: &str) {
    // Where stderr is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Asks for a line.
pub(super) fn ask(question: &str) -> Result<String, Failure> {
    let _ = write!(std::io::stderr(), "{question} ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::user("the answer cannot be read").because(&error))?;
    Ok(answer.trim().to_owned())
}

/// Asks for a line that nobody looking on should see: what is typed does not show.
pub(super) fn ask_secret(question: &str) -> Result<String, Failure> {
    if !is_attended() {
        return ask(question);
    }
    rpassword::prompt_password(format!("{question} "))
        .map(|answer| answer.trim().to_owned())
        .map_err(|error| Failure::user("the answer cannot be read").because(&error))
}

/// Whether somebody sits there to answer.
pub(super) fn is_attended() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks for a yes; where nobody sits there, the command itself was the yes.
pub(super) fn agrees(question: &str) -> Result<bool, Failure> {
    if !is_attended() {
        return Ok(true);
    }
    let answer = ask(&format!("{question} [y/N]"))?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes" | "是"))
}
