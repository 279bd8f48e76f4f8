//! Contacts exported as tables: Google, Outlook, phone assistants, and lists made by hand.

use csv::{ReaderBuilder, StringRecord};

use super::headers::{NamePart, find_name_part, is_phone};
use super::{BookFile, CARDS_MAX, CardFault, Entry, Format, LINE_BYTES_MAX, RefusedCard, Telephone};

/// What separates several values in one cell of Google's tables.
const JOINED_BY: &str = " ::: ";

/// How many rows are looked at to tell which columns hold telephones when the headings do not.
const SAMPLE_ROWS: usize = 200;

/// How many lines are looked at to tell which character separates columns.
const SAMPLE_LINES: usize = 20;

/// Which columns matter.
struct Columns {
    phones: Vec<usize>,
    names: Vec<(NamePart, usize)>,
    /// Whether the first row holds headings.
    headed: bool,
}

/// Reads a table; none when it has no column of telephone numbers.
pub(super) fn read(text: &str) -> Option<BookFile> {
    let (text, separator, skipped) = find_separator(text);
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut rows: Vec<(usize, StringRecord)> = Vec::new();
    let mut refused = Vec::new();
    for record in reader.records().flatten() {
        let line = record.position().map_or(0, csv::Position::line) as usize + skipped;
        if rows.len() > CARDS_MAX {
            refused.push(RefusedCard { line, fault: CardFault::TooManyCards });
            break;
        }
        rows.push((line, record));
    }
    let columns = find_columns(&rows)?;
    let mut entries = Vec::new();
    for (line, row) in rows.iter().skip(usize::from(columns.headed)) {
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        entries.push(read_row(*line, row, &columns, &mut refused));
    }
    Some(BookFile { cards: entries.len(), entries, refused, format: Format::Csv })
}

fn read_row(line: usize, row: &StringRecord, columns: &Columns, refused: &mut Vec<RefusedCard>) -> Entry {
    let mut telephones = Vec::new();
    for cell in columns.phones.iter().filter_map(|column| row.get(*column)) {
        if cell.len() > LINE_BYTES_MAX {
            refused.push(RefusedCard { line, fault: CardFault::LineTooLong });
            continue;
        }
        for value in cell.split(JOINED_BY) {
            let raw = strip_guard(value);
            if !raw.is_empty() {
                telephones.push(Telephone { line, raw: raw.to_owned() });
            }
        }
    }
    let parts = |wanted: NamePart| {
        columns
            .names
            .iter()
            .filter(move |(part, _)| *part == wanted)
            .filter_map(|(_, column)| row.get(*column))
    };
    let whole = parts(NamePart::Whole).map(str::trim).find(|name| !name.is_empty()).map(str::to_owned);
    let name = whole.or_else(|| {
        let joined = parts(NamePart::Family).chain(parts(NamePart::Given)).collect::<Vec<_>>().join(" ");
        Some(joined.trim().to_owned()).filter(|name| !name.is_empty())
    });
    Entry { line, name, telephones }
}

/// Takes off the `="…"` or the apostrophe that keeps a spreadsheet from computing with the number.
fn strip_guard(value: &str) -> &str {
    let value = value.trim();
    let inner = value
        .strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'))
        .or_else(|| value.strip_prefix('\'').filter(|rest| rest.starts_with(['+', '0', '1'])))
        .unwrap_or(value);
    inner.trim()
}

/// Finds the separator: the one a first line `sep=;` names, else the commonest outside of quotes.
///
/// The number returned is how many lines were taken off the front.
fn find_separator(text: &str) -> (&str, u8, usize) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let Some(&[separator]) = first.trim_end().strip_prefix("sep=").map(str::as_bytes) {
        return (rest, separator, 1);
    }
    let mut counts = [(b',', 0_usize), (b'\t', 0), (b';', 0), (b'|', 0)];
    let mut quoted = false;
    let sample_end = text.match_indices('\n').nth(SAMPLE_LINES).map_or(text.len(), |(at, _)| at);
    for byte in text.bytes().take(sample_end) {
        quoted ^= byte == b'"';
        for (separator, count) in &mut counts {
            *count += usize::from(!quoted && byte == *separator);
        }
    }
    // On a draw the first wins: the comma.
    let best = counts.iter().rev().max_by_key(|(_, count)| *count);
    (text, best.map_or(b',', |(separator, _)| *separator), 0)
}

