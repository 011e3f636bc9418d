//! The admin API: every operation, by the names of the OpenAPI document.

mod access;
mod coverage;
mod propagation;
mod users;
