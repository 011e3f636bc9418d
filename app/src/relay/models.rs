//! The models list, told from memory to those who have no plan to ask.

use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use reqwest::Url;

use super::answer::{Answer, AnswerBody};
use super::{Operation, Relay};
use crate::domain::{ErrorType, Failure};
use crate::wire::model_list::{self, Page};

impl Relay {
    /// The list, or one model of it.
    ///
    /// # Errors
    /// What the client is told of a wrong page or an unknown model.
    pub(super) fn tell_models(&self, operation: Operation, path_and_query: &str) -> Result<Answer, Failure> {
        let invalid = |what: String| Failure::new(400, ErrorType::InvalidRequest, what);
        // The host is nobody's; it makes the path one that can be read.
        let url = Url::parse(&format!("http://localhost{path_and_query}"))
            .map_err(|_| invalid("The path of this request cannot be read.".to_owned()))?;
        let map = self.models.current();
        let body = if operation == Operation::ListModels {
            Page::read(url.query_pairs())
                .and_then(|page| model_list::list(&map, &page))
                .map_err(|wrong| invalid(wrong.to_string()))?
        } else {
            let name = url.path_segments().and_then(Iterator::last).unwrap_or_default();
            map.find(name).map(model_list::one).ok_or_else(|| {
                let message = format!("There is no model {name:?}. GET /v1/models lists those that Bedrock serves.");
                Failure::new(404, ErrorType::NotFound, message)
            })?
        };
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        Ok(Answer { status: 200, headers, served: None, body: AnswerBody::Unmetered(body.into()) })
    }
}
