//! Keeps the newest heads in a file outside the database, so that a log whose end was cut off is known.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use tokio::sync::oneshot;

use super::chain::Head;
use super::heads::Heads;
use crate::error::{Kind, StoreError};

enum Message {
    Heads(Vec<Head>),
    Flush(oneshot::Sender<()>),
}

/// Writes the heads that commits bring into the file, on a thread of its own: nobody waits for it. It
/// may be some commits behind the log, never ahead of it.
#[derive(Clone)]
pub(crate) struct Keeper(mpsc::Sender<Message>);

impl Keeper {
    pub(crate) fn start(file: PathBuf, heads: Heads) -> Result<Self, StoreError> {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new().name("audit-heads".to_owned());
        let started = thread.spawn(move || run(&file, heads, &receiver));
        started.map_err(|error| StoreError::new(Kind::Unavailable, error))?;
        Ok(Self(sender))
    }

    pub(crate) fn tell(&self, heads: Vec<Head>) {
        // The thread lives as long as a sender does.
        let _ = self.0.send(Message::Heads(heads));
    }

    /// Waits until all that was told stands in the file.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.0.send(Message::Flush(done)).is_ok() {
            let _ = flushed.await;
        }
    }
}

fn run(file: &Path, mut heads: Heads, receiver: &mpsc::Receiver<Message>) {
    let mut failed = !keep(file, &heads, false);
    while let Ok(first) = receiver.recv() {
        let mut waiting = Vec::new();
        // Whatever came meanwhile goes into one writing.
        for message in std::iter::once(first).chain(std::iter::from_fn(|| receiver.try_recv().ok())) {
            match message {
                Message::Heads(new) => new.into_iter().for_each(|head| heads.take(head)),
                Message::Flush(done) => waiting.push(done),
            }
        }
        failed = !keep(file, &heads, failed);
        for done in waiting {
            // Whoever waited may have gone.
            let _ = done.send(());
        }
    }
}

fn keep(file: &Path, heads: &Heads, failed_before: bool) -> bool {
    match replace(file, &heads.to_text()) {
        Ok(()) => true,
        Err(error) => {
            if !failed_before {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the heads of the audit log cannot be kept beside the key file; a log cut off would not be noticed"
                );
            }
            false
        }
    }
}

/// Gives the file its new content whole or not at all. It need not be on the disk at once: what a power
/// cut takes of it, it takes from the end.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut aside = tempfile::Builder::new().prefix(".hutong-audit-").tempfile_in(directory)?;
    aside.write_all(text.as_bytes())?;
    aside.persist(file).map(drop).map_err(|refused| refused.error)
}

/// The file and those set aside beside it, whose names begin with its own.
pub(crate) fn head_files(file: &Path) -> std::io::Result<Vec<PathBuf>> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let rest = path.file_name().and_then(|found| found.to_str()?.strip_prefix(name));
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
