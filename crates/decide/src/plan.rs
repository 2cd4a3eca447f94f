//! What it takes to bring a product into an environment.
