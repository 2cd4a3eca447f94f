//! What a product costs a month.
