//! Simulated SMS centre.
