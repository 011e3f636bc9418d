//! The role `usage-replay`: what is in a file only comes into the database, once.

use futures_util::{StreamExt as _, stream};
use support::process::run;

use super::{Journaled, count, end, kill, rows_are, sums_are_those_of_the_rows};

/// The smallest journal, for some seventy records.
const SMALL: &str = "64KiB";

/// A journal that is full, and a process that is killed then: what did not fit is in the log, and comes back from there.
#[tokio::test]
async fn what_did_not_fit_into_the_journal_comes_back_from_the_log() {
    let journaled = Journaled::start().await.with("USAGE_JOURNAL_MAX_SIZE", SMALL);
    let (process, client) = journaled.serve().await;
    journaled.database().take_away().await;
    let answered = stream::iter(0..199).map(|_| client.ask()).buffer_unordered(8);
    assert_eq!(answered.filter(|got| std::future::ready(got.status == 200)).count().await, 199);
    assert_eq!(
        process.lines("the usage journal takes no more records: they are in memory and in the log", 1).await.len(),
        1
    );
    let log = process.log_path().to_owned();
    kill(process).await;
    let bytes: u64 = journaled.files("jsonl").iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(bytes <= 64 << 10, "{bytes}");
    journaled.database().bring_back().await;

    let next = support::process::ServeProcess::start(&journaled.around).await;
    // The sub-folder of the process that was killed is empty when the next one has stored all of it.
    end(next).await;
    let from_journal = count(journaled.database()).await - 1;
    assert!((40..199).contains(&from_journal), "{from_journal} records fitted");

    let log = log.display().to_string();
    let environment = journaled.around.environment();
    let (new, known) = (199 - from_journal, from_journal + 1);
    for (arguments, said) in [
        (
            vec!["usage-replay", "--dry-run", &log, &log],
            format!("new: {new}, known: {}, refused: 0, unreadable: 0 (nothing was stored)\n", 200 + known),
        ),
        (vec!["usage-replay", &log], format!("new: {new}, known: {known}, refused: 0, unreadable: 0\n")),
        (vec!["usage-replay", &log], "new: 0, known: 200, refused: 0, unreadable: 0\n".to_owned()),
    ] {
        let output = run(&arguments, environment, "").await;
        assert_eq!(String::from_utf8(output.stdout).unwrap(), said);
        assert!(output.status.success());
    }
    rows_are(journaled.database(), 200).await;
    sums_are_those_of_the_rows(journaled.database()).await;
}

/// Files of a journal and lines of a log in one stream, other lines in between, and what cannot be read: the rest is
/// stored, and the exit code says that it was not all.
#[tokio::test]
async fn lines_that_cannot_be_read_are_told_and_the_rest_is_stored() {
    let journaled = Journaled::start().await;
    let (process, client) = journaled.serve().await;
    journaled.database().take_away().await;
    assert_eq!(client.ask().await.status, 200);
    assert_eq!(client.ask().await.status, 200);
    let logged = process.lines("usage", 3).await.pop().unwrap().to_string();
    kill(process).await;
    let journal = std::fs::read_to_string(journaled.files("jsonl").pop().unwrap()).unwrap();
    let line = journal.lines().nth_back(1).unwrap();
    journaled.database().bring_back().await;
    let refused = {
        let mut record: serde_json::Value = serde_json::from_str(&logged).unwrap();
        record["request_id"] = uuid::Uuid::new_v4().to_string().into();
        record["model"] = "m".repeat(300).into();
        record.to_string()
    };
    let input = format!(
        "a line of something else\n{{\"message\":\"request\"}}\nproxy-1  | {logged}\n{}\n{line}\n{}\n{refused}\n{logged}\n",
        &logged[..logged.len() - 9],
        line.replace("completed", "cancelled"),
    );
    let output = run(&["usage-replay", "-"], journaled.around.environment(), &input).await;
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "new: 2, known: 1, refused: 1, unreadable: 2\n");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("-, line 4: ") && told.contains("-, line 6: ") && told.contains("refuses"), "{told}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(count(journaled.database()).await, 3);
    let nothing = run(&["usage-replay", "no/such/file"], journaled.around.environment(), "").await;
    assert!(nothing.status.code() == Some(1) && String::from_utf8(nothing.stderr).unwrap().contains("no/such/file"));
    // The journal is still there; to store it again changes nothing.
    end(journaled.recover(3).await).await;
    sums_are_those_of_the_rows(journaled.database()).await;
}
