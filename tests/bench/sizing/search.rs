//! Which numbers of developers are tried.

/// The numbers of developers that are tried: twice as many until it is too much, then twice in the middle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Search {
    held: u32,
    broke: Option<u32>,
    most: u32,
    finer: u32,
}

impl Search {
    /// From this number on, up to that one.
    pub(super) fn new(first: u32, most: u32) -> Self {
        Self { held: first / 2, broke: None, most, finer: 2 }
    }

    /// The next number to try; none once it is known well enough.
    pub(super) fn next(&self) -> Option<u32> {
        match self.broke {
            None => Some(self.held * 2).filter(|number| *number <= self.most),
            Some(broke) => Some(u32::midpoint(self.held, broke)).filter(|number| self.finer > 0 && *number > self.held),
        }
    }

    /// Notes whether this number held.
    pub(super) fn note(&mut self, number: u32, held: bool) {
        if self.broke.is_some() {
            self.finer -= 1;
        }
        if held {
            self.held = number;
        } else {
            self.broke = Some(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(limit: u32) -> Vec<u32> {
        let mut search = Search::new(100, 1600);
        let mut tried = Vec::new();
        while let Some(number) = search.next() {
            tried.push(number);
            search.note(number, number <= limit);
        }
        tried
    }

    #[test]
    fn numbers_are_doubled_and_then_halved_in() {
        assert_eq!(tried(520), [100, 200, 400, 800, 600, 500]);
        assert_eq!(tried(720), [100, 200, 400, 800, 600, 700]);
        assert_eq!(tried(9000), [100, 200, 400, 800, 1600]);
        assert_eq!(tried(60), [100, 75, 62]);
    }
}
