//! Where two JSON values differ, said by path and piece by piece, so that one long text in the middle of a body does not
//! hide what is different in it.

mod align;
mod known;
mod text;

use std::collections::BTreeSet;

use serde_json::Value;

use align::align;

pub use known::{Knowledge, Known, Seen, matches};

/// One place where two values differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where, such as `system[1].text` or `tools[Bash].strict`.
    pub path: String,
    /// What was expected there; of a text of several lines only the lines that differ. Nothing: it was not expected.
    pub expected: Option<String>,
    /// The same of what was found.
    pub found: Option<String>,
}

/// Every place where `found` is not what was `expected`.
///
/// Keys of objects have no order. The elements of the lists at the paths `named` are known by their `name`, or by
/// themselves where they are texts, and their order is a mismatch of its own, at `PATH (order)`. Elements of other lists
/// are told apart by what is alike in them.
pub fn mismatches(expected: &Value, found: &Value, named: &[&str]) -> Vec<Mismatch> {
    let mut comparison = Comparison { named, mismatches: Vec::new() };
    comparison.values("", Some(expected), Some(found));
    comparison.mismatches
}

struct Comparison<'c> {
    named: &'c [&'c str],
    mismatches: Vec<Mismatch>,
}

impl Comparison<'_> {
    fn values(&mut self, path: &str, expected: Option<&Value>, found: Option<&Value>) {
        match (expected, found) {
            _ if expected == found => {}
            (Some(Value::Object(one)), Some(Value::Object(other))) => {
                for key in one.keys().chain(other.keys()).collect::<BTreeSet<_>>() {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    self.values(&path, one.get(key), other.get(key));
                }
            }
            (Some(Value::Array(one)), Some(Value::Array(other))) => match (names(one), names(other)) {
                (Some(names), Some(others)) if self.named.contains(&path) => {
                    self.named_elements(path, (one, &names), (other, &others));
                }
                _ => self.elements(path, one, other),
            },
            (Some(Value::String(one)), Some(Value::String(other))) => {
                for (expected, found) in text::differing_lines(one, other) {
                    self.mismatch(path, expected, found);
                }
            }
            _ => self.mismatch(path, expected.map(written), found.map(written)),
        }
    }

    fn elements(&mut self, path: &str, expected: &[Value], found: &[Value]) {
        for (one, other) in align(expected, found, &unlikeness) {
            // The place among what was expected is where a reader looks.
            let place = one.or(other).unwrap_or_default();
            let sign = if one.is_none() { "+" } else { "" };
            let path = format!("{path}[{sign}{place}]");
            self.values(&path, one.map(|index| &expected[index]), other.map(|index| &found[index]));
        }
    }

    fn named_elements(&mut self, path: &str, expected: (&[Value], &[&str]), found: (&[Value], &[&str])) {
        let of = |(elements, names): (&'_ [Value], &[&str]), wanted: &str| {
            names.iter().position(|name| *name == wanted).map(|index| elements[index].clone())
        };
        for name in expected.1.iter().chain(found.1).collect::<BTreeSet<_>>() {
            self.values(&format!("{path}[{name}]"), of(expected, name).as_ref(), of(found, name).as_ref());
        }
        let common = |names: &[&str], others: &[&str]| -> Vec<String> {
            names.iter().filter(|name| others.contains(name)).map(|name| (*name).to_owned()).collect()
        };
        let (order, other) = (common(expected.1, found.1), common(found.1, expected.1));
        if order != other {
            self.mismatch(&format!("{path} (order)"), Some(order.join(", ")), Some(other.join(", ")));
        }
    }

    fn mismatch(&mut self, path: &str, expected: Option<String>, found: Option<String>) {
        self.mismatches.push(Mismatch { path: path.to_owned(), expected, found });
    }
}

