//! How far it has come, where a terminal watches.

use std::io::{self, Read, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over the bytes read, on stderr if that is a terminal, else nothing.
#[derive(Debug, Clone)]
pub(in crate::commands) struct Progress(ProgressBar);

impl Progress {
    /// Begins with so many bytes to read.
    pub(in crate::commands) fn begin(bytes: u64) -> Self {
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
    pub(in crate::commands) fn count(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Begins anew, with so many of something else than bytes.
    pub(in crate::commands) fn count_to(&self, what: &'static str, total: u64) {
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {elapsed}") {
            self.0.set_style(style);
        }
        self.0.set_message(what);
        self.0.set_length(total);
        self.0.set_position(0);
    }

    /// Says what is done after reading.
    pub(in crate::commands) fn turn_to(&self, what: &'static str) {
        self.0.set_message(what);
        if !self.0.is_hidden() {
            // Nothing counts from now on, and the clock should go on.
            self.0.enable_steady_tick(Duration::from_millis(200));
        }
    }

    /// Writes a line to stderr, above the bar where there is one.
    pub(in crate::commands) fn say(&self, line: &str) {
        self.0.suspend(|| {
            // Where stderr is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "{line}");
        });
    }

    /// Takes the bar away.
    pub(in crate::commands) fn end(&self) {
        self.0.finish_and_clear();
    }
}

/// Counts what is read from it.
pub(in crate::commands) struct Counted<R> {
    input: R,
    progress: Progress,
}

impl<R> Counted<R> {
    pub(in crate::commands) fn new(input: R, progress: &Progress) -> Self {
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
