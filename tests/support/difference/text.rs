//! Where two texts differ: line by line, because prompts are long and differ in a line or two.

use super::align::align;

/// The groups of lines that differ; nothing on a side where lines were only added.
pub(super) fn differing_lines(expected: &str, found: &str) -> Vec<(Option<String>, Option<String>)> {
    let (expected, found): (Vec<&str>, Vec<&str>) = (expected.split('\n').collect(), found.split('\n').collect());
    let unequal = |one: &&str, other: &&str| unlikeness(one, other);
    let mut groups = Vec::new();
    let mut group = (Vec::new(), Vec::new());
    for (one, other) in align(&expected, &found, &unequal) {
        let (one, other) = (one.map(|index| expected[index]), other.map(|index| found[index]));
        if one == other {
            groups.push(std::mem::take(&mut group));
        } else {
            group.0.extend(one);
            group.1.extend(other);
        }
    }
    groups.push(group);
    let joined = |lines: Vec<&str>| (!lines.is_empty()).then(|| lines.join("\n"));
    let groups = groups.into_iter().map(|(one, other)| (joined(one), joined(other)));
    groups.filter(|(one, other)| one.is_some() || other.is_some()).collect()
}

/// The share of the longer text that is in neither a common beginning nor a common end.
#[expect(clippy::cast_precision_loss, reason = "lengths of texts")]
pub(super) fn unlikeness(one: &str, other: &str) -> f32 {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let (longer, shorter) = (one.len().max(other.len()), one.len().min(other.len()));
    let begin = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    (longer - (begin + end).min(shorter)) as f32 / longer.max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(expected: &str, found: &str) -> Vec<String> {
        let tell = |side: Option<String>| side.map_or_else(|| "-".to_owned(), |lines| format!("{lines:?}"));
        let groups = differing_lines(expected, found).into_iter();
        groups.map(|(expected, found)| format!("{} / {}", tell(expected), tell(found))).collect()
    }

    #[test]
    fn lines_that_differ_are_told_in_groups() {
        let (expected, found) = ("one\ntwo\nthree\nfour\nfive", "one\n2\n3\nfour\nfive\nsix");
        assert_eq!(told(expected, found), [r#""two\nthree" / "2\n3""#, r#"- / "six""#]);
        assert_eq!(told("same\n", "same\n"), [""; 0]);
        assert_eq!(told("a", "b"), [r#""a" / "b""#]);
        assert_eq!(told("a\n\nb", "a\nb"), [r#""" / -"#]);
    }

    #[test]
    fn likeness_is_a_share() {
        let unlikeness = |one, other| (unlikeness(one, other) * 100.0).round();
        assert!((unlikeness("abcd", "abcd") - 0.0).abs() < 0.1);
        assert!((unlikeness("abcd", "abxd") - 25.0).abs() < 0.1);
        assert!((unlikeness("aaaa", "aa") - 50.0).abs() < 0.1);
        assert!((unlikeness("", "abc") - 100.0).abs() < 0.1);
        assert!((unlikeness("", "") - 0.0).abs() < 0.1);
    }
}
