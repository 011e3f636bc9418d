//! The steps as a picture: time of an event and processor over the number of developers, with the bounds of both.

use std::fmt::Write as _;

use super::step::{EVENT_BOUND, PROCESSOR_BOUND, Step};
use super::task::Served;
use crate::svg::escaped;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 330.0;
/// Both parts are of this size, and begin so far from the left.
const PART: [f64; 2] = [360.0, 210.0];
const LEFT: [f64; 2] = [60.0, 510.0];
const TOP: f64 = 76.0;
/// Who serves, and the colour, which can be told apart in grey, too.
const SERVED: [(Served, &str); 2] = [(Served::Plan, "#d1603d"), (Served::Bedrock, "#4a6b8a")];

/// One of the two parts.
struct Part {
    title: &'static str,
    of: fn(&Step) -> f64,
    bound: f64,
    highest: f64,
}

const PARTS: [Part; 2] = [
    Part { title: "p99 of an event, ms", of: |step| step.event, bound: EVENT_BOUND, highest: 2.0 * EVENT_BOUND },
    Part { title: "processor, % of the task's", of: |step| step.processor, bound: PROCESSOR_BOUND, highest: 100.0 },
];

/// An SVG of its own, for light and dark pages.
pub(super) fn draw(steps: &[Step]) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"16\" font-weight=\"600\" fill=\"#1c2733\">Developers on one task</text>\n"
    );
    for ((served, colour), x) in SERVED.iter().zip([16.0, 146.0]) {
        let _ = writeln!(text, "<rect x=\"{x}\" y=\"34\" width=\"12\" height=\"12\" fill=\"{colour}\"/>");
        let _ = writeln!(text, "<text x=\"{}\" y=\"44\" fill=\"#1c2733\">{}</text>", x + 18.0, served.name());
    }
    let _ = writeln!(text, "<path d=\"M266 40h20\" stroke=\"#1c2733\" stroke-dasharray=\"4 3\"/>");
    let _ = writeln!(text, "<text x=\"294\" y=\"44\" fill=\"#1c2733\">bound</text>");
    let most = steps.iter().map(|step| step.developers).max().unwrap_or(1);
    for (part, left) in PARTS.iter().zip(LEFT) {
        part.draw(&mut text, left, steps, most.into());
    }
    text + "</svg>\n"
}

impl Part {
    fn draw(&self, out: &mut String, left: f64, steps: &[Step], most: f64) {
        let [wide, high] = PART;
        let bottom = TOP + high;
        let y = |value: f64| bottom - high * value.min(self.highest) / self.highest;
        let x = |developers: u32| left + wide * f64::from(developers) / most;
        let _ = writeln!(out, "<text x=\"{left}\" y=\"{}\" fill=\"#1c2733\">{}</text>", TOP - 8.0, escaped(self.title));
        let _ = writeln!(out, "<path d=\"M{left} {TOP}V{bottom}h{wide}\" stroke=\"#9aa5b1\" fill=\"none\"/>");
        for value in [0.0, self.bound, self.highest] {
            let (x, y) = (left - 6.0, y(value) + 4.0);
            let _ =
                writeln!(out, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\" fill=\"#1c2733\">{value:.0}</text>");
        }
        let bound = y(self.bound);
        let _ = writeln!(out, "<path d=\"M{left} {bound:.1}h{wide}\" stroke=\"#1c2733\" stroke-dasharray=\"4 3\"/>");
        for (served, colour) in SERVED {
            let steps: Vec<&Step> = steps.iter().filter(|step| step.served == served).collect();
            let points = steps.iter().map(|step| format!("{:.1},{:.1}", x(step.developers), y((self.of)(step))));
            let points: Vec<String> = points.collect();
            let _ = writeln!(
                out,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                points.join(" ")
            );
            for (point, step) in points.iter().zip(steps) {
                let Some((x, y)) = point.split_once(',') else { continue };
                // A filled point is one that holds.
                let fill = if step.holds() { colour } else { "#ffffff" };
                let _ = writeln!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"3.5\" fill=\"{fill}\" stroke=\"{colour}\"/>");
            }
        }
        for share in [0.0, 0.5, 1.0] {
            let (x, y) = (left + wide * share, bottom + 18.0);
            let number = most * share;
            let _ =
                writeln!(out, "<text x=\"{x}\" y=\"{y}\" text-anchor=\"middle\" fill=\"#1c2733\">{number:.0}</text>");
        }
    }
}
