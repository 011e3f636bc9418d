//! Dashboards: rows of graphs.

use serde_json::{Map, Value as Json, json};

use crate::cfn::cloudwatch;
use crate::core::{Handle, Scope, Value};

use super::Metric;

/// A dashboard of graphs, three in a row. Defaults: of the stack's region, five-minute points.
#[derive(Clone)]
pub struct Dashboard {
    /// The way out.
    pub handle: Handle<cloudwatch::Dashboard>,
}

impl Dashboard {
    /// A dashboard of this name, with graphs that each have a title and lines with labels.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, dashboard_name: &str, graphs: &[(&str, Vec<(&str, Metric)>)]) -> Self {
        let mut names = Names::default();
        let widgets: Vec<_> = (0..).zip(graphs).map(|(index, graph)| widget(index, graph, &mut names)).collect();
        let body = json!({ "Fn::Sub": [json!({ "widgets": widgets }).to_string(), names.0] });
        let dashboard = cloudwatch::Dashboard::new(Value::literal(body)).dashboard_name(Value::literal(dashboard_name));
        Self { handle: scope.child(name).main(dashboard) }
    }
}

/// The body is text, so that values of the stack come into it by name.
#[derive(Default)]
struct Names(Map<String, Json>);

impl Names {
    fn of(&mut self, value: &Value<String>) -> String {
        match value.json() {
            Json::String(text) => text.clone(),
            expression => {
                let known = self.0.iter().find(|(_, known)| *known == expression).map(|(name, _)| name.clone());
                let name = known.unwrap_or_else(|| format!("V{:02}", self.0.len()));
                self.0.insert(name.clone(), expression.clone());
                format!("${{{name}}}")
            }
        }
    }
}

fn widget(index: usize, (title, lines): &(&str, Vec<(&str, Metric)>), names: &mut Names) -> Json {
    let metrics: Vec<_> = lines.iter().map(|(label, metric)| line(label, metric, names)).collect();
    json!({
        "type": "metric", "width": 8, "height": 6, "x": index % 3 * 8, "y": index / 3 * 6,
        "properties": { "title": title, "region": "${AWS::Region}", "view": "timeSeries", "metrics": metrics },
    })
}

fn line(label: &str, metric: &Metric, names: &mut Names) -> Json {
    let mut line = vec![json!(metric.namespace), json!(metric.name)];
    for (dimension, value) in &metric.dimensions {
        line.extend([json!(dimension), json!(names.of(value))]);
    }
    line.push(json!({ "label": label, "stat": metric.statistic, "period": metric.period }));
    Json::Array(line)
}
