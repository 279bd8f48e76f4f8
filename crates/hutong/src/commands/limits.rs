//! `hutong limits`: every limit, as a table or as JSON.

use std::fmt::Write as _;
use std::io::Write;

use domain::limits::{ALL, Limit};

use crate::failure::Failure;

/// Its flags.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// As a JSON list.
    #[arg(long)]
    json: bool,
}

/// One limit in JSON.
#[derive(serde::Serialize)]
struct Row {
    name: String,
    value: i64,
    why: &'static str,
}

/// Prints the table.
///
/// # Errors
/// A [`Failure`] when stdout fails.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let rows: Vec<Row> = ALL.iter().map(row).collect();
    let text = if args.json { json(&rows) } else { table(&rows) };
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| Failure::stdout(&error))
}

fn row(limit: &Limit) -> Row {
    Row { name: limit.name.to_ascii_lowercase(), value: limit.value, why: limit.why }
}

fn json(rows: &[Row]) -> String {
    // Texts and integers cannot fail to be JSON.
    serde_json::to_string_pretty(rows).unwrap_or_default() + "\n"
}

fn table(rows: &[Row]) -> String {
    let name_width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let value_width = rows.iter().map(|row| row.value.to_string().len()).max().unwrap_or(0);
    rows.iter().fold(String::new(), |mut text, Row { name, value, why }| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{name:name_width$}  {value:>value_width$}  {why}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_of_the_table_stand_below_each_other() {
        let rows = [
            Row { name: "a".to_owned(), value: 10, why: "First." },
            Row { name: "bcd".to_owned(), value: 2, why: "Second." },
        ];
        assert_eq!(table(&rows), "a    10  First.\nbcd   2  Second.\n");
    }
}
