//! Reads the plan that PostgreSQL says it has followed.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::cache::TABLES;

/// What matters of a plan.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// How long it took to follow it.
    pub(super) took_ms: f64,
    /// Pages that were looked at, in memory or on the disk.
    pub(super) pages: u64,
    /// Rows that came of it.
    pub(super) found: u64,
    /// Rows of the two tables that were read for it.
    pub(super) rows_read: u64,
    /// The indexes of the two tables that it uses.
    pub(super) indexes: Vec<String>,
    /// Tables that it reads from end to end.
    scanned: Vec<String>,
    /// Indexes that it reads from end to end.
    walked: Vec<String>,
}

impl Plan {
    /// Reads what `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)` says; `indexes` are those of the two tables.
    pub(super) fn read(json: &str, indexes: &[String]) -> Result<Self> {
        let explained: Value = serde_json::from_str(json).context("the plan is no JSON")?;
        let (explained, top) = (&explained[0], &explained[0]["Plan"]);
        let mut plan = Self {
            took_ms: explained["Execution Time"].as_f64().context("no time in the plan")?,
            pages: number(top, "Shared Hit Blocks") + number(top, "Shared Read Blocks"),
            found: number(top, "Actual Rows"),
            ..Self::default()
        };
        plan.visit(top, indexes);
        plan.indexes.sort_unstable();
        plan.indexes.dedup();
        Ok(plan)
    }

    /// What is wrong with it: something that takes longer the more rows there are. `most` rows may be read.
    pub(super) fn complaints(&self, most: u64) -> Vec<String> {
        let scanned = self.scanned.iter().map(|table| format!("reads all of {table}"));
        let walked = self.walked.iter().map(|index| format!("reads all of the index {index}"));
        let unused = self.indexes.is_empty().then(|| "uses no index".to_owned());
        let many = (self.rows_read > most)
            .then(|| format!("reads {} rows, and {most} at the most were expected", self.rows_read));
        scanned.chain(walked).chain(unused).chain(many).collect()
    }

    fn visit(&mut self, node: &Value, indexes: &[String]) {
        let text = |field: &str| node[field].as_str().unwrap_or_default();
        if text("Node Type").ends_with("Seq Scan") && TABLES.contains(&text("Relation Name")) {
            self.scanned.push(text("Relation Name").to_owned());
        }
        // Not for a bitmap of an index, whose rows are read by the node above it.
        if TABLES.contains(&text("Relation Name")) && text("Node Type").ends_with("Scan") {
            let rows = number(node, "Actual Rows") + number(node, "Rows Removed by Filter");
            self.rows_read += rows * number(node, "Actual Loops");
        }
        let index = text("Index Name").to_owned();
        if indexes.contains(&index) {
            if node["Index Cond"].is_null() {
                self.walked.push(index.clone());
            }
            self.indexes.push(index);
        }
        let arbiters = node["Conflict Arbiter Indexes"].as_array().into_iter().flatten();
        self.indexes.extend(arbiters.filter_map(Value::as_str).map(str::to_owned));
        for child in node["Plans"].as_array().into_iter().flatten() {
            self.visit(child, indexes);
        }
    }
}

fn number(node: &Value, field: &str) -> u64 {
    node[field].as_u64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(plan: &Value) -> Plan {
        let json = json!([{ "Plan": plan, "Execution Time": 1.5 }]).to_string();
        Plan::read(&json, &["idx_usage".to_owned()]).unwrap()
    }

    #[test]
    fn a_condition_on_an_index_is_all_right() {
        let scan = json!({
            "Node Type": "Index Scan", "Relation Name": "token_usage", "Index Name": "idx_usage", "Index Cond": "(a = 1)",
            "Actual Rows": 3, "Rows Removed by Filter": 2, "Actual Loops": 4,
        });
        let plan = read(&json!({ "Node Type": "Limit", "Actual Rows": 3, "Shared Hit Blocks": 4, "Plans": [scan] }));
        let indexes = vec!["idx_usage".to_owned()];
        assert_eq!(plan, Plan { took_ms: 1.5, pages: 4, found: 3, rows_read: 20, indexes, ..Plan::default() });
        assert!(plan.complaints(20).is_empty());
        assert_eq!(plan.complaints(19), ["reads 20 rows, and 19 at the most were expected"]);
    }

    #[test]
    fn reading_a_table_or_an_index_to_its_end_is_not() {
        let table = json!({ "Node Type": "Seq Scan", "Relation Name": "token_usage" });
        let index = json!({ "Node Type": "Index Only Scan", "Index Name": "idx_usage" });
        let plan = read(&json!({ "Node Type": "Append", "Plans": [table, index] }));
        assert_eq!(plan.complaints(0), ["reads all of token_usage", "reads all of the index idx_usage"]);
        let other = read(&json!({ "Node Type": "Seq Scan", "Relation Name": "usage_time_zone" }));
        assert_eq!(other.complaints(0), ["uses no index"]);
    }
}
