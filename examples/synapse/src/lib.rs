//! What the programs of this product share.
