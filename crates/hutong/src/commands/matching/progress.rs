//! How far it has come, where a terminal watches.

use std::io::{self, Read, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over the bytes read, on stderr if that is a terminal, else nothing.
#[derive(Debug, Clone)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Begins with so many bytes to read.
    pub(super) fn begin(bytes: u64) -> Self {
        // It draws on stderr, and only where that is a terminal.
        let bar = ProgressBar::new(bytes);
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {wide_bar} {bytes} of {total_bytes}, {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_message("reading");
        Self(bar)
    }

    /// Counts bytes as read.
    pub(super) fn count(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Says what is done after reading.
    pub(super) fn turn_to(&self, what: &'static str) {
        self.0.set_message(what);
        if !self.0.is_hidden() {
            // Nothing counts from now on, and the clock should go on.
            self.0.enable_steady_tick(Duration::from_millis(200));
        }
    }

    /// Writes a line to stderr, above the bar where there is one.
    pub(super) fn say(&self, line: &str) {
        self.0.suspend(|| {
            // Where stderr is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "{line}");
        });
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}

/// Counts what is read from it.
pub(super) struct Counted<R> {
    input: R,
    progress: Progress,
}

impl<R> Counted<R> {
    pub(super) fn new(input: R, progress: &Progress) -> Self {
        Self { input, progress: progress.clone() }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.progress.count(count as u64);
        Ok(count)
    }
}
