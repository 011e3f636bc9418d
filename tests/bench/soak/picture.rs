//! The run over time, one strip below the other: memory, descriptors, requests. Bands are PostgreSQL's outages.

use std::fmt::Write as _;
use std::time::Duration;

use support::traffic::{Ending, Outage, Visit};
use tokio::time::Instant;

use super::Run;
use super::watch::Sample;
use crate::statistics::range;
use crate::svg::{INK, OTHER, PALE, PROXY, escaped, sheet};

const TITLE: &str = "Soak: mixed traffic with faults";
const WIDTH: f64 = 900.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 96.0;
const HEIGHT: f64 = 120.0;
const GAP: f64 = 44.0;
/// A line has no more points than can be told apart.
const POINTS: usize = 400;
/// Bands of an outage in which the database answers nothing, and of one in which it is slow.
const AWAY: &str = "#f0c9bd";
const SLOW: &str = "#f6e7b8";

struct Strip {
    name: &'static str,
    lines: Vec<(&'static str, &'static str, Vec<f64>)>,
}

/// An SVG of its own, for light and dark pages.
pub(super) fn draw(run: &Run) -> String {
    let lasts = run.samples.last().map_or(Duration::ZERO, |sample| sample.at - run.began).as_secs_f64().max(1.0);
    let x = |at: Instant| LEFT + (WIDTH - LEFT - RIGHT) * at.saturating_duration_since(run.began).as_secs_f64() / lasts;
    let seconds: Vec<f64> = averaged(&run.samples.iter().map(|sample| x(sample.at)).collect::<Vec<_>>());
    let mut drawn = legend();
    let mut top = TOP;
    for strip in strips(run) {
        for one in &run.suffered {
            let (from, to) = (x(one.began), x(one.ended).min(WIDTH - RIGHT));
            let colour = if matches!(one.outage, Outage::Slowed) { SLOW } else { AWAY };
            let wide = (to - from).max(1.0);
            let _ = writeln!(
                drawn,
                "<rect x=\"{from:.1}\" y=\"{top}\" width=\"{wide:.1}\" height=\"{HEIGHT}\" fill=\"{colour}\"/>"
            );
        }
        draw_strip(&mut drawn, &strip, &seconds, top);
        draw_time(&mut drawn, lasts, top + HEIGHT);
        top += HEIGHT + GAP;
    }
    sheet(TITLE, WIDTH, top, &drawn)
}

fn strips(run: &Run) -> [Strip; 3] {
    let each = |of: fn(&Sample) -> f64| averaged(&run.samples.iter().map(of).collect::<Vec<_>>());
    let mib = |bytes: u64| number(bytes) / (1024.0 * 1024.0);
    let memory = averaged(&run.samples.iter().map(|sample| mib(sample.resident)).collect::<Vec<_>>());
    let descriptors = each(|sample| number(sample.descriptors as u64));
    let database = each(|sample| number(sample.database as u64));
    [
        Strip { name: "resident memory, MiB", lines: vec![("", PROXY, memory)] },
        Strip {
            name: "open descriptors",
            lines: vec![("all but those to the database", PROXY, descriptors), ("to the database", OTHER, database)],
        },
        Strip {
            name: "requests per second",
            lines: vec![("that ended", PROXY, averaged(&rates(run))), ("with a fault", OTHER, averaged(&faults(run)))],
        },
    ]
}

fn rates(run: &Run) -> Vec<f64> {
    let mut before = (run.began, 0);
    let rate = |sample: &Sample| {
        let (at, ended) = std::mem::replace(&mut before, (sample.at, sample.ended));
        number(sample.ended.saturating_sub(ended)) / (sample.at - at).as_secs_f64().max(0.001)
    };
    run.samples.iter().map(rate).collect()
}

/// Requests in a second that the plan did not serve though it was asked, that broke off, or that were left.
fn faults(run: &Run) -> Vec<f64> {
    let ended_at: Vec<Instant> =
        run.visits.iter().filter(|visit| has_a_fault(visit)).map(|visit| visit.ended_at).collect();
    let (mut sorted, mut before) = (ended_at, run.began);
    sorted.sort();
    let until = |at: Instant| sorted.partition_point(|ended| *ended <= at);
    let rate = |sample: &Sample| {
        let from = std::mem::replace(&mut before, sample.at);
        number((until(sample.at) - until(from)) as u64) / (sample.at - from).as_secs_f64().max(0.001)
    };
    run.samples.iter().map(rate).collect()
}

fn has_a_fault(visit: &Visit) -> bool {
    let fell_back = visit.head.as_ref().is_some_and(|head| !head.fallback.is_empty());
    fell_back || !matches!(visit.ending, Ending::Whole | Ending::Free)
}

