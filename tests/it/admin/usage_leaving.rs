//! Who leaves in the middle of a report leaves nothing open.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use support::{TestDatabase, within};

/// Lets a future go on so many times, and drops it.
async fn drop_after(times: u32, future: impl Future) {
    let (mut future, mut left) = (pin!(future), times);
    poll_fn(|context| {
        left -= 1;
        if future.as_mut().poll(context).is_ready() || left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Wherever it is dropped, also while `BEGIN` is on its way: the connection's next user would be in an old transaction.
#[tokio::test]
async fn a_report_that_is_dropped_leaves_no_transaction() {
    let database = TestDatabase::create().await;
    let store = database.open();
    let open = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
                   AND backend_type = 'client backend'";
    drop(store.read_usage().await.unwrap());
    // A connection that is there takes a few steps, a new one more; which one it is, the pool decides.
    for times in (1..8).chain(1..8).chain(1..16) {
        drop_after(times, store.read_usage()).await;
        within(&format!("the end of a report dropped after {times}"), async {
            while sqlx::query_scalar::<_, i64>(open).fetch_one(&database.pool).await.unwrap() > 0 {}
        })
        .await;
    }
}
