//! `/v1/book` and `/v1/book/backup`: the address book, delivered as numbers and kept as keys.

use serde::{Deserialize, Serialize};

/// The media type of the encrypted backup.
pub const BACKUP_MEDIA_TYPE: &str = "application/octet-stream";

/// `PUT /v1/book`: this is the whole book.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplaceBook {
    /// The numbers, in any reading.
    #[cfg_attr(feature = "openapi", schema(max_items = 5_000))]
    pub numbers: Vec<String>,
    /// Must be true when the book shrinks by more than half.
    #[serde(default)]
    pub confirm_shrink: bool,
}

/// `PATCH /v1/book`: these come, those go.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AmendBook {
    /// Numbers to add, in any reading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 5_000))]
    pub add: Vec<String>,
    /// Numbers to take away, in any reading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 5_000))]
    pub remove: Vec<String>,
}

// Other people's numbers do not print, not even by accident.
impl std::fmt::Debug for ReplaceBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReplaceBook({} numbers, confirm_shrink {})", self.numbers.len(), self.confirm_shrink)
    }
}

impl std::fmt::Debug for AmendBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AmendBook({} added, {} removed)", self.add.len(), self.remove.len())
    }
}

/// What an upload did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BookChanged {
    /// The book's version now; also in the `ETag` header.
    pub version: i64,
    /// How many people the book holds now.
    pub size: i64,
    /// How many came.
    pub added: i64,
    /// How many went.
    pub removed: i64,
    /// The entries that could not be used; the others were.
    pub refused: Vec<RefusedNumber>,
    /// Matches that this upload brought about, E.164.
    #[cfg_attr(feature = "openapi", schema(schema_with = crate::schema::e164_list))]
    pub new_matches: Vec<String>,
}

/// An entry that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RefusedNumber {
    /// Its place in the list that was sent, from 0.
    pub index: usize,
    /// Why, as a stable word such as `short-code`.
    pub reason: String,
    /// Which list of a `PATCH` it stood in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<AmendedList>,
}

/// One of the two lists of a `PATCH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AmendedList {
    /// Numbers to add.
    Add,
    /// Numbers to take away.
    Remove,
}

/// `GET /v1/book`: the numbers themselves cannot be read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BookStatus {
    /// Goes up with every change; 0 before the first upload.
    pub version: i64,
    /// How many people it holds.
    pub size: i64,
}
