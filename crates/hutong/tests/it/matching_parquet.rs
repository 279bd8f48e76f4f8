//! `hutong match` with edge lists and pairs as Parquet.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RowAccessor;
use parquet::schema::parser::parse_message_type;

use crate::binary::run_in;
use crate::matching::{answer, assert_failed, directory, match_files};

/// A column's values, `None` where there is none.
enum Column<'a> {
    I32(&'a [Option<i32>]),
    I64(&'a [Option<i64>]),
    Text(&'a [Option<&'a str>]),
}

/// A table with some rows a group.
fn table(schema: &str, columns: &[Column], group: usize, compression: Compression) -> Vec<u8> {
    let mut bytes = Vec::new();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties)).unwrap();
    let rows = columns.iter().map(Column::len).max().unwrap();
    for from in (0..rows).step_by(group) {
        let mut rows = writer.next_row_group().unwrap();
        for column in columns {
            let mut writer = rows.next_column().unwrap().unwrap();
            column.write(from..(from + group).min(column.len()), writer.untyped());
            writer.close().unwrap();
        }
        rows.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

impl Column<'_> {
    fn len(&self) -> usize {
        match self {
            Self::I32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    fn write(&self, rows: std::ops::Range<usize>, writer: &mut ColumnWriter) {
        fn split<T: Copy>(values: &[Option<T>]) -> (Vec<T>, Vec<i16>) {
            (
                values.iter().copied().flatten().collect(),
                values.iter().map(|value| value.is_some().into()).collect(),
            )
        }
        match (self, writer) {
            (Self::I32(values), ColumnWriter::Int32ColumnWriter(writer)) => {
                let (values, levels) = split(&values[rows]);
                writer.write_batch(&values, Some(&levels), None).unwrap();
            }
            (Self::I64(values), ColumnWriter::Int64ColumnWriter(writer)) => {
                let (values, levels) = split(&values[rows]);
                writer.write_batch(&values, Some(&levels), None).unwrap();
            }
            (Self::Text(values), ColumnWriter::ByteArrayColumnWriter(writer)) => {
                let (values, levels) = split(&values[rows]);
                let values: Vec<ByteArray> = values.into_iter().map(ByteArray::from).collect();
                writer.write_batch(&values, Some(&levels), None).unwrap();
            }
            _ => panic!("another type than the schema's"),
        }
    }
}

fn some<T: Copy>(values: &[T]) -> Vec<Option<T>> {
    values.iter().copied().map(Some).collect()
}

const TWO: &str = "message m { required int64 owner; required int64 contact; }";

/// 2-1, 1-2, 3-2, 2-3, 1-4.
fn five() -> Vec<u8> {
    let (owners, contacts) = (some(&[2i64, 1, 3, 2, 1]), some(&[1i64, 2, 2, 3, 4]));
    table(TWO, &[Column::I64(&owners), Column::I64(&contacts)], 2, Compression::SNAPPY)
}

fn matched(file: &[u8]) -> ([u64; 3], String) {
    let directory = directory(&[("edges", file)]);
    let ended = match_files(directory.path(), &["edges"]);
    assert_eq!(ended.stderr, "");
    answer(&ended, directory.path())
}

#[test]
fn match_reads_parquet_by_content_whatever_its_columns_are_and_however_it_is_packed() {
    let expected = ([5, 3, 2], "1,2\n2,3\n".to_owned());
    assert_eq!(matched(&five()), expected);
    let (owners, contacts) = (some(&[2i32, 1, 3, 2, 1]), some(&["1", "2", " 2", "003", "4"]));
    let names = some(&["a", "b", "c", "d", "e"]);
    let columns = [Column::I32(&owners), Column::Text(&contacts), Column::Text(&names)];
    let zstd = Compression::ZSTD(Default::default());
    for (schema, order) in [
        (
            "message m { optional int32 x (INTEGER(16,true)); optional binary y (UTF8); optional binary z (UTF8); }",
            [0, 1, 2],
        ),
        (
            "message m { optional binary n (UTF8); optional binary CONTACT; optional int32 Owner (INTEGER(32,false)); }",
            [2, 1, 0],
        ),
    ] {
        let order = order.map(|at| match &columns[at] {
            Column::I32(values) => Column::I32(values),
            Column::I64(values) => Column::I64(values),
            Column::Text(values) => Column::Text(values),
        });
        for packed in
            [Compression::UNCOMPRESSED, zstd, Compression::LZ4_RAW, Compression::GZIP(Default::default())]
        {
            assert_eq!(matched(&table(schema, &order, 3, packed)), expected, "{schema} {packed:?}");
        }
    }
}

#[test]
fn match_reads_unsigned_numbers_of_all_64_bits() {
    let schema = "message m { required int64 a (INTEGER(64,false)); required int64 b (INTEGER(64,false)); }";
    let (owners, contacts) = (some(&[-1i64, 0]), some(&[0i64, -1]));
    let file = table(schema, &[Column::I64(&owners), Column::I64(&contacts)], 9, Compression::SNAPPY);
    assert_eq!(matched(&file), ([2, 2, 1], format!("0,{}\n", u64::MAX)));
}

#[test]
fn match_skips_nulls_negative_numbers_and_letters_and_names_their_rows() {
    let schema = "message m { optional int64 owner; optional binary contact (UTF8); }";
    let owners = [Some(1), None, Some(2), Some(-5), Some(3), Some(4)];
    let contacts = [Some("2"), Some("1"), Some("1"), Some("1"), Some("x"), None];
    let file = table(schema, &[Column::I64(&owners), Column::Text(&contacts)], 4, Compression::SNAPPY);
    let directory = directory(&[("edges", &file)]);
    let ended = match_files(directory.path(), &["edges"]);
    assert_eq!(answer(&ended, directory.path()), ([2, 2, 1], "1,2\n".to_owned()));
    let lines: Vec<&str> = ended.stderr.lines().collect();
    for (told, words) in
        lines.iter().zip(["2: skipped: a column without", "4: skipped: a number below zero", "5: ", "6: "])
    {
        assert!(told.starts_with(&format!("edges, row {words}")), "{told}");
    }
    assert_eq!((lines.len(), lines[4]), (5, "4 malformed rows were skipped"));
    fs::remove_file(directory.path().join("pairs.csv")).unwrap();
    let ended = match_files(directory.path(), &["--strict", "edges"]);
    assert_failed(&ended, directory.path(), &["Error: edges, row 2: a column without a value", "Hint: "]);
}

#[test]
fn match_refuses_parquet_without_two_columns_of_numbers() {
    let one =
        table("message m { required int64 owner; }", &[Column::I64(&[Some(1)])], 9, Compression::SNAPPY);
    let half = "message m { required int64 owner; required int64 friend; }";
    let half = table(half, &[Column::I64(&[Some(1)]), Column::I64(&[Some(1)])], 9, Compression::SNAPPY);
    let date = "message m { required int32 owner (DATE); required int64 contact; }";
    let date = table(date, &[Column::I32(&[Some(1)]), Column::I64(&[Some(1)])], 9, Compression::SNAPPY);
    for (file, words) in
        [(one, "none `contact`"), (half, "none `contact`"), (date, "column `owner` is a date")]
    {
        let directory = directory(&[("edges", &file)]);
        let ended = match_files(directory.path(), &["edges"]);
        assert_failed(&ended, directory.path(), &["Error: edges: ", words, "Hint: "]);
    }
}

#[test]
fn match_fails_on_parquet_that_is_cut_short_anywhere_or_damaged_and_never_panics() {
    let whole = five();
    let directory = directory(&[]);
    let write = |bytes: &[u8]| fs::write(directory.path().join("edges"), bytes).unwrap();
    for length in [4, 8, 11, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
        write(&whole[..length]);
        let ended = match_files(directory.path(), &["edges"]);
        assert_failed(
            &ended,
            directory.path(),
            &["edges cannot be read as Parquet", "Hint: Fetch the file again"],
        );
    }
    // A flipped byte may go unnoticed, for pages have no checksum here; what must not be is anything but an answer
    // or an error.
    for at in (4..whole.len()).step_by(13) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        write(&damaged);
        let ended = run_in(&["match", "edges"], b"", directory.path());
        assert!(matches!(ended.code, Some(0 | 1)), "byte {at}: {ended:?}");
        assert!(!ended.stderr.contains("panicked"), "byte {at}: {ended:?}");
    }
    let mut damaged = whole;
    damaged[6..40].fill(0xff);
    write(&damaged);
    let ended = match_files(directory.path(), &["edges"]);
    assert_failed(
        &ended,
        directory.path(),
        &["edges cannot be read beyond row 0", "row group 1 of 3 is damaged"],
    );
}

fn pairs_of(file: &Path) -> Vec<(u64, u64)> {
    let reader = SerializedFileReader::new(fs::File::open(file).unwrap()).unwrap();
    let names: Vec<String> = reader
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|column| column.path().string())
        .collect();
    assert_eq!(names, ["a", "b"]);
    reader
        .into_iter()
        .map(|row| row.unwrap())
        .map(|row| (row.get_ulong(0).unwrap(), row.get_ulong(1).unwrap()))
        .collect()
}

#[test]
fn match_writes_parquet_that_it_and_others_read() {
    let text = format!("2 1\n1 2\n3 2\n2 3\n{0} 0\n0 {0}\n", u64::MAX);
    let directory = directory(&[("edges", text.as_bytes()), ("nobody", b"1 2\n")]);
    let ended = run_in(&["match", "edges", "--output", "pairs.parquet"], b"", directory.path());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(pairs_of(&directory.path().join("pairs.parquet")), [(0, u64::MAX), (1, 2), (2, 3)]);
    // Pairs are edges, too.
    let ended = run_in(&["match", "pairs.parquet", "--json"], b"", directory.path());
    assert!(ended.stdout.contains("\"edges\":3,\"owners\":3,\"mutual_pairs\":0"), "{ended:?}");
    let ended = run_in(&["match", "nobody", "--output", "none.parquet"], b"", directory.path());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(pairs_of(&directory.path().join("none.parquet")), []);
}
