//! The tiny parent of one process instance.
