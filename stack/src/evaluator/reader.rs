//! Reads metric math: what an expression says, and where it says nothing that is understood.

use super::expression::{Node, Operator};

/// Operators by how tightly they bind, the loosest first; of a level the longer sign first.
const LEVELS: [&[(&str, Operator)]; 6] = [
    &[("||", Operator::Or), ("OR", Operator::Or)],
    &[("&&", Operator::And), ("AND", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Plus), ("-", Operator::Minus)],
    &[("*", Operator::Times), ("/", Operator::Over)],
    &[("^", Operator::Power)],
];

/// Reads an expression to its end.
pub(super) fn read(text: &str) -> Result<Node, String> {
    let mut reader = Reader { text, at: 0 };
    let node = reader.level(0)?;
    if reader.rest().is_empty() { Ok(node) } else { Err(reader.wrong("an operator")) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        &self.text[self.at..]
    }

    fn takes(&mut self, sign: &str) -> bool {
        let taken = self.rest().starts_with(sign);
        self.at += if taken { sign.len() } else { 0 };
        taken
    }

    fn wrong(&mut self, wanted: &str) -> String {
        let found = match self.rest() {
            "" => "it ends",
            rest => rest,
        };
        format!("`{}` is not understood: {wanted} is wanted, and there is `{found}`", self.text)
    }

    fn level(&mut self, level: usize) -> Result<Node, String> {
        let Some(operators) = LEVELS.get(level) else { return self.operand() };
        let mut node = self.level(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.takes(sign)) {
            node = Node::Binary(*operator, Box::new([node, self.level(level + 1)?]));
        }
        Ok(node)
    }

    fn operand(&mut self) -> Result<Node, String> {
        if self.takes("-") {
            return Ok(Node::Negative(Box::new(self.operand()?)));
        }
        if self.takes("(") {
            let node = self.level(0)?;
            return if self.takes(")") { Ok(node) } else { Err(self.wrong("`)`")) };
        }
        let word = self.word();
        if word.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return word.parse().map(Node::Number).map_err(|_| self.wrong("a number"));
        }
        if word.starts_with(|first: char| first.is_ascii_lowercase()) {
            return Ok(Node::Id(word.to_owned()));
        }
        if word.is_empty() {
            return Err(self.wrong("a number, an id or a function"));
        }
        self.function(word)
    }

    fn function(&mut self, name: &str) -> Result<Node, String> {
        if name != "IF" {
            return Err(format!("the function `{name}` has no place in an alarm here; IF is the only one"));
        }
        let mut arguments = Vec::new();
        for sign in ["(", ",", ","] {
            if !self.takes(sign) {
                return Err(self.wrong(&format!("`{sign}`")));
            }
            arguments.push(self.level(0)?);
        }
        if !self.takes(")") {
            return Err(self.wrong("`)`"));
        }
        <[Node; 3]>::try_from(arguments)
            .map(|nodes| Node::If(Box::new(nodes)))
            .map_err(|_| self.wrong("three arguments"))
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && !"_.".contains(letter));
        let word = &rest[..end.unwrap_or(rest.len())];
        self.at += word.len();
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_told() {
        let told = |text| read(text).unwrap_err();
        assert!(told("1 +").contains("it ends"), "{}", told("1 +"));
        assert!(told("a b").contains("an operator is wanted, and there is `b`"), "{}", told("a b"));
        assert!(told("IF(a, b)").contains("`,` is wanted"), "{}", told("IF(a, b)"));
        assert!(told("FILL(a, 0)").contains("`FILL`"), "{}", told("FILL(a, 0)"));
        assert!(told("(1").contains("`)`"), "{}", told("(1"));
    }
}
