//! Texts as segments: alphabets, splitting, user data headers, joining.

mod alphabet;
mod gsm;
mod header;
mod reassembler;
mod segment;

pub use alphabet::{decode, is_binary};
pub use header::Part;
pub(crate) use header::split_header;
pub use reassembler::{Joined, Reassembler};
pub use segment::{Alphabet, Marking, SEGMENTS_MAX, Segment, segments, segments_as, segments_wide};
