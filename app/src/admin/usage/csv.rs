//! Comma-separated values (RFC 4180), a piece at a time.

use std::fmt::{Display, Write as _};
use std::io;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use poem::{Body, IntoResponse, Request, Response};
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use tracing::Span;

use crate::admin::problem::Problem;

/// A body of comma-separated values.
#[derive(Debug)]
pub struct Csv(Body);

/// Lines that are being written.
#[derive(Default, Debug)]
pub(super) struct Lines {
    text: String,
    in_line: bool,
}

impl Csv {
    /// A body that begins with the names of the columns. The first piece is waited for, so that what fails at once is
    /// refused; after a later one that fails the body breaks, so that nobody takes a part for the whole.
    ///
    /// # Errors
    /// Those of the first piece.
    pub(super) async fn begin(
        columns: &[&str],
        pieces: impl Stream<Item = Result<Lines, Problem>> + Send + 'static,
    ) -> Result<Self, Problem> {
        let mut pieces = Box::pin(pieces);
        let first = pieces.next().await.transpose()?.unwrap_or_default();
        let begun = stream::iter([Ok(Lines::header(columns)), Ok(first)]).chain(pieces);
        let request = Span::current();
        let bytes = begun.map(move |piece| match piece {
            Ok(lines) => Ok(Bytes::from(lines.text)),
            Err(problem) => {
                request.in_scope(|| tracing::error!(code = problem.code, "a list as CSV broke off"));
                Err(io::Error::other(problem.code))
            }
        });
        Ok(Self(Body::from_bytes_stream(bytes)))
    }
}

impl Payload for Csv {
    const CONTENT_TYPE: &'static str = "text/csv";

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            description: Some(
                "RFC 4180: UTF-8, lines that end with CR LF, the names of the columns first. A text that a spreadsheet \
                 would take for a formula has an apostrophe in front. A body that breaks off is not complete.",
            ),
            ..MetaSchema::new("string")
        }))
    }
}

impl IntoResponse for Csv {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        let told = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
        response.headers_mut().insert(CONTENT_TYPE, told);
        response
    }
}

impl Lines {
    /// The first line.
    pub(super) fn header(names: &[&str]) -> Self {
        let mut lines = Self::default();
        for name in names {
            lines.value(name);
        }
        lines.end();
        lines
    }

    /// A number, a time, an id: nothing that has to be quoted.
    pub(super) fn value(&mut self, value: impl Display) {
        self.separate();
        // A string takes everything.
        let _ = write!(self.text, "{value}");
    }

    /// The same, or an empty cell.
    pub(super) fn optional(&mut self, value: Option<impl Display>) {
        match value {
            Some(value) => self.value(value),
            None => self.separate(),
        }
    }

    /// A text that somebody has chosen. Spreadsheets calculate what begins like a formula, so that it gets an apostrophe.
    pub(super) fn text(&mut self, text: &str) {
        self.separate();
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let quoted = text.contains(['"', ',', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ');
        let quote = if quoted { "\"" } else { "" };
        let apostrophe = if formula { "'" } else { "" };
        // As above.
        let _ = write!(self.text, "{quote}{apostrophe}{}{quote}", text.replace('"', "\"\""));
    }

    /// Ends the line.
    pub(super) fn end(&mut self) {
        self.text.push_str("\r\n");
        self.in_line = false;
    }

    fn separate(&mut self) {
        if self.in_line {
            self.text.push(',');
        }
        self.in_line = true;
    }
}

/// Whether the client would rather have CSV than JSON.
pub(super) fn wanted(request: &Request) -> bool {
    let accepted: Vec<&str> =
        request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let weight = |types: &[&str]| {
        let ranges = accepted.iter().flat_map(|value| value.split(',')).filter_map(|range| {
            let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight =
                parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q=")?.trim().parse().ok());
            types.iter().any(|known| name.trim().eq_ignore_ascii_case(known)).then_some(weight.unwrap_or(1.0_f32))
        });
        ranges.fold(0.0, f32::max)
    };
    weight(&["text/csv", "text/*"]) > weight(&["application/json", "application/*", "*/*"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_have_to_be() {
        for (text, cell) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            (" blank", "\" blank\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1,B1)", "\"'@SUM(A1,B1)\""),
            ("-1", "'-1"),
            ("한국어", "한국어"),
        ] {
            let mut lines = Lines::header(&["a", "b"]);
            lines.value(-7);
            lines.text(text);
            lines.optional(None::<u8>);
            lines.end();
            assert_eq!(lines.text, format!("a,b\r\n-7,{cell},\r\n"));
        }
    }

    #[test]
    fn csv_is_for_those_who_rather_have_it() {
        for (accept, expected) in [
            ("text/csv", true),
            ("Text/CSV; charset=utf-8", true),
            ("text/csv, */*;q=0.1", true),
            ("application/json;q=0.5, text/csv;q=0.6", true),
            ("", false),
            ("*/*", false),
            ("application/json", false),
            ("application/json, text/csv", false),
            ("text/csv;q=0", false),
            ("text/csv;q=0.2, application/json", false),
            ("image/png", false),
        ] {
            assert_eq!(wanted(&Request::builder().header("accept", accept).finish()), expected, "{accept}");
        }
    }
}
