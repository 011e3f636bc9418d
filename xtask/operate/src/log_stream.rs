//! The log of one container, as it grows.

use anyhow::Result;
use serde_json::Value as Json;

use crate::aws::Aws;
use crate::failure::{is_missing, told};

/// A stream of a log group.
#[derive(Debug)]
pub(crate) struct LogStream {
    group: String,
    stream: String,
    token: Option<String>,
}

impl LogStream {
    pub(crate) fn new(group: &str, stream: String) -> Self {
        Self { group: group.to_owned(), stream, token: None }
    }

    /// The lines since the last call, oldest first; none as long as there is no such stream.
    pub(crate) async fn next(&mut self, aws: &Aws) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let asked = aws.logs().get_log_events().log_group_name(&self.group).log_stream_name(&self.stream);
            let answer = match asked.start_from_head(true).set_next_token(self.token.clone()).send().await {
                Ok(answer) => answer,
                Err(error) if is_missing(&error) => return Ok(lines),
                Err(error) => return Err(told(error, "read the log of the task")),
            };
            lines.extend(answer.events.unwrap_or_default().into_iter().filter_map(|event| event.message));
            // The same token once more is AWS's way to say that this was all.
            if answer.next_forward_token.is_none() || answer.next_forward_token == self.token {
                return Ok(lines);
            }
            self.token = answer.next_forward_token;
        }
    }

    /// The last lines.
    pub(crate) async fn last(&self, aws: &Aws, count: i32) -> Result<Vec<String>> {
        let asked = aws.logs().get_log_events().log_group_name(&self.group).log_stream_name(&self.stream);
        match asked.start_from_head(false).limit(count).send().await {
            Ok(answer) => Ok(answer.events.unwrap_or_default().into_iter().filter_map(|event| event.message).collect()),
            Err(error) if is_missing(&error) => Ok(Vec::new()),
            Err(error) => Err(told(error, "read the log of the task")),
        }
    }
}

/// A line of our log for people: time, level, message, and what else it says. Other lines stay as they are.
pub(crate) fn readable_line(line: &str) -> String {
    // What a client has sent may be in it, and may not steer the terminal.
    made_readable(line).chars().filter(|character| !character.is_control()).collect()
}

fn made_readable(line: &str) -> String {
    let Ok(Json::Object(mut fields)) = serde_json::from_str::<Json>(line) else { return line.trim_end().to_owned() };
    let mut take = |name: &str| fields.remove(name).and_then(|value| value.as_str().map(str::to_owned));
    let (time, level, message) = (take("timestamp"), take("level"), take("message"));
    let Some(message) = message else { return line.trim_end().to_owned() };
    let time = time.map(|time| time.chars().skip(11).take(8).collect::<String>()).unwrap_or_default();
    let rest: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
    [time, level.unwrap_or_default(), message, rest.join(" ")]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_json_is_made_readable_and_others_stay() {
        assert_eq!(
            readable_line(
                r#"{"timestamp":"2026-01-02T03:04:05.678Z","level":"info","message":"migrated","applied":3,"to":"x"}"#
            ),
            "03:04:05 info migrated applied=3 to=x"
        );
        assert_eq!(readable_line("thread main panicked\n"), "thread main panicked");
        assert_eq!(readable_line(r#"{"message":"\u001b[2Jgone"}"#), "[2Jgone");
        assert_eq!(readable_line(r#"{"a":1}"#), r#"{"a":1}"#);
    }
}
