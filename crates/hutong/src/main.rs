//! The one binary of Hutong.

fn main() {}
