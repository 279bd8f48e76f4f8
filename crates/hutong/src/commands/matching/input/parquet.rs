//! Edge lists as Parquet: each thread reads the next row group.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use matching::bulk::Edge;
use parquet::basic::{ConvertedType, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::{ParquetError, Result as Parquet};
use parquet::file::reader::{ChunkReader, FileReader, Length, SerializedFileReader};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::faults::Fault;
use super::{Broken, Reading, row};
use crate::commands::matching::progress::Progress;
use crate::failure::Failure;

/// Rows read at once: 1 MB of edges.
const BATCH_ROWS: usize = 1 << 16;

/// Reads all rows of a file.
///
/// # Errors
/// Those of the file, which name the row group where reading ended, and of whoever takes the edges.
pub(super) fn read(file: &Path, opened: File, progress: &Progress, reading: &Reading) -> Result<(), Failure> {
    let whole = |error: &dyn std::error::Error| {
        Failure::user(format!("{} cannot be read as Parquet", file.display()))
            .because(error)
            .hint("Fetch the file again; it may be cut short or damaged.")
    };
    let length = opened.metadata().map_err(|error| whole(&error))?.len();
    let shared = SharedFile { file: Arc::new(Mutex::new(opened)), length, progress: progress.clone() };
    let _quiet = Quiet::begin();
    let reader = guarded(|| SerializedFileReader::new(shared)).map_err(|error| whole(&error))?;
    let columns = columns(file, reader.metadata().file_metadata().schema_descr())?;
    let groups = reader.metadata().row_groups();
    // The number of the first row of each group.
    let starts: Vec<u64> = groups
        .iter()
        .scan(1, |next: &mut u64, group| {
            let first = *next;
            *next = first.saturating_add(group.num_rows().max(0) as u64);
            Some(first)
        })
        .collect();
    let next = AtomicUsize::new(0);
    reading.share(|| {
        while !reading.stopped() {
            let group = next.fetch_add(1, Ordering::Relaxed);
            let Some(&first) = starts.get(group) else { break };
            let mut row = first;
            let rows = groups[group].num_rows().max(0) as usize;
            guarded(|| read_group(&reader, group, rows, columns, &mut row, reading)).map_err(|error| {
                match error {
                    Failed::Edges(broken) => broken,
                    Failed::File(error) => Broken::Input(
                        Failure::user(format!("{} cannot be read beyond row {}", file.display(), row - 1))
                            .because_of(format!("row group {} of {} is damaged", group + 1, groups.len()))
                            .because(&error)
                            .hint("Fetch the file again; it may be cut short or damaged."),
                    ),
                }
            })?;
        }
        Ok(())
    })
}

/// Runs what calls the library, which panics on some damaged files.
fn guarded<T, E: From<ParquetError>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    // Nothing that it leaves half done is used again.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<&str>().map(|&words| words.to_owned());
        let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(ParquetError::General(words.unwrap_or_else(|| "it makes no sense".to_owned())).into())
    })
}

/// While it lives, panics say nothing on their own: each becomes an error that names the file.
struct Quiet(Option<Hook>);

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Sync + Send>;

