//! What must hold for any bytes that come from outside, whoever sent them: one function a parser.
//!
//! A function here takes bytes, gives them to a parser and asserts more than that it does not panic: what is
//! read comes back the same, what is refused is refused for a reason, nothing grows beyond its limit. A
//! fuzzer calls them (`fuzz/`), and a test runs the kept corpus through the same functions.

mod address_books;
mod bodies;
mod book_blobs;
mod edge_lists;
mod events;
mod frames;
mod headers;
mod numbers;
mod receipts;
mod replies;
mod requests;
mod seeds;
mod texts;

/// A parser under trial: its name, which is that of its corpus too, and what must hold for it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// Panics when something does not hold.
    pub check: fn(&[u8]),
}

/// Every one.
pub const TARGETS: &[Target] = &[
    Target { name: "address_books", check: address_books::check },
    Target { name: "bodies", check: bodies::check },
    Target { name: "book_blobs", check: book_blobs::check },
    Target { name: "edge_lists", check: edge_lists::check },
    Target { name: "events", check: events::check },
    Target { name: "frames", check: frames::check },
    Target { name: "headers", check: headers::check },
    Target { name: "numbers", check: numbers::check },
    Target { name: "receipts", check: receipts::check },
    Target { name: "replies", check: replies::check },
    Target { name: "requests", check: requests::check },
    Target { name: "seeds", check: seeds::check },
    Target { name: "texts", check: texts::check },
];

/// Gives bytes to the parser of that name; a name that is none does nothing.
pub fn check(name: &str, bytes: &[u8]) {
    if let Some(target) = TARGETS.iter().find(|target| target.name == name) {
        (target.check)(bytes);
    }
}
