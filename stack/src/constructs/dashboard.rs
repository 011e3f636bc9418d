//! Dashboards: graphs of metrics, three in a row.

use serde_json::{Map, Value as Json, json};

use crate::cfn::cloudwatch;
use crate::core::{Handle, Scope, Value};

use super::Metric;

/// A dashboard. Defaults: of the stack's region, which ends its name because dashboards are the whole account's; the points and
/// periods of the metrics themselves.
#[derive(Clone)]
pub struct Dashboard {
    /// The way out.
    pub handle: Handle<cloudwatch::Dashboard>,
}

/// A graph with a title.
#[derive(Clone, Debug)]
pub struct Graph {
    title: String,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
enum Line {
    /// A metric with its label.
    Metric(String, Metric),
    /// A metric that only the expression of this name and label looks at.
    Hidden(&'static str, Metric),
    /// A calculation over hidden metrics, or a search.
    Expression(String, String),
}

impl Graph {
    /// One line.
    pub fn of(title: &str, metric: &Metric) -> Self {
        Self::new(title, [Line::Metric(metric.name.clone(), metric.clone())])
    }

    /// A line for each of these words of a dimension.
    pub fn by(title: &str, metric: &Metric, dimension: &str, words: &[&str]) -> Self {
        let line = |word: &&str| Line::Metric((*word).to_owned(), metric.clone().by(dimension, word));
        Self::new(title, words.iter().map(line))
    }

    /// The median and what one request in twenty and one in a hundred exceed.
    pub fn percentiles(title: &str, metric: &Metric) -> Self {
        let line = |percentile: &str| {
            Line::Metric(percentile.to_owned(), Metric { statistic: percentile.to_owned(), ..metric.clone() })
        };
        Self::new(title, ["p50", "p95", "p99"].map(line))
    }

    /// What percentage one metric is of the other.
    pub fn ratio(title: &str, part: &Metric, whole: &Metric) -> Self {
        let rate = Line::Expression(title.to_owned(), "100 * part / whole".to_owned());
        Self::new(title, [rate, Line::Hidden("part", part.clone()), Line::Hidden("whole", whole.clone())])
    }

    /// A line for each combination of dimensions that there is. Only dashboards can search; alarms cannot.
    pub fn search(title: &str, metric: &Metric, dimensions: &[&str]) -> Self {
        let Metric { namespace, name, statistic, period, .. } = metric;
        let schema = [&[namespace.as_str()], dimensions].concat().join(",");
        let search = format!(r#"SEARCH('{{{schema}}} MetricName="{name}"', '{statistic}', {period})"#);
        Self::new(title, [Line::Expression(String::new(), search)])
    }

    fn new(title: &str, lines: impl IntoIterator<Item = Line>) -> Self {
        Self { title: title.to_owned(), lines: lines.into_iter().collect() }
    }
}

impl Dashboard {
    /// A dashboard of this name.
    #[track_caller]
    pub fn new(scope: &Scope, name: &str, dashboard_name: &str, graphs: &[Graph]) -> Self {
        let mut names = Names::default();
        let widgets: Vec<_> = (0..).zip(graphs).map(|(index, graph)| widget(index, graph, &mut names)).collect();
        let mut body = json!({ "widgets": widgets });
        // As text it is out of the reach of the sorting that synthesis does.
        body.sort_all_objects();
        let body = json!({ "Fn::Sub": [body.to_string(), names.0] });
        let dashboard = cloudwatch::Dashboard::new(Value::literal(body))
            .dashboard_name(Value::sub(&format!("{dashboard_name}-${{AWS::Region}}")));
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

fn widget(index: usize, graph: &Graph, names: &mut Names) -> Json {
    let metrics: Vec<_> = graph.lines.iter().map(|line| row(line, names)).collect();
    json!({
        "type": "metric", "width": 8, "height": 6, "x": index % 3 * 8, "y": index / 3 * 6,
        "properties": { "title": graph.title, "region": "${AWS::Region}", "view": "timeSeries", "metrics": metrics },
    })
}

fn row(line: &Line, names: &mut Names) -> Json {
    let (metric, options) = match line {
        Line::Metric(label, metric) => (metric, json!({ "label": label })),
        Line::Hidden(id, metric) => (metric, json!({ "id": id, "visible": false })),
        Line::Expression(label, expression) if label.is_empty() => return json!([{ "expression": expression }]),
        Line::Expression(label, expression) => return json!([{ "expression": expression, "label": label }]),
    };
    let mut row = vec![json!(metric.namespace), json!(metric.name)];
    for (dimension, value) in &metric.dimensions {
        row.extend([json!(dimension), json!(names.of(value))]);
    }
    let mut options = options;
    options["stat"] = json!(metric.statistic);
    options["period"] = json!(metric.period);
    row.push(options);
    Json::Array(row)
}
