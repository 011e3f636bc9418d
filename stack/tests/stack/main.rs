//! Tests of the infrastructure as a reader of its template sees it.

mod references;