/// The names of all elements, where each has one of its own.
fn names(elements: &[Value]) -> Option<Vec<&str>> {
    let names: Option<Vec<&str>> =
        elements.iter().map(|element| element.as_str().or_else(|| element.get("name")?.as_str())).collect();
    names.filter(|names| names.iter().collect::<BTreeSet<_>>().len() == names.len())
}

/// From 0 for equal values to 1 for values that have nothing in common.
fn unlikeness(one: &Value, other: &Value) -> f32 {
    match (one, other) {
        _ if one == other => 0.0,
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<_> = one.keys().chain(other.keys()).collect();
            let unlike = |key: &&String| match (one.get(*key), other.get(*key)) {
                (Some(one), Some(other)) => unlikeness(one, other),
                _ => 1.0,
            };
            average(keys.iter().map(unlike), keys.len())
        }
        (Value::Array(one), Value::Array(other)) => {
            let pairs = one.iter().zip(other).map(|(one, other)| unlikeness(one, other));
            let longer = one.len().max(other.len());
            average(pairs.chain(std::iter::repeat_n(1.0, one.len().abs_diff(other.len()))), longer)
        }
        (Value::String(one), Value::String(other)) => text::unlikeness(one, other),
        _ => 1.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few elements")]
fn average(values: impl Iterator<Item = f32>, count: usize) -> f32 {
    values.sum::<f32>() / count.max(1) as f32
}

/// A text as it is, anything else as JSON.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(expected: &Value, found: &Value) -> Vec<String> {
        let tell = |side: Option<String>| side.unwrap_or_else(|| "-".to_owned());
        mismatches(expected, found, &["tools", "betas"])
            .into_iter()
            .map(|mismatch| format!("{}: {} / {}", mismatch.path, tell(mismatch.expected), tell(mismatch.found)))
            .collect()
    }

    #[test]
    fn equal_values_have_no_mismatch_whatever_the_order_of_their_keys() {
        assert_eq!(told(&json!({"a": 1, "b": [1, {"c": null}]}), &json!({"b": [1, {"c": null}], "a": 1})), [""; 0]);
    }

    #[test]
    fn each_place_is_told_by_its_path() {
        let expected = json!({"a": {"b": [1, 2]}, "only": {"here": true}, "type": 1});
        let found = json!({"a": {"b": [1, 3]}, "other": null, "type": "1"});
        assert_eq!(
            told(&expected, &found),
            ["a.b[1]: 2 / 3", "only: {\"here\":true} / -", "other: - / null", "type: 1 / 1"]
        );
    }

    #[test]
    fn an_element_too_many_does_not_shift_the_others() {
        let block = |text: &str| json!({"type": "text", "text": text});
        let expected = json!([block("a header"), block("You are an agent.\nBe brief."), block("The rest.")]);
        let found = json!([block("You are an agent.\nBe verbose."), block("The rest."), block("More.")]);
        assert_eq!(
            told(&expected, &found),
            [
                r#"[0]: {"text":"a header","type":"text"} / -"#,
                "[1].text: Be brief. / Be verbose.",
                r#"[+2]: - / {"text":"More.","type":"text"}"#
            ]
        );
    }

    #[test]
    fn named_elements_are_compared_by_name_and_their_order_by_itself() {
        let expected = json!({"tools": [{"name": "A", "x": 1}, {"name": "B"}, {"name": "C"}], "betas": ["p", "q"]});
        let found = json!({"tools": [{"name": "C"}, {"name": "A", "x": 2}], "betas": ["q", "p", "r"]});
        assert_eq!(
            told(&expected, &found),
            [
                "betas[r]: - / r",
                "betas (order): p, q / q, p",
                "tools[A].x: 1 / 2",
                "tools[B]: {\"name\":\"B\"} / -",
                "tools (order): A, C / C, A"
            ]
        );
    }

    #[test]
    fn names_that_come_twice_name_nothing() {
        assert_eq!(told(&json!({"betas": ["p", "p"]}), &json!({"betas": ["p"]})), ["betas[1]: p / -"]);
    }
}
