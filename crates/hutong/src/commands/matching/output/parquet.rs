//! Pairs as Parquet: columns `a` and `b`, the smaller number and the greater one, both required and unsigned.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::Int64Type;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::{Broken, Sorted};

const SCHEMA: &str =
    "message pairs { required int64 a (INTEGER(64,false)); required int64 b (INTEGER(64,false)); }";

/// Pairs in a row group: 16 MB unpacked, small enough to hold, large enough for readers.
const GROUP_PAIRS: usize = 1 << 20;

/// Writes all pairs.
///
/// # Errors
/// Those of the file and of the pairs.
pub(super) fn write(output: &mut (impl Write + Send), mut pairs: Sorted) -> Result<(), Broken> {
    // Sorted numbers differ by little, which this encoding lives on.
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::DELTA_BINARY_PACKED)
        .set_compression(Compression::SNAPPY)
        .set_created_by("hutong".to_owned())
        .build();
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut writer = SerializedFileWriter::new(output, schema, Arc::new(properties))?;
    let (mut smaller, mut greater) = (Vec::new(), Vec::new());
    loop {
        let next = pairs.next()?;
        if let Some((a, b)) = next {
            smaller.push(a.cast_signed());
            greater.push(b.cast_signed());
        }
        if smaller.len() == GROUP_PAIRS || (next.is_none() && !smaller.is_empty()) {
            let mut group = writer.next_row_group()?;
            write_column(&mut group, &smaller)?;
            write_column(&mut group, &greater)?;
            group.close()?;
            smaller.clear();
            greater.clear();
        }
        if next.is_none() {
            break;
        }
    }
    writer.close()?;
    Ok(())
}

fn write_column(
    group: &mut SerializedRowGroupWriter<impl Write + Send>,
    values: &[i64],
) -> parquet::errors::Result<()> {
    if let Some(mut column) = group.next_column()? {
        column.typed::<Int64Type>().write_batch(values, None, None)?;
        column.close()?;
    }
    Ok(())
}
