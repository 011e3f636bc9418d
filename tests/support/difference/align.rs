//! Which element of one list belongs to which of another, when some are missing on either side.

/// What it costs to leave an element alone: two elements that have nothing in common are one element that has changed,
/// rather than one that went and one that came.
const ALONE: f32 = 0.6;

/// The cheapest way to walk both lists to their ends: pairs of indices, one of them missing where an element is alone.
/// `unlikeness` is 0 for equal elements and 1 for elements that have nothing in common.
pub(super) fn align<T>(
    one: &[T],
    other: &[T],
    unlikeness: &dyn Fn(&T, &T) -> f32,
) -> Vec<(Option<usize>, Option<usize>)> {
    // costs[i][j]: the cost of what is left from `i` and `j` on.
    let mut costs = vec![vec![0.0; other.len() + 1]; one.len() + 1];
    let mut pairs = costs.clone();
    for i in (0..=one.len()).rev() {
        for j in (0..=other.len()).rev() {
            let mut least = if (i, j) == (one.len(), other.len()) { 0.0 } else { f32::INFINITY };
            if i < one.len() {
                least = least.min(ALONE + costs[i + 1][j]);
            }
            if j < other.len() {
                least = least.min(ALONE + costs[i][j + 1]);
            }
            if i < one.len() && j < other.len() {
                pairs[i][j] = unlikeness(&one[i], &other[j]) + costs[i + 1][j + 1];
                least = least.min(pairs[i][j]);
            }
            costs[i][j] = least;
        }
    }
    let (mut i, mut j, mut way) = (0, 0, Vec::new());
    while i < one.len() || j < other.len() {
        if i < one.len() && j < other.len() && pairs[i][j] <= costs[i][j] {
            way.push((Some(i), Some(j)));
            (i, j) = (i + 1, j + 1);
        } else if i < one.len() && (j == other.len() || ALONE + costs[i + 1][j] <= costs[i][j]) {
            way.push((Some(i), None));
            i += 1;
        } else {
            way.push((None, Some(j)));
            j += 1;
        }
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(one: &str, other: &str) -> String {
        let [one, other] = [one, other].map(|text| text.chars().collect::<Vec<_>>());
        let unlikeness = |a: &char, b: &char| {
            if a == b {
                0.0
            } else if a.eq_ignore_ascii_case(b) {
                0.1
            } else {
                1.0
            }
        };
        let tell = |(i, j): (Option<usize>, Option<usize>)| {
            [i.map_or('-', |i| one[i]), j.map_or('-', |j| other[j])].iter().collect::<String>()
        };
        align(&one, &other, &unlikeness).into_iter().map(tell).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_likest_belong_together() {
        assert_eq!(aligned("", ""), "");
        assert_eq!(aligned("abc", "abc"), "aa bb cc");
        assert_eq!(aligned("xabc", "aBc"), "x- aa bB cc");
        assert_eq!(aligned("abc", "abcx"), "aa bb cc -x");
        assert_eq!(aligned("axc", "ayc"), "aa xy cc");
        assert_eq!(aligned("ab", ""), "a- b-");
    }
}
