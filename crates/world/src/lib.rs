//! The test kit: products in virtual time, with faults.