fn find_columns(rows: &[(usize, StringRecord)]) -> Option<Columns> {
    let (_, first) = rows.first()?;
    // A heading holds no number; a row that does is data whatever words stand beside it.
    let headed = !first.iter().any(looks_like_number);
    let heads = |test: fn(&str) -> bool| {
        first
            .iter()
            .enumerate()
            .filter(move |(_, cell)| test(cell))
            .map(|(column, _)| column)
            .collect::<Vec<_>>()
    };
    let named = if headed { heads(is_phone) } else { Vec::new() };
    let phones = if named.is_empty() { find_number_columns(rows) } else { named };
    if phones.is_empty() {
        return None;
    }
    let mut names: Vec<(NamePart, usize)> = Vec::new();
    if headed {
        for (column, cell) in first.iter().enumerate() {
            names.extend(find_name_part(cell).map(|part| (part, column)));
        }
    }
    Some(Columns { phones, names, headed })
}

/// The columns of which at least half of the filled cells look like telephone numbers.
fn find_number_columns(rows: &[(usize, StringRecord)]) -> Vec<usize> {
    let width = rows.iter().take(SAMPLE_ROWS).map(|(_, row)| row.len()).max().unwrap_or(0);
    (0..width)
        .filter(|column| {
            let cells = rows.iter().take(SAMPLE_ROWS).filter_map(|(_, row)| row.get(*column));
            let filled = cells.map(str::trim).filter(|cell| !cell.is_empty());
            let (numbers, others): (Vec<&str>, Vec<&str>) = filled.partition(|cell| looks_like_number(cell));
            // The heading, if any, is one of the others.
            !numbers.is_empty() && numbers.len() + 1 >= others.len()
        })
        .collect()
}

/// Whether a cell looks like a telephone number: 7 to 20 digits and little else, and no date.
fn looks_like_number(cell: &str) -> bool {
    let cell = strip_guard(cell.split(JOINED_BY).next().unwrap_or_default());
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let dialled = |c: char| c.is_ascii_digit() || " +-()./#*\u{a0}\u{202a}\u{202c}\u{202d}".contains(c);
    (7..=20).contains(&digits) && cell.chars().all(dialled) && !is_date(cell)
}

/// `2024-05-29`, `2024/5/29 16:25` and the same the other way round.
fn is_date(cell: &str) -> bool {
    let day = cell.split(' ').next().unwrap_or_default();
    let parts: Vec<&str> = day.split(['-', '/', '.']).collect();
    let (&[first, middle, last],) = (parts.as_slice(),) else { return false };
    let year = |part: &str| part.len() == 4 && (part.starts_with("19") || part.starts_with("20"));
    let small = |part: &str| (1..=2).contains(&part.len());
    small(middle) && (year(first) && small(last) || small(first) && year(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raws(text: &str) -> Vec<(usize, String)> {
        let Some(book) = read(text) else { return Vec::new() };
        book.entries.into_iter().flat_map(|entry| entry.telephones).map(|t| (t.line, t.raw)).collect()
    }

    #[test]
    fn outlooks_chinese_columns_are_read() {
        let text = "姓,名,移动电话,住宅电话,商务传真,电子邮件地址\n赵,六,\"=\"\"13900000000\"\"\",,0755-26550102,a@example.com\n";
        assert_eq!(raws(text), [(2, "13900000000".into()), (2, "0755-26550102".into())]);
        assert_eq!(read(text).unwrap().entries.first().unwrap().name.as_deref(), Some("赵 六"));
    }

    #[test]
    fn a_table_without_headings_is_read_by_content() {
        for text in [
            "张三,13900000000,2024-05-29\n李四,138 1111 1111,2024-05-30\n",
            "张三\t13900000000\n李四\t138 1111 1111\n",
            "sep=;\n张三;13900000000\n李四;138 1111 1111\n",
            "13900000000\n138 1111 1111\n",
            "甲,乙\n张三,13900000000\n李四,138 1111 1111\n",
        ] {
            let read: Vec<String> = raws(text).into_iter().map(|(_, raw)| raw).collect();
            assert_eq!(read, ["13900000000", "138 1111 1111"], "{text}");
        }
    }

    #[test]
    fn cells_over_several_lines_keep_the_lines_of_their_rows() {
        let text = "Name,Notes,Phone 1 - Value\nA,\"x\ny\",139 ::: 138\nB,,137\n";
        assert_eq!(raws(text), [(2, "139".into()), (2, "138".into()), (4, "137".into())]);
    }

    #[test]
    fn a_text_without_telephones_is_no_table() {
        for text in ["hello world", "a,b,c\n1,2,3\n", "2024-05-29,2024-05-30\n", "{\"a\":1}"] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
