//! A new version is rolled out while developers work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;
use support::process::ServeProcess;
use support::{Answer, Balancer, Client, KeyWish, Reply, Surroundings, within};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{outcomes, until_health_is};

/// Two processes behind a load balancer are restarted in turn, twice, under a steady load: no request fails and no usage
/// row is missing.
#[tokio::test]
async fn rolling_restarts_lose_no_request_and_no_usage() {
    const WORKERS: usize = 8;
    let around = Surroundings::start().await.with("DRAIN_DELAY", "100s");
    around.plan.otherwise(|_| Reply::overloaded());
    let answer = Answer::text("an answer of some words");
    around.bedrock.otherwise(move |request| {
        if request.path().ends_with("/invoke-with-response-stream") {
            Reply::bedrock_stream(&answer)
        } else {
            Reply::bedrock_json(&answer)
        }
    });
    let mut processes = [ServeProcess::start(&around).await, ServeProcess::start(&around).await];
    let balancer = Balancer::start(processes.iter().map(ServeProcess::url)).await;
    let key = around.issue(KeyWish::default()).await;
    let mut load = Load::start(WORKERS, &format!("{}/ak/{}", balancer.url(), key.text));

    for index in [0, 1, 0, 1] {
        load.each_goes_on().await;
        let old = &processes[index];
        old.signal(Signal::TERM);
        until_health_is(old, 503).await;
        load.each_goes_on().await;
        balancer.poll().await;
        assert!(!balancer.healthy()[index] && balancer.healthy()[1 - index]);
        load.each_goes_on().await;
        old.signal(Signal::TERM);
        let new = ServeProcess::start(&around).await;
        balancer.replace(index, new.url()).await;
        assert_eq!(std::mem::replace(&mut processes[index], new).exit_code().await, Some(0));
        assert_eq!(balancer.healthy(), [true, true]);
    }
    load.each_goes_on().await;
    let answered = load.stop().await;
    for process in processes {
        process.signal(Signal::TERM);
        // Two signals that come at once may be one for the process, so the second waits for the first.
        until_health_is(&process, 503).await;
        process.signal(Signal::TERM);
        assert_eq!(process.exit_code().await, Some(0));
    }
    assert_eq!(around.bedrock.requests().len(), answered);
    assert_eq!(outcomes(&around).await, [("completed".to_owned(), i64::try_from(answered).unwrap())]);
}

/// Workers that ask one request after the other, whole and streamed in turn, and accept no failure.
struct Load {
    answered: Vec<watch::Receiver<usize>>,
    workers: JoinSet<()>,
    stop: Arc<AtomicBool>,
}

impl Load {
    fn start(workers: usize, base: &str) -> Self {
        let (mut set, mut answered, stop) = (JoinSet::new(), Vec::new(), Arc::new(AtomicBool::new(false)));
        for _ in 0..workers {
            let (count, counted) = watch::channel(0);
            answered.push(counted);
            set.spawn(ask_on(Client::at(base.to_owned()), count, Arc::clone(&stop)));
        }
        Self { answered, workers: set, stop }
    }

    /// Waits until each worker has had two more answers: the one it was waiting for, and one that it asked for since.
    async fn each_goes_on(&mut self) {
        for answered in &mut self.answered {
            let now = *answered.borrow();
            within("a worker to go on", answered.wait_for(|count| *count >= now + 2)).await.unwrap();
        }
    }

    /// Ends the load, and says how many answers there were.
    async fn stop(mut self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = within("a worker to end", self.workers.join_next()).await {
            ended.unwrap();
        }
        self.answered.iter().map(|answered| *answered.borrow()).sum()
    }
}

async fn ask_on(client: Client, count: watch::Sender<usize>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let streamed = *count.borrow() % 2 == 1;
        let got = if streamed { client.ask_streamed().await } else { client.ask().await };
        let body = String::from_utf8_lossy(&got.body);
        assert_eq!((got.status, got.header("x-ccp-provider")), (200, "bedrock"), "{body}");
        assert!(!streamed || body.contains("event: message_stop"), "{body}");
        count.send_modify(|count| *count += 1);
    }
}
