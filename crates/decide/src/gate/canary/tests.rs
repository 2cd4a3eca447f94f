//! Canaries that are judged.
