//! What a run of the tests leaves behind to be searched: the app's log, and every secret that must not be in it.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, OnceLock};

use claude_code_proxy::telemetry;

/// Logs everything the app has to say, at its most talkative, to a file of this process.
pub fn keep_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let Some(folder) = folder() else { return };
        let log = create(&folder.join(format!("app-{}.jsonl", std::process::id())));
        // Other libraries stay at `warn`, as in production.
        let subscriber = telemetry::subscriber(&"trace".parse().expect("a level"), Mutex::new(log));
        tracing::subscriber::set_global_default(subscriber).expect("the first subscriber of this process");
    });
}

/// A file for the output of a process that a test starts, for the same search, and its path.
pub fn log_file(name: &str) -> (File, PathBuf) {
    let folder = folder().unwrap_or_else(std::env::temp_dir);
    let path = folder.join(format!("{name}-{}-{}.jsonl", std::process::id(), uuid::Uuid::new_v4().simple()));
    (create(&path), path)
}

/// Notes a text that must never be logged, and gives it back.
pub fn secret(text: impl Into<String>) -> String {
    static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    let text = text.into();
    let file = FILE.get_or_init(|| {
        let folder = folder()?.join("secrets");
        std::fs::create_dir_all(&folder).expect("the folder for secrets");
        Some(Mutex::new(create(&folder.join(format!("{}.txt", std::process::id())))))
    });
    if let Some(file) = file {
        let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        writeln!(file, "{text}").expect("the file of secrets");
    }
    text
}

fn folder() -> Option<PathBuf> {
    std::env::var_os("CCP_TEST_OUTPUT").map(PathBuf::from)
}

fn create(path: &Path) -> File {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
