//! `hutong import`: an operator's books in bulk, straight into the store.

mod books;
mod edges;
mod write;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use domain::limits;
use store::Store;

use self::books::Books;
use super::matching::input;
use super::matching::progress::Progress;
use super::opening;
use crate::config::{Config, ConfigArgs};
use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Books: one JSON object a line, `{"number": …, "numbers": […]}`, with numbers as people write them; or an edge
    /// list as for `hutong match`, an owner's and a contact's digits a row. Plain or gzip.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The version of the text by which owners have agreed that their books are matched.
    #[arg(long, value_name = "VERSION", default_value = "import", value_parser = version)]
    consent: String,
    /// The language of those who are new.
    #[arg(long, value_name = "TAG", default_value = "zh-CN", value_parser = ["zh-CN", "en"])]
    locale: String,
    /// Stops at the first malformed row, before anything is written.
    #[arg(long)]
    strict: bool,
    /// Prints what was counted as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What came of it.
#[derive(Debug, Default, serde::Serialize)]
struct Counted {
    /// Owners whose books were read.
    owners: usize,
    /// Contacts in them, each once.
    contacts: usize,
    /// Owners whose number is none, is no mobile's, or is not served here, or whose book is too large.
    refused_owners: u64,
    /// Contacts that are nobody's mobile number.
    refused_contacts: u64,
    registered: usize,
    changed: usize,
    without_consent: usize,
    matched: usize,
    parted: usize,
    seconds: f64,
}

/// Reads all files whole, then writes: a fault of a file is told before anything is changed. Repeating an import that
/// was broken off finishes it.
///
/// # Errors
/// A [`Failure`] that names the file and the place in it, or says why the store cannot be opened.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let began = Instant::now();
    let config = Config::load(&args.config)?;
    let lengths = input::lengths(&args.files)?;
    let progress = Progress::begin(lengths.iter().sum());
    let (files, strict) = (args.files.clone(), args.strict);
    let reading = {
        let (config, progress) = (config.clone(), progress.clone());
        // Reading takes all processors for as long as it takes.
        tokio::task::spawn_blocking(move || read(&files, &lengths, strict, &config, &progress))
    };
    let books = reading.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    let books = books.inspect_err(|_| progress.end())?;
    let store = open(&config).await.inspect_err(|_| progress.end())?;
    let counted = write::all(&store, books, &args, &progress).await;
    store.close().await;
    progress.end();
    tell(Counted { seconds: began.elapsed().as_secs_f64(), ..counted? }, args.json)
}

fn version(text: &str) -> Result<String, String> {
    let most = limits::count(limits::CONSENT_VERSION_CHARS_MAX);
    let fits = (1..=most).contains(&text.chars().count());
    fits.then(|| text.to_owned()).ok_or_else(|| format!("a version has 1 to {most} characters"))
}

fn read(
    files: &[PathBuf],
    lengths: &[u64],
    strict: bool,
    config: &Config,
    progress: &Progress,
) -> Result<Books, Failure> {
    let mut books = Books::new(config.default_region, config.registration.prefixes.clone());
    let (mut listed, mut edges) = (Vec::new(), Vec::new());
    for (file, length) in files.iter().zip(lengths) {
        let kind = if books::is_json(file)? { &mut listed } else { &mut edges };
        kind.push((file.clone(), *length));
    }
    books::read_all(&listed, strict, &mut books, progress)?;
    if !edges.is_empty() {
        edges::read_all(&edges, strict, &mut books, progress)?;
    }
    Ok(books)
}

async fn open(config: &Config) -> Result<Store, Failure> {
    let store = opening::open(config).await?;
    let kept = store.keep_audit_heads(&config.audit_head_file()).await;
    kept.map_err(|error| Failure::user("the audit log cannot be read").because(&error))?;
    Ok(store)
}

fn tell(counted: Counted, json: bool) -> Result<(), Failure> {
    let mut text = if json {
        serde_json::to_string(&counted).map_err(|error| Failure::stdout(&error.into()))?
    } else {
        let Counted { owners, contacts, refused_owners, refused_contacts, .. } = counted;
        let Counted { registered, changed, without_consent, matched, parted, seconds, .. } = counted;
        format!(
            "{owners} owners with {contacts} contacts: {registered} registered, {changed} books new or changed, \
             {matched} matches begun, {parted} ended; refused: {refused_owners} owners, {refused_contacts} contacts; \
             {without_consent} owners do not consent; in {seconds:.3} s"
        )
    };
    text.push('\n');
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))
}
