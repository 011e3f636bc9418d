//! The body as a whole: one walk over its parts, then the small fields at its top, then the fields that are added.

use super::walk::{Fate, Walk};
use super::{Edit, NotBridgeable};
use crate::domain::{Dialect, RefusalKind};
use crate::wire::json::{self, Member};

/// More fields than any request has; each costs memory.
pub(super) const MAX_FIELDS: usize = 1024;

/// The version of the body's form that every Claude model on Bedrock takes.
const ANTHROPIC_VERSION: &str = "bedrock-2023-05-31";
/// What older models need for a million tokens of context; the client says so in the model's name.
const LONG_CONTEXT_BETA: &str = "context-1m-2025-08-07";

impl Walk<'_> {
    /// The bridged body.
    pub(super) fn body(&mut self) -> Result<Vec<u8>, NotBridgeable> {
        let members = self.parts()?;
        let mut cut: Vec<bool> = members.iter().map(|(_, fate)| *fate == Fate::Cut).collect();
        let members: Vec<Member> = members.into_iter().map(|(member, _)| member).collect();
        let find = |name: &str| json::find(self.text, &members, name);
        let inner = |outer: &str, name: &str| {
            let members = json::members(self.text, find(outer)?.value.start)?;
            json::find(self.text, &members, name).map(|member| member.value.clone())
        };
        let budget = inner("thinking", "budget_tokens").and_then(|at| super::thinking::number(&self.text[at]));
        let effort = inner("output_config", "effort").and_then(|at| json::string(self.text, &at));
        let long_context = find("model").is_some_and(|model| {
            json::string(self.text, &model.value).unwrap_or_default().to_ascii_lowercase().ends_with("[1m]")
        });
        if long_context {
            self.add_long_context();
        }
        let context = self.context_management(find("context_management"));
        let (max_tokens, added_max_tokens) = self.max_tokens(find("max_tokens"), budget);
        for (member, cut) in members.iter().zip(&mut cut) {
            let name = member.name(self.text).unwrap_or_default();
            let fate = match name.as_ref() {
                "context_management" => context,
                "thinking" => self.thinking(member, max_tokens, effort.as_deref()),
                "output_config" => self.output_config(member),
                "tool_choice" => self.tool_choice(member),
                "metadata" => self.metadata(member),
                "cache_control" => self.automatic_marker(member),
                name => self.simple(name, member),
            };
            *cut |= fate == Fate::Cut || self.is_refused(&name);
        }
        let mut added: Vec<Vec<u8>> = added_max_tokens.into_iter().collect();
        match self.rules.dialect {
            Dialect::Invoke => added.extend(self.invoke_fields()),
            Dialect::Messages if find("model").is_none() => {
                added.push(format!("\"model\":{}", self.model()).into_bytes());
            }
            Dialect::Messages => {}
        }
        let mut splice = std::mem::take(&mut self.splice);
        splice.edit_object(&members, |index| cut[index], &added);
        Ok(splice.apply(self.text))
    }

    /// Walks over the whole body once; the fields at its top, and which of them go already.
    fn parts(&mut self) -> Result<Vec<(Member, Fate)>, NotBridgeable> {
        let mut members = Vec::new();
        if !self.cursor.enter(b'{') {
            return Err(NotBridgeable::NotAnObject);
        }
        while let Some(key) = self.cursor.next_key().ok_or(NotBridgeable::NotAnObject)? {
            let start = self.cursor.position();
            let fate = self.part(&self.cursor.text_at(&key));
            let ended = if self.too_many { NotBridgeable::TooManyChanges } else { NotBridgeable::NotAnObject };
            let fate = fate.ok_or(ended)?;
            members.push((Member { key, value: start..self.cursor.position() }, fate));
            if members.len() > MAX_FIELDS {
                return Err(NotBridgeable::TooManyFields);
            }
        }
        if members.is_empty() { Err(NotBridgeable::NotAnObject) } else { Ok(members) }
    }

    fn part(&mut self, name: &str) -> Option<Fate> {
        let start = self.cursor.position();
        let mut fate = Fate::Keep;
        match name {
            "messages" => self.messages()?,
            "system" => fate = self.system()?,
            "tools" => self.tools()?,
            _ => {}
        }
        self.skip_from(start)?;
        Some(fate)
    }

    /// Fields that stay or go as a whole.
    fn simple(&mut self, name: &str, member: &Member) -> Fate {
        let table = self.rules.table;
        match name {
            "model" if self.rules.dialect == Dialect::Messages => {
                self.splice.replace(member.value.clone(), self.model());
                return Fate::Keep;
            }
            // One that is written with escapes was not seen where the form of the answer was decided.
            "stream" if self.rules.dialect == Dialect::Messages && self.text[member.key.clone()] == *b"\"stream\"" => {
                return Fate::Keep;
            }
            // Elsewhere on Bedrock: in the URL, in the choice of the operation, or added anew.
            "model" | "stream" | "anthropic_version" | "anthropic_beta" => return Fate::Cut,
            _ => {}
        }
        let sampling = !self.rules.row.sampling && matches!(name, "temperature" | "top_p" | "top_k");
        let never = table.refused_fields.iter().any(|field| field == name);
        if sampling || never {
            self.note(Edit::Dropped(name.to_owned().into()));
            return Fate::Cut;
        }
        Fate::Keep
    }

    /// A field at the top that the model has turned out to refuse; without the parts that make a request there is none.
    fn is_refused(&mut self, name: &str) -> bool {
        let needed = matches!(name, "messages" | "system" | "tools" | "max_tokens" | "model" | "stream");
        let refused = !needed && self.refuses(RefusalKind::Field, name);
        if refused {
            self.note(Edit::Dropped(name.to_owned().into()));
        }
        refused
    }

    fn add_long_context(&mut self) {
        let asked = [LONG_CONTEXT_BETA];
        let added = super::betas::taken(&asked, &self.rules);
        if let Some(beta) = added.first().filter(|beta| !self.betas.contains(beta)) {
            self.betas.insert(0, beta);
        }
    }

    fn model(&self) -> String {
        serde_json::Value::from(self.rules.model).to_string()
    }

    /// `anthropic_beta` where there is any, and `anthropic_version`.
    fn invoke_fields(&self) -> Vec<Vec<u8>> {
        let list = self.betas.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
        let beta = (!list.is_empty()).then(|| format!("\"anthropic_beta\":[{list}]").into_bytes());
        beta.into_iter().chain([format!("\"anthropic_version\":\"{ANTHROPIC_VERSION}\"").into_bytes()]).collect()
    }
}
