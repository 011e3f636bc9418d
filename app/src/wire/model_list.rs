//! The models list of the Messages API: what a request asks for, and the answer in Anthropic's shape.

use serde::Serialize;

use crate::domain::{MappedModel, ModelMap};

/// Models of a page unless the request says otherwise.
const DEFAULT_LIMIT: usize = 20;
/// Models of a page at the most.
const MAX_LIMIT: usize = 1000;
/// Release dates are not known; this is how Anthropic writes that.
const UNKNOWN_DATE: &str = "1970-01-01T00:00:00Z";

/// Which part of the list is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    limit: usize,
    from: Option<Cursor>,
}

/// A place in the list.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Cursor {
    After(String),
    Before(String),
}

/// What is wrong with a request for the list.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidPage {
    /// The number of models is none.
    #[error("limit: {0:?} is no number from 1 to {MAX_LIMIT}")]
    Limit(String),
    /// Two places at once.
    #[error("after_id and before_id: send one of them, not both")]
    TwoCursors,
    /// A place that is not in the list.
    #[error("there is no model {0:?} in the list to page from")]
    UnknownCursor(String),
}

#[derive(Serialize)]
struct Model<'m> {
    r#type: &'static str,
    id: &'m str,
    display_name: &'m str,
    created_at: &'static str,
}

#[derive(Serialize)]
struct List<'m> {
    data: Vec<Model<'m>>,
    has_more: bool,
    first_id: Option<&'m str>,
    last_id: Option<&'m str>,
}

impl<'m> Model<'m> {
    fn of(model: &'m MappedModel) -> Self {
        Self { r#type: "model", id: &model.name, display_name: &model.display_name, created_at: UNKNOWN_DATE }
    }
}

impl Page {
    /// Reads the parameters of a query; unknown ones say nothing.
    ///
    /// # Errors
    /// When a value cannot be meant.
    pub fn read<K: AsRef<str>, V: AsRef<str>>(query: impl Iterator<Item = (K, V)>) -> Result<Self, InvalidPage> {
        let mut page = Self { limit: DEFAULT_LIMIT, from: None };
        for (name, value) in query {
            let value = value.as_ref();
            let cursor = match name.as_ref() {
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
                    page.limit = limit.ok_or_else(|| InvalidPage::Limit(value.to_owned()))?;
                    continue;
                }
                "after_id" => Cursor::After(value.to_owned()),
                "before_id" => Cursor::Before(value.to_owned()),
                _ => continue,
            };
            if page.from.replace(cursor).is_some() {
                return Err(InvalidPage::TwoCursors);
            }
        }
        Ok(page)
    }
}

/// The answer for a page of the list.
///
/// # Errors
/// When the page begins or ends at a model that is not in the list.
pub fn list(map: &ModelMap, page: &Page) -> Result<String, InvalidPage> {
    let models = map.models();
    let place = |id: &String| {
        models.iter().position(|model| model.name == *id).ok_or_else(|| InvalidPage::UnknownCursor(id.clone()))
    };
    let (range, has_more) = match &page.from {
        Some(Cursor::Before(id)) => {
            let end = place(id)?;
            let start = end.saturating_sub(page.limit);
            (start..end, start > 0)
        }
        from => {
            let start = if let Some(Cursor::After(id)) = from { place(id)? + 1 } else { 0 };
            let end = models.len().min(start + page.limit);
            (start..end, end < models.len())
        }
    };
    let data: Vec<Model<'_>> = models[range].iter().map(Model::of).collect();
    let (first_id, last_id) = (data.first().map(|model| model.id), data.last().map(|model| model.id));
    Ok(json(&List { data, has_more, first_id, last_id }))
}

/// The answer for one model.
pub fn one(model: &MappedModel) -> String {
    json(&Model::of(model))
}

fn json(value: &impl Serialize) -> String {
    // Only maps with odd keys and failing writers are errors; there are none.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(query: &[(&str, &str)]) -> Result<(Vec<String>, bool), InvalidPage> {
        let mapped = |name: &&str| MappedModel {
            name: (*name).to_owned(),
            display_name: name.to_uppercase(),
            bedrock_model: "anthropic.x".to_owned(),
        };
        let map = ModelMap::of(["e", "d", "c", "b", "a"].iter().map(mapped).collect()).0;
        let text = list(&map, &Page::read(query.iter().copied())?)?;
        let list: serde_json::Value = serde_json::from_str(&text).unwrap();
        let ids: Vec<String> =
            list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(
            (list["first_id"].as_str(), list["last_id"].as_str()),
            (ids.first().map(String::as_str), ids.last().map(String::as_str))
        );
        Ok((ids, list["has_more"].as_bool().unwrap()))
    }

    #[test]
    fn pages_go_both_ways() {
        for (query, expected, has_more) in [
            (&[][..], "edcba", false),
            (&[("limit", "1000"), ("beta", "true")], "edcba", false),
            (&[("limit", "2")], "ed", true),
            (&[("limit", "2"), ("after_id", "d")], "cb", true),
            (&[("after_id", "b")], "a", false),
            (&[("after_id", "a")], "", false),
            (&[("limit", "2"), ("before_id", "b")], "dc", true),
            (&[("before_id", "c")], "ed", false),
            (&[("before_id", "e")], "", false),
        ] {
            let got = ids(query).map(|(ids, has_more)| (ids.concat(), has_more));
            assert_eq!(got, Ok((expected.to_owned(), has_more)), "{query:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for limit in ["0", "1001", "-1", "x", ""] {
            assert_eq!(ids(&[("limit", limit)]), Err(InvalidPage::Limit(limit.to_owned())));
        }
        assert_eq!(ids(&[("after_id", "x")]), Err(InvalidPage::UnknownCursor("x".to_owned())));
        assert_eq!(ids(&[("after_id", "a"), ("before_id", "c")]), Err(InvalidPage::TwoCursors));
    }
}
