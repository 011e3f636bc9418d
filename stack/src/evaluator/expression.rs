//! Metric math: numbers, other queries by their ids, arithmetic, comparisons, `AND`, `OR` and `IF`.
//!
//! A point that is missing makes the result missing, and so does a division by zero.

use std::collections::BTreeSet;

use super::reader;

/// An expression of metric math.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression(Node);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Number(f64),
    Id(String),
    Negative(Box<Node>),
    Binary(Operator, Box<[Node; 2]>),
    If(Box<[Node; 3]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
    Plus,
    Minus,
    Times,
    Over,
    Power,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is not understood, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        reader::read(text).map(Self)
    }

    /// The ids that it looks at.
    pub fn ids(&self) -> BTreeSet<&str> {
        let mut ids = BTreeSet::new();
        self.0.ids(&mut ids);
        ids
    }

    /// Its value where the queries have these.
    pub fn value(&self, of: &impl Fn(&str) -> Option<f64>) -> Option<f64> {
        self.0.value(of)
    }
}

impl Node {
    fn ids<'a>(&'a self, ids: &mut BTreeSet<&'a str>) {
        match self {
            Self::Number(_) => {}
            Self::Id(id) => {
                ids.insert(id);
            }
            Self::Negative(node) => node.ids(ids),
            Self::Binary(_, nodes) => nodes.iter().for_each(|node| node.ids(ids)),
            Self::If(nodes) => nodes.iter().for_each(|node| node.ids(ids)),
        }
    }

    fn value(&self, of: &impl Fn(&str) -> Option<f64>) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Id(id) => of(id),
            Self::Negative(node) => Some(-node.value(of)?),
            Self::Binary(operator, nodes) => operator.apply(nodes[0].value(of)?, nodes[1].value(of)?),
            // Only the branch that is taken has to be there.
            Self::If(nodes) if is_true(nodes[0].value(of)?) => nodes[1].value(of),
            Self::If(nodes) => nodes[2].value(of),
        }
    }
}

fn is_true(number: f64) -> bool {
    number != 0.0
}

impl Operator {
    #[expect(clippy::float_cmp, reason = "metric math compares exactly")]
    fn apply(self, one: f64, other: f64) -> Option<f64> {
        let truth = |truth: bool| Some(f64::from(u8::from(truth)));
        match self {
            Self::Or => truth(is_true(one) || is_true(other)),
            Self::And => truth(is_true(one) && is_true(other)),
            Self::Equal => truth(one == other),
            Self::NotEqual => truth(one != other),
            Self::LessOrEqual => truth(one <= other),
            Self::GreaterOrEqual => truth(one >= other),
            Self::Less => truth(one < other),
            Self::Greater => truth(one > other),
            Self::Plus => Some(one + other),
            Self::Minus => Some(one - other),
            Self::Times => Some(one * other),
            Self::Over => is_true(other).then(|| one / other),
            Self::Power => Some(one.powf(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<f64> {
        let of = |id: &str| match id {
            "ten" => Some(10.0),
            "zero" => Some(0.0),
            _ => None,
        };
        Expression::parse(text).unwrap().value(&of)
    }

    #[test]
    fn arithmetic_binds_as_everywhere() {
        assert_eq!(value("1 + 2 * 3 - 4 / 2"), Some(5.0));
        assert_eq!(value("(1 + 2) * -3"), Some(-9.0));
        assert_eq!(value("2 ^ 3 * 2"), Some(16.0));
        assert_eq!(value("ten - 3 - 2"), Some(5.0));
    }

    #[test]
    fn comparisons_are_one_or_nothing() {
        assert_eq!(
            [value("ten >= 10"), value("ten > 10"), value("1 < 2 AND 2 != 2")],
            [Some(1.0), Some(0.0), Some(0.0)]
        );
        assert_eq!([value("0 || ten"), value("1 == 1 && 0")], [Some(1.0), Some(0.0)]);
    }

    #[test]
    fn what_is_missing_stays_missing() {
        assert_eq!(value("missing + 1"), None);
        assert_eq!(value("ten / zero"), None);
        assert_eq!(value("IF(missing, 1, 2)"), None);
        assert_eq!(value("IF(ten, 1, missing)"), Some(1.0), "the other branch does not matter");
        assert_eq!(value("IF(zero >= 10, 100 * ten / zero, 0)"), Some(0.0));
    }

    #[test]
    fn the_ids_are_known() {
        let expression = Expression::parse("IF(requests >= 10, 100 * errors / requests, 0)").unwrap();
        assert_eq!(expression.ids().into_iter().collect::<Vec<_>>(), ["errors", "requests"]);
    }
}
