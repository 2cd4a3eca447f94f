//! A metric against its time before.