fn legend() -> String {
    let mut drawn = format!(
        "<text x=\"16\" y=\"44\" fill=\"{INK}\">One process; every point is what the kernel said of it.</text>\n"
    );
    for (x, colour, name) in [(16.0, AWAY, "PostgreSQL is away"), (176.0, SLOW, "PostgreSQL is slow")] {
        let _ = writeln!(drawn, "<rect x=\"{x}\" y=\"54\" width=\"12\" height=\"12\" fill=\"{colour}\"/>");
        let _ = writeln!(drawn, "<text x=\"{}\" y=\"64\" fill=\"{INK}\">{name}</text>", x + 18.0);
    }
    drawn
}

fn draw_strip(out: &mut String, strip: &Strip, xs: &[f64], top: f64) {
    let highest = strip.lines.iter().map(|(_, _, values)| range(values).1).fold(0.0, f64::max);
    let step = step_for(highest);
    let most = step * (highest / step).ceil().max(1.0);
    let y = |value: f64| top + HEIGHT - HEIGHT * value / most;
    let mut mark = 0.0;
    while mark <= most {
        let at = y(mark);
        let _ = writeln!(out, "<path d=\"M{LEFT} {at:.1}H{}\" stroke=\"{PALE}\" stroke-width=\"0.7\"/>", WIDTH - RIGHT);
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"{INK}\">{mark}</text>",
            LEFT - 8.0,
            at + 4.0
        );
        mark += step;
    }
    let _ = writeln!(
        out,
        "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"600\" fill=\"{INK}\">{}</text>",
        top - 8.0,
        escaped(strip.name)
    );
    let mut key = LEFT + 170.0;
    for (name, colour, values) in &strip.lines {
        let points: Vec<String> = xs.iter().zip(values).map(|(x, value)| format!("{x:.1},{:.1}", y(*value))).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\" stroke-linejoin=\"round\"/>",
            points.join(" ")
        );
        if !name.is_empty() {
            let at = top - 12.0;
            let _ = writeln!(out, "<path d=\"M{key} {at}h16\" stroke=\"{colour}\" stroke-width=\"3\"/>");
            let _ =
                writeln!(out, "<text x=\"{}\" y=\"{}\" fill=\"{INK}\">{}</text>", key + 22.0, top - 8.0, escaped(name));
            key += 220.0;
        }
    }
}

/// The time below a strip: minutes, or seconds of a run that lasts no more than two.
fn draw_time(out: &mut String, lasts: f64, bottom: f64) {
    let (unit, name) = if lasts > 120.0 { (60.0, "min") } else { (1.0, "s") };
    let step = step_for(lasts / unit);
    let mut mark = 0.0;
    while mark * unit <= lasts {
        let x = LEFT + (WIDTH - LEFT - RIGHT) * mark * unit / lasts;
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"{INK}\">{mark} {name}</text>",
            bottom + 16.0
        );
        mark += step;
    }
}

/// 1, 2 or 5 times a power of ten, of which some four fit in.
fn step_for(highest: f64) -> f64 {
    let rough = (highest / 4.0).max(0.25);
    let power = 10_f64.powf(rough.log10().floor());
    let times = [1.0, 2.0, 5.0].into_iter().find(|times| times * power >= rough).unwrap_or(10.0);
    (times * power).max(1.0)
}

/// As many points as a line may have, each the mean of its neighbours.
fn averaged(values: &[f64]) -> Vec<f64> {
    let each = values.len().div_ceil(POINTS).max(1);
    #[expect(clippy::cast_precision_loss, reason = "far fewer than that")]
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    values.chunks(each).map(mean).collect()
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than that")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "they are the very same numbers")]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_at_round_numbers_and_lines_are_not_longer_than_can_be_seen() {
        assert_eq!([3.0, 60.0, 130.0, 1800.0].map(step_for), [1.0, 20.0, 50.0, 500.0]);
        let many: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!((averaged(&many).len(), averaged(&many)[0], averaged(&[4.0])), (334, 1.0, vec![4.0]));
    }

    #[test]
    fn outages_are_bands_in_every_strip_and_lines_begin_where_the_run_does() {
        let began = Instant::now();
        let at = |second: u64| began + Duration::from_secs(second);
        let sample = |second: u64| Sample {
            at: at(second),
            resident: 50 << 20,
            threads: 4,
            descriptors: 30,
            database: 5,
            ended: 100 * second,
        };
        let suffered = vec![super::super::Suffered { outage: Outage::CutOff, began: at(2), ended: at(4) }];
        let samples: Vec<Sample> = (1..=10).map(sample).collect();
        let run = Run { visits: Vec::new(), suffered, began, samples, before: sample(0), after: sample(11) };
        assert_eq!(rates(&run), [100.0; 10]);
        let picture = draw(&run);
        assert_eq!(picture.matches(&format!("fill=\"{AWAY}\"/>")).count(), 3 + 1);
        assert!(picture.contains("<rect x=\"226.4\" y=\"96\" width=\"162.4\""), "{picture}");
        assert!(picture.contains("points=\"145.2,"), "{picture}");
    }
}
