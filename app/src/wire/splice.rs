//! Removes, replaces and adds parts of a text by position; every byte that is not named stays as it was.

use std::ops::Range;

use super::json::Member;

/// A list of changes to one text, applied in one pass.
#[derive(Default, Debug)]
pub struct Splice {
    changes: Vec<(Range<usize>, Vec<u8>)>,
}

impl Splice {
    /// Replaces a range. A change inside of another that begins earlier is lost with it.
    pub fn replace(&mut self, range: Range<usize>, with: impl Into<Vec<u8>>) {
        self.changes.push((range, with.into()));
    }

    /// Removes the members of one object for which `remove` says so, each with one comma, and appends `added`
    /// (complete `"name":value` texts) after the last one.
    pub fn edit_object(&mut self, members: &[Member], remove: impl Fn(usize) -> bool, added: &[Vec<u8>]) {
        let mut cuts = Cuts::default();
        for (index, member) in members.iter().enumerate() {
            cuts.item(member.key.start..member.value.end, !remove(index), self);
        }
        let kept = cuts.kept();
        cuts.finish(self);
        if let (Some(last), false) = (members.last(), added.is_empty()) {
            let mut text = added.join(&b',');
            if kept > 0 {
                text.insert(0, b',');
            }
            self.replace(last.value.end..last.value.end, text);
        }
    }

    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Takes over all changes of another list.
    pub fn append(&mut self, mut other: Self) {
        self.changes.append(&mut other.changes);
    }

    /// The text with all changes made.
    pub fn apply(mut self, text: &[u8]) -> Vec<u8> {
        // Of changes that begin at the same place insertions come first; then the widest, which hides the others.
        self.changes.sort_by_key(|(range, _)| (range.start, !range.is_empty(), std::cmp::Reverse(range.end)));
        let added: usize = self.changes.iter().map(|(_, with)| with.len()).sum();
        let mut out = Vec::with_capacity(text.len() + added);
        let mut at = 0;
        for (range, with) in &self.changes {
            if range.start < at {
                // It lies inside of something that is gone already.
                continue;
            }
            out.extend_from_slice(&text[at..range.start]);
            out.extend_from_slice(with);
            at = range.end;
        }
        out.extend_from_slice(&text[at..]);
        out
    }
}

/// Cuts items out of one object or array, each with one comma, as they come by.
#[derive(Default, Debug)]
pub struct Cuts {
    kept: usize,
    /// Where the last item ended, once one was kept.
    end: usize,
    /// Cut items before the first one that is kept.
    leading: Option<Range<usize>>,
}

impl Cuts {
    /// The next item: a member with its key, or an element.
    pub fn item(&mut self, item: Range<usize>, keep: bool, splice: &mut Splice) {
        if keep {
            if let Some(leading) = self.leading.take() {
                splice.replace(leading.start..item.start, Vec::new());
            }
            self.kept += 1;
        } else if self.kept > 0 {
            // The comma before it goes too.
            splice.replace(self.end..item.end, Vec::new());
        } else {
            let start = self.leading.as_ref().map_or(item.start, |leading| leading.start);
            self.leading = Some(start..item.end);
        }
        self.end = item.end;
    }

    /// How many items were kept so far.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// There are no more items.
    pub fn finish(self, splice: &mut Splice) {
        if let Some(leading) = self.leading {
            splice.replace(leading, Vec::new());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json;
    use proptest::prelude::*;

    fn edited(text: &str, remove: &[usize], added: &[&str]) -> String {
        let members = json::members(text.as_bytes(), 0).unwrap();
        let added: Vec<Vec<u8>> = added.iter().map(|a| a.as_bytes().to_vec()).collect();
        let mut splice = Splice::default();
        splice.edit_object(&members, |index| remove.contains(&index), &added);
        String::from_utf8(splice.apply(text.as_bytes())).unwrap()
    }

    #[test]
    fn members_go_with_their_commas() {
        let text = r#"{ "a":1, "b" : 2 ,"c":3}"#;
        assert_eq!(edited(text, &[0], &[]), r#"{ "b" : 2 ,"c":3}"#);
        assert_eq!(edited(text, &[1], &[]), r#"{ "a":1 ,"c":3}"#);
        assert_eq!(edited(text, &[2], &[]), r#"{ "a":1, "b" : 2}"#);
        assert_eq!(edited(text, &[1, 2], &[]), r#"{ "a":1}"#);
        assert_eq!(edited(text, &[0, 1, 2], &[]), "{ }");
        assert_eq!(edited(text, &[0, 1, 2], &[r#""d":4"#]), r#"{ "d":4}"#);
        assert_eq!(edited(text, &[2], &[r#""d":4"#, r#""e":5"#]), r#"{ "a":1, "b" : 2,"d":4,"e":5}"#);
    }

    proptest! {
        #[test]
        fn what_stays_is_what_a_parser_would_keep(
            count in 1_usize..7, mask in any::<u8>(), add in any::<bool>(), space in "[ \n]{0,2}",
        ) {
            let body = (0..count).map(|i| format!("{space}\"k{i}\"{space}:{space}{i}")).collect::<Vec<_>>().join(",");
            let text = format!("{{{body}{space}}}");
            let removed: Vec<usize> = (0..count).filter(|i| mask & (1 << i) != 0).collect();
            let result = edited(&text, &removed, if add { &["\"new\":0"] } else { &[] });
            let parsed: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&result).unwrap();
            let mut expected: Vec<String> = (0..count).filter(|i| !removed.contains(i)).map(|i| format!("k{i}")).collect();
            if add {
                expected.push("new".to_owned());
            }
            expected.sort();
            let mut names: Vec<String> = parsed.keys().cloned().collect();
            names.sort();
            prop_assert_eq!(names, expected);
        }
    }
}
