//! tmf
