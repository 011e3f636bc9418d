//! CloudWatch is away, slow of answer or throttled: nothing that was counted is lost, and no request knows of it.

use std::time::Duration;

use claude_code_proxy::domain::Provider;
use claude_code_proxy::telemetry::counters;
use claude_code_proxy::telemetry::metrics::{CloudWatch, Registry};
use claude_code_proxy::telemetry::standing::State;
use metrics::with_local_recorder;
use rustix::process::Signal;
use serde_json::Value;
use support::fault::{FaultProxy, Harm, Moment};
use support::link::{Link, Passage};
use support::process::ServeProcess;
use support::{Answer, Client, KeyWish, PATIENCE, Reply, Upstream, refused_address, within};

use crate::moto::{Moto, dimensions};

/// A minute for those who have none.
const SHORT: Duration = Duration::from_millis(200);

/// The sum of RequestCount of the plan in all calls.
fn requests(calls: &[Value]) -> f64 {
    let data = calls.iter().flat_map(|call| call["MetricData"].as_array().unwrap());
    let of_plan = |datum: &&Value| {
        datum["MetricName"] == "RequestCount" && dimensions(datum) == [("Provider".to_owned(), "plan".to_owned())]
    };
    data.filter(of_plan).map(|datum| datum["Values"][0].as_f64().unwrap()).sum()
}

async fn arrived(moto: &Moto, number: f64) {
    // Moto is one process of Python, which has other things to do for the other tests.
    let mut looks = tokio::time::interval(SHORT);
    while requests(&moto.calls().await) < number {
        looks.tick().await;
    }
}

#[expect(clippy::cast_possible_truncation, reason = "small numbers of requests")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

fn count(registry: &Registry, times: u32) {
    with_local_recorder(registry, || (0..times).for_each(|_| counters::request(Provider::Plan)));
}

/// What is counted during an outage arrives after it, each minute in a call of its own with its own time.
#[tokio::test]
async fn an_outage_delays_and_loses_nothing() {
    let moto = Moto::in_region("eu-west-3");
    let link = Link::start(moto.url().trim_start_matches("http://").parse().unwrap()).await;
    let client = moto.cloudwatch(&format!("http://{}", link.address())).await;
    let registry = Registry::new(true);
    let cloudwatch = CloudWatch::start(registry.clone(), async { client }, SHORT);
    let standing = cloudwatch.standing();
    assert_eq!((standing.state(), standing.succeeded_at()), (State::Untried, None));
    count(&registry, 2);
    within("the first metrics", arrived(&moto, 2.0)).await;
    link.set(Passage::Cut);
    let mut minutes = tokio::time::interval(SHORT);
    for _ in 0..8 {
        minutes.tick().await;
        count(&registry, 1);
    }
    assert_eq!(whole(requests(&moto.calls().await)), 2);
    let before = standing.succeeded_at();
    assert!(before.is_some());
    let failing = async {
        // A call has failed when all its tries have.
        while standing.state() != State::Failing {
            minutes.tick().await;
        }
    };
    within("a call to fail", failing).await;
    link.set(Passage::Open);
    // A call that failed is tried again after a pause.
    tokio::time::timeout(2 * PATIENCE, arrived(&moto, 10.0)).await.expect("the metrics of the outage");
    cloudwatch.stop().await;
    assert!(standing.state() == State::Ready && standing.succeeded_at() > before, "{standing:?}");
    let calls = moto.calls().await;
    assert_eq!(whole(requests(&calls)), 10, "nothing twice");
    let times: Vec<f64> = calls.iter().map(|call| call["MetricData"][0]["Timestamp"].as_f64().unwrap()).collect();
    // A call whose answer is cut off is made again, with the same time; nothing had been counted by then.
    assert!(times.is_sorted() && times.first() < times.last(), "{times:?}");
}

/// A throttled call is made again with the same data.
#[tokio::test]
async fn a_throttled_call_is_made_again() {
    let moto = Moto::in_region("eu-south-1");
    let upstream = Upstream::start().await;
    let cbor = |status| Reply::new(status).with_header("smithy-protocol", "rpc-v2-cbor").with_body(vec![0xa0]);
    for _ in 0..2 {
        upstream.enqueue(cbor(400).with_header("x-amzn-query-error", "Throttling;Sender"));
    }
    upstream.otherwise(move |_| cbor(200));
    let client = moto.cloudwatch(&upstream.url()).await;
    let registry = Registry::new(true);
    let cloudwatch = CloudWatch::start(registry.clone(), async { client }, Duration::from_hours(1));
    count(&registry, 1);
    cloudwatch.stop().await;
    let bodies: Vec<_> = upstream.requests().into_iter().map(|request| request.body).collect();
    assert!(bodies.len() == 3 && bodies.iter().all(|body| *body == bodies[0] && !body.is_empty()), "{}", bodies.len());
}

/// Whatever breaks between the two, the end of the process waits five seconds for it at the most.
#[tokio::test]
async fn no_fault_keeps_the_sender_from_ending() {
    let moto = Moto::in_region("eu-south-2");
    let faults = Harm::ALL.into_iter().flat_map(|harm| Moment::ALL.into_iter().map(move |moment| (harm, moment)));
    let ends = faults.map(|(harm, moment)| {
        let moto = &moto;
        async move {
            let fault = FaultProxy::start(moto.url(), harm, moment).await;
            let client = moto.cloudwatch(fault.url()).await;
            let registry = Registry::new(true);
            count(&registry, 1);
            CloudWatch::start(registry, async { client }, SHORT).stop().await;
        }
    });
    within("sixteen senders to end", futures_util::future::join_all(ends)).await;
}

/// A process whose CloudWatch is away serves as always, ends in time and says that metrics are lost.
#[tokio::test]
async fn requests_know_nothing_of_it() {
    let moto = Moto::in_region("eu-north-1");
    let (_held, nowhere) = refused_address();
    let around = moto.surroundings(&format!("http://{nowhere}")).await;
    let process = ServeProcess::start(&around).await;
    let key = around.issue(KeyWish::default()).await;
    around.plan.enqueue(Reply::plan_json(&Answer::text("one")));
    assert_eq!(Client::at(format!("{}/ak/{}", process.url(), key.text)).ask().await.status, 200);
    process.signal(Signal::TERM);
    process.lines("metrics are lost: CloudWatch did not take them before the end", 1).await;
    let told = process.lines("CloudWatch does not take the metrics; they wait, half an hour at the most", 1).await;
    assert_eq!((told.len(), &told[0]["code"]), (1, &"Unreachable".into()));
    assert_eq!(process.exit_code().await, Some(0));
}
