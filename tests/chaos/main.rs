//! A bill that can be trusted: a minute of load during which everything goes wrong that usage could be lost by.
//!
//! `CHAOS_SECONDS` makes it longer, `CHAOS_SEED` repeats the decisions of an earlier run.

#![expect(clippy::unwrap_used, reason = "in a test a broken assumption has to stop it on the spot")]

mod proxies;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use support::process::run;
use support::traffic::{self, Bill, KEYS, Load, Said, Server, wish};
use support::{Surroundings, TestDatabase};
use tokio::time::Instant;

use proxies::Proxies;

/// How many deviations are shown; the first ones are enough to find the cause.
const SHOWN: usize = 12;

/// B-79: two proxies under load, streams and whole answers, of two prices; clients leave at random, PostgreSQL
/// is stopped, restarted, cut off and slowed, and the proxies are killed in turn. No request fails unless its provider does, every answer that a
/// client has read to its end is a row with exactly its tokens and its price, there is no other row, and all sums agree.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_was_delivered_is_what_is_billed() {
    let seconds = from_environment("CHAOS_SECONDS").unwrap_or(60);
    let seed = from_environment("CHAOS_SEED").unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    println!("CHAOS_SEED={seed} CHAOS_SECONDS={seconds}");
    let server = Server::start().await;
    let database = TestDatabase::create_on(&server.url()).await;
    let around = Arc::new(Surroundings::with_database(database).await.with("KEY_CACHE_TTL", "2s"));
    let keys: Vec<_> =
        futures_util::stream::iter(0..KEYS.len()).then(|index| around.issue(wish(index))).collect().await;
    let arrivals = traffic::answer(&around, seed);
    let proxies = Arc::new(Proxies::start(Arc::clone(&around), keys.clone()).await);
    let log_of_preparations = server.log().len();

    let end = Instant::now() + Duration::from_secs(seconds);
    let outages = tokio::spawn(server.suffers_until(end, seed, 500..2_500));
    let kills = tokio::spawn(Arc::clone(&proxies).are_killed_until(end, seed));
    let load = Load { seed, developers: 24, thinks: 0, arrivals, ended: Arc::default() };
    let asked = Arc::clone(&proxies);
    let visits = load.until(end, move |dice| asked.any(dice)).await;
    let (server, suffered) = outages.await.unwrap();
    let mut outages = BTreeMap::<_, usize>::new();
    for one in suffered {
        *outages.entry(format!("{:?}", one.outage)).or_default() += 1;
    }
    let kills = kills.await.unwrap();
    let logs = Arc::into_inner(proxies).unwrap().end().await;

    let bill = Bill::of(seed, &visits, &keys, &around.database).await;
    let said = Said::in_logs(&logs, &around.database).await;
    let verified = run(&["usage-verify"], around.environment(), "").await;
    println!(
        "{} requests: {} whole from Bedrock, {} whole from the plan, {} left, {} failed upstream, {} free, \
         {} broken by {kills} kills\n\
         {} rows: {} estimates, {} of answers that nobody has read to the end, {} found in journals after a kill\n\
         outages: {outages:?}",
        visits.len(),
        bill.whole_from_bedrock,
        bill.whole_from_plan,
        bill.left,
        bill.failed,
        bill.free,
        bill.broken_by_kill,
        bill.rows,
        bill.estimates,
        bill.whole_unread,
        said.recovered,
    );
    let sums = traffic::wrong(&bill, &around.database).await;
    let server = traffic::of_server(&server.log()[log_of_preparations..]);
    let wrong: Vec<_> = [bill.wrong, sums, said.wrong, server].concat();
    let shown = wrong[..wrong.len().min(SHOWN)].join("\n");
    assert!(wrong.is_empty(), "{} deviations, with CHAOS_SEED={seed}:\n{shown}", wrong.len());
    assert!(verified.status.success(), "usage-verify, with CHAOS_SEED={seed}: {verified:?}");
    // Else it would have proved nothing.
    assert!(bill.whole_from_bedrock > 100 && bill.whole_from_plan > 0 && bill.estimates > 0 && kills > 0);
}

fn from_environment(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is {value:?}; it has to be a whole number")))
}
