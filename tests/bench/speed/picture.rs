//! The lines of a table as a picture: a group of bars for each, with a mark where the target is.

use std::fmt::Write as _;

use super::line::{Line, told};
use crate::svg::{INK, OTHER, PALE, PROXY, escaped, sheet};

const WIDTH: f64 = 900.0;
const LEFT: f64 = 330.0;
const RIGHT: f64 = 170.0;
const BAR: f64 = 14.0;
const GAP: f64 = 16.0;
const TOP: f64 = 56.0;
/// The ways and their colours, which can be told apart in grey, too.
const WAYS: [(&str, &str); 3] = [("direct", PALE), ("nginx", OTHER), ("proxy", PROXY)];

/// An SVG of its own, for light and dark pages.
pub(crate) fn draw(title: &str, lines: &[Line]) -> String {
    let mut bars = String::new();
    let mut top = TOP;
    for line in lines {
        top = group(&mut bars, line, top) + GAP;
    }
    let mut text = String::new();
    for ((name, colour), x) in WAYS.iter().zip([16.0, 96.0, 176.0]) {
        let _ = writeln!(text, "<rect x=\"{x}\" y=\"34\" width=\"12\" height=\"12\" fill=\"{colour}\"/>");
        let _ = writeln!(text, "<text x=\"{}\" y=\"44\" fill=\"{INK}\">{name}</text>", x + 18.0);
    }
    let _ = writeln!(text, "<path d=\"M262 34v12\" stroke=\"{INK}\" stroke-width=\"2\"/>");
    let _ = writeln!(text, "<text x=\"272\" y=\"44\" fill=\"{INK}\">target of the proxy</text>");
    sheet(title, WIDTH, top, &(text + &bars))
}

/// Draws a line's bars from `top` on, and says where they end.
fn group(out: &mut String, line: &Line, mut top: f64) -> f64 {
    let values = [line.direct, line.nginx, Some(line.proxy)];
    let begin = top;
    let largest = values.iter().flatten().copied().chain(line.allowed()).fold(f64::MIN_POSITIVE, f64::max);
    let length = |value: f64| (WIDTH - LEFT - RIGHT) * value.max(0.0) / largest;
    for ((value, (_, colour)), last) in values.iter().zip(WAYS).zip([false, false, true]) {
        let Some(value) = value else { continue };
        let wide = length(*value).max(1.0);
        let _ = writeln!(
            out,
            "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{wide:.1}\" height=\"{}\" fill=\"{colour}\"/>",
            BAR - 2.0
        );
        let said = if last { format!("{}  {}", told(*value), line.judged().0) } else { told(*value) };
        let x = LEFT + wide + 6.0;
        let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{}\" fill=\"{INK}\">{}</text>", top + 10.0, escaped(&said));
        top += BAR;
    }
    if let Some(allowed) = line.allowed() {
        let x = LEFT + length(allowed);
        let _ = writeln!(out, "<path d=\"M{x:.1} {}V{}\" stroke=\"{INK}\" stroke-width=\"2\"/>", top - BAR - 2.0, top);
    }
    let what = format!("{} ({})", line.what, line.unit);
    let middle = f64::midpoint(begin, top) + 3.0;
    let x = LEFT - 10.0;
    let _ =
        writeln!(out, "<text x=\"{x}\" y=\"{middle}\" text-anchor=\"end\" fill=\"{INK}\">{}</text>", escaped(&what));
    top
}

#[cfg(test)]
mod tests {
    use super::super::line::Limit;
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_values_and_words_are_escaped() {
        let lines = [Line::of("a < b", "ms", [&[], &[1.0], &[2.0]], Limit::TimesNginx(4.0))];
        let picture = draw("speed & size", &lines);
        assert!(picture.contains("speed &amp; size") && picture.contains("a &lt; b (ms)"));
        assert!(picture.contains("width=\"100.0\"") && picture.contains("width=\"200.0\""), "{picture}");
        assert!(picture.contains("M730.0"), "the mark is at the end: {picture}");
    }
}
