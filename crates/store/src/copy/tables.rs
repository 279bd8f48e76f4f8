//! The tables, read off the schema, so that one that comes to it is copied too.

use std::sync::LazyLock;

use crate::schema::STEPS;
use crate::sql::Value;

/// Rows asked for at once, and written at once.
pub(super) const ROWS: usize = 64;

/// What a column holds, beside nothing.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Int,
    Text,
    Blob,
}

/// One table, with what is said to it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    /// Without a key that counts by itself: it is counted anew, in the same order, and nothing names it.
    pub(super) columns: Vec<String>,
    /// What each of them holds. SQLite would take anything.
    kinds: Vec<Kind>,
    /// Places of the primary key among the columns read.
    pub(super) key: Vec<usize>,
    /// Whether the first column read is a key that counts by itself.
    pub(super) counts: bool,
    pub(super) count: String,
    pub(super) first: String,
    pub(super) next: String,
    pub(super) empty: String,
    pub(super) insert: String,
    pub(super) insert_many: String,
}

/// Every table of the schema, in the order of its files.
pub(super) static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let texts = STEPS.iter().flat_map(|step| step.iter());
    texts.flat_map(|text| read_tables(text)).collect()
});

/// Whether every database has rows in it from its first moment on: its keys, and the beginning of its audit log.
pub(super) fn is_born_full(table: &Table) -> bool {
    matches!(table.name.as_str(), "meta" | "audit" | "audit_head" | "audit_key")
}

fn read_tables(schema: &str) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut lines = schema.lines();
    while let Some(line) = lines.next() {
        let Some(name) = line.strip_prefix("CREATE TABLE ").and_then(|rest| rest.strip_suffix(" (")) else {
            continue;
        };
        let body: Vec<&str> = lines.by_ref().take_while(|line| !line.starts_with(')')).collect();
        tables.push(Table::read(name, &body));
    }
    tables
}

impl Table {
    fn read(name: &str, body: &[&str]) -> Self {
        let (mut all, mut kinds, mut key, mut counts) = (Vec::new(), Vec::new(), Vec::new(), false);
        for line in body {
            let line = line.split("--").next().unwrap_or("").trim().trim_end_matches(',');
            if let Some(list) = line.strip_prefix("PRIMARY KEY (") {
                key = list.trim_end_matches(')').split(", ").map(str::to_owned).collect();
            }
            let mut words = line.split_whitespace();
            let (column, kind) = (words.next().unwrap_or(""), words.next());
            // Constraints are in capitals, columns are not.
            if column.is_empty() || column.starts_with(|first: char| !first.is_ascii_lowercase()) {
                continue;
            }
            if line.contains("PRIMARY KEY") || line.contains("{serial}") {
                key = vec![column.to_owned()];
                counts |= line.contains("{serial}");
            }
            all.push(column.to_owned());
            kinds.push(match kind {
                Some("TEXT") => Kind::Text,
                Some("BYTEA") => Kind::Blob,
                _ => Kind::Int,
            });
        }
        let places = key.iter().filter_map(|name| all.iter().position(|column| column == name)).collect();
        Self::of(name, all, kinds, &key, places, counts)
    }

    fn of(
        name: &str,
        mut all: Vec<String>,
        mut kinds: Vec<Kind>,
        key: &[String],
        places: Vec<usize>,
        counts: bool,
    ) -> Self {
        let (list, order) = (all.join(", "), key.join(", "));
        let marks = |from: usize, count: usize| {
            let marks: Vec<String> = (from..from + count).map(|number| format!("${number}")).collect();
            format!("({})", marks.join(", "))
        };
        let last = format!("ORDER BY {order} LIMIT {ROWS}");
        // What else stands there is a database's account of itself.
        let of = if name == "meta" { "name IN ('seed', 'reign')" } else { "1 = 1" };
        let first = format!("SELECT {list} FROM {name} WHERE {of} {last}");
        let after = marks(1, key.len());
        let next = format!("SELECT {list} FROM {name} WHERE {of} AND ({order}) > {after} {last}");
        if counts {
            all.remove(0);
            kinds.remove(0);
        }
        let width = all.len();
        let into = format!("INSERT INTO {name} ({}) VALUES ", all.join(", "));
        let many: Vec<String> = (0..ROWS).map(|row| marks(1 + row * width, width)).collect();
        Self {
            count: format!("SELECT COUNT(*) FROM {name}"),
            empty: format!("DELETE FROM {name} WHERE {of}"),
            insert: format!("{into}{}", marks(1, width)),
            insert_many: format!("{into}{}", many.join(", ")),
            name: name.to_owned(),
            columns: all,
            kinds,
            key: places,
            counts,
            first,
            next,
        }
    }
}

impl Table {
    /// Whether values can be a row of it.
    pub(super) fn fits(&self, row: &[Value]) -> bool {
        let fits = |(value, kind): (&Value, &Kind)| {
            matches!(
                (value, kind),
                (Value::Null, _)
                    | (Value::Int(_), Kind::Int)
                    | (Value::Text(_), Kind::Text)
                    | (Value::Blob(_), Kind::Blob)
            )
        };
        row.len() == self.kinds.len() && row.iter().zip(&self.kinds).all(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> &'static Table {
        TABLES.iter().find(|table| table.name == name).unwrap()
    }

    #[test]
    fn every_table_of_the_schema_is_read_with_its_columns_and_its_key() {
        let named: usize = STEPS
            .iter()
            .flat_map(|step| step.iter())
            .map(|text| text.lines().filter(|line| line.starts_with("CREATE TABLE")).count())
            .sum();
        assert_eq!(TABLES.len(), named);
        for table in TABLES.iter() {
            assert!(!table.columns.is_empty() && !table.key.is_empty(), "{}", table.name);
        }
        let matched = table("matched");
        assert_eq!(matched.columns, ["owner", "friend", "since"]);
        assert_eq!((matched.key.as_slice(), matched.counts), ([0, 1].as_slice(), false));
        assert_eq!(
            matched.next,
            format!(
                "SELECT owner, friend, since FROM matched WHERE 1 = 1 AND (owner, friend) > ($1, $2) ORDER BY owner, friend LIMIT {ROWS}"
            )
        );
    }

    #[test]
    fn a_key_that_counts_by_itself_is_read_for_its_order_and_not_written() {
        let job = table("job");
        assert!(job.counts && !job.columns.contains(&"id".to_owned()));
        assert!(job.first.starts_with("SELECT id, kind,"));
        assert!(job.insert.starts_with("INSERT INTO job (kind,"));
        for table in TABLES.iter().filter(|table| table.counts) {
            assert_eq!(table.key, [0], "{}: a key that counts stands first", table.name);
        }
    }
}