impl Quiet {
    fn begin() -> Self {
        let before = take_hook();
        set_hook(Box::new(|_| {}));
        Self(Some(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = self.0.take().filter(|_| !std::thread::panicking()) {
            set_hook(before);
        }
    }
}

enum Failed {
    File(ParquetError),
    Edges(Broken),
}

impl From<ParquetError> for Failed {
    fn from(error: ParquetError) -> Self {
        Self::File(error)
    }
}

/// Finds the columns of owner and contact: those of these names, or else the first two.
fn columns(file: &Path, schema: &SchemaDescriptor) -> Result<[usize; 2], Failure> {
    let named = |name: &str| {
        let named = |column: &ColumnDescriptor| column.path().string().eq_ignore_ascii_case(name);
        schema.columns().iter().position(|column| named(column))
    };
    let unfit = |words: String| {
        Failure::user(format!("{}: {words}", file.display()))
            .hint("Name the columns of whole numbers `owner` and `contact`, or put them first.")
    };
    let columns = match (named("owner"), named("contact")) {
        (Some(owner), Some(contact)) => [owner, contact],
        (None, None) if schema.num_columns() >= 2 => [0, 1],
        (None, None) => return Err(unfit(format!("{} column instead of two", schema.num_columns()))),
        (Some(_), None) => return Err(unfit("a column `owner`, but none `contact`".to_owned())),
        (None, Some(_)) => return Err(unfit("a column `contact`, but none `owner`".to_owned())),
    };
    for at in columns {
        let column = schema.column(at);
        let kind = match (column.physical_type(), column.converted_type()) {
            _ if column.max_rep_level() > 0 => "a list",
            (Type::INT32 | Type::INT64, kind) if is_integer(kind) => continue,
            (Type::BYTE_ARRAY, ConvertedType::UTF8 | ConvertedType::NONE | ConvertedType::ENUM) => continue,
            (Type::INT32 | Type::INT64, _) => "a date, a time or a decimal",
            (Type::BOOLEAN, _) => "a boolean",
            (Type::FLOAT | Type::DOUBLE, _) => "a floating-point number",
            _ => "binary data",
        };
        let name = column.path().string();
        return Err(unfit(format!("column `{name}` is {kind} instead of a whole number or digits")));
    }
    Ok(columns)
}

fn is_integer(kind: ConvertedType) -> bool {
    use ConvertedType as Is;
    is_unsigned(kind) || matches!(kind, Is::NONE | Is::INT_8 | Is::INT_16 | Is::INT_32 | Is::INT_64)
}

fn is_unsigned(kind: ConvertedType) -> bool {
    use ConvertedType as Is;
    matches!(kind, Is::UINT_8 | Is::UINT_16 | Is::UINT_32 | Is::UINT_64)
}

/// Reads one row group; `row` is the number of the next row.
fn read_group(
    reader: &SerializedFileReader<SharedFile>,
    group: usize,
    rows: usize,
    columns: [usize; 2],
    row: &mut u64,
    reading: &Reading,
) -> Result<(), Failed> {
    let schema = reader.metadata().file_metadata().schema_descr();
    let group = reader.get_row_group(group)?;
    let keys = |column: usize| Keys { column: schema.column(column), keys: Vec::new(), levels: Vec::new() };
    let (mut owners, mut contacts) = (keys(columns[0]), keys(columns[1]));
    let mut owner_column = group.get_column_reader(columns[0])?;
    let mut contact_column = group.get_column_reader(columns[1])?;
    let mut left = rows;
    while left > 0 && !reading.stopped() {
        let wanted = left.min(BATCH_ROWS);
        owners.read(&mut owner_column, wanted)?;
        contacts.read(&mut contact_column, wanted)?;
        let mut edges = Vec::with_capacity(wanted);
        for (owner, contact) in owners.keys.iter().zip(&contacts.keys) {
            match (owner, contact) {
                (&Ok(owner), &Ok(contact)) => edges.push(Edge { owner, contact }),
                (&Err(fault), _) | (_, &Err(fault)) => reading.note(*row, fault),
            }
            *row += 1;
        }
        reading.keep(edges).map_err(Failed::Edges)?;
        left -= wanted;
    }
    Ok(())
}

/// The keys of one column, a batch at a time.
struct Keys {
    column: Arc<ColumnDescriptor>,
    keys: Vec<Result<u64, Fault>>,
    levels: Vec<i16>,
}

impl Keys {
    /// Reads exactly so many.
    fn read(&mut self, reader: &mut ColumnReader, wanted: usize) -> Parquet<()> {
        let unsigned = is_unsigned(self.column.converted_type());
        match reader {
            ColumnReader::Int32ColumnReader(reader) if unsigned => {
                self.read_as(reader, wanted, |&value| Ok(value.cast_unsigned().into()))
            }
            ColumnReader::Int32ColumnReader(reader) => {
                self.read_as(reader, wanted, |&value| u64::try_from(value).map_err(|_| Fault::Negative))
            }
            ColumnReader::Int64ColumnReader(reader) if unsigned => {
                self.read_as(reader, wanted, |&value| Ok(value.cast_unsigned()))
            }
            ColumnReader::Int64ColumnReader(reader) => {
                self.read_as(reader, wanted, |&value| u64::try_from(value).map_err(|_| Fault::Negative))
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                self.read_as(reader, wanted, |value: &ByteArray| row::number(value.data().trim_ascii()))
            }
            _ => Err(ParquetError::General("the column is of another type than the schema says".to_owned())),
        }
    }

    fn read_as<T: DataType>(
        &mut self,
        reader: &mut ColumnReaderImpl<T>,
        wanted: usize,
        key: impl Fn(&T::T) -> Result<u64, Fault>,
    ) -> Parquet<()> {
        self.keys.clear();
        let mut values = Vec::with_capacity(wanted);
        while self.keys.len() < wanted {
            values.clear();
            self.levels.clear();
            let there = self.column.max_def_level();
            let levels = (there > 0).then_some(&mut self.levels);
            let (rows, _, _) = reader.read_records(wanted - self.keys.len(), levels, None, &mut values)?;
            if rows == 0 {
                return Err(ParquetError::EOF(
                    "a column has fewer values than its row group rows".to_owned(),
                ));
            }
            if there == 0 {
                self.keys.extend(values.iter().map(&key));
                continue;
            }
            let mut values = values.iter();
            let present = |&level: &i16| if level == there { values.next().map(&key) } else { None };
            self.keys.extend(self.levels.iter().map(present).map(|key| key.unwrap_or(Err(Fault::Missing))));
        }
        Ok(())
    }
}

/// One open file, for threads that read it at different places.
#[derive(Clone)]
struct SharedFile {
    file: Arc<Mutex<File>>,
    length: u64,
    progress: Progress,
}

impl SharedFile {
    fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place))?;
        file.read(buffer)
    }
}

impl Length for SharedFile {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for SharedFile {
    type T = BufReader<Section>;

    fn get_read(&self, start: u64) -> Parquet<Self::T> {
        Ok(BufReader::with_capacity(4096, Section { file: self.clone(), place: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Parquet<Bytes> {
        // A damaged length must not ask for more memory than the file can fill.
        if start.saturating_add(length as u64) > self.length {
            let words = format!("{length} bytes at byte {start} of a file of {} bytes", self.length);
            return Err(ParquetError::EOF(words));
        }
        let mut bytes = vec![0; length];
        Section { file: self.clone(), place: start }.read_exact(&mut bytes)?;
        self.progress.count(length as u64);
        Ok(bytes.into())
    }
}

/// The file from a place on.
struct Section {
    file: SharedFile,
    place: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(self.place, buffer)?;
        self.place += count as u64;
        Ok(count)
    }
}
