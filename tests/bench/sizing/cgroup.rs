//! A cgroup with as much of a processor and of memory as a task has.

mod hierarchy;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

use hierarchy::{Parents, Version};

/// The period in which the kernel counts what a cgroup takes of the processor, in microseconds; as container runtimes set it.
const PERIOD: u32 = 100_000;
/// What the names begin with. One that a run left behind is removed by the next.
const PREFIX: &str = "ccp-bench-";

/// What it may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Hundredths of a processor.
    pub(super) processor: u32,
    /// Bytes.
    pub(super) memory: u64,
}

/// The cgroup. Dropped, it is removed, once what ran in it has ended.
#[derive(Debug)]
pub(super) struct Group {
    version: Version,
    processor: PathBuf,
    memory: PathBuf,
}

impl Group {
    /// Makes one.
    pub(super) fn create(limits: Limits) -> Result<Self> {
        let read = |file| fs::read_to_string(file).with_context(|| format!("cannot read {file}"));
        let parents = hierarchy::parents(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?);
        Self::create_in(&parents.context("no cgroups with the controllers cpu and memory are mounted")?, limits)
    }

    fn create_in(parents: &Parents, limits: Limits) -> Result<Self> {
        let quota = PERIOD / 100 * limits.processor;
        match parents.version {
            Version::One => {
                let own = [("cpu.cfs_period_us", PERIOD.to_string()), ("cpu.cfs_quota_us", quota.to_string())];
                let processor = make(&parents.processor, None, &own)?;
                // Removed by its drop if the other cannot be made.
                let mut group = Self { version: Version::One, memory: processor.clone(), processor };
                let own = [("memory.limit_in_bytes", limits.memory.to_string())];
                group.memory = make(&parents.memory, None, &own)?;
                Ok(group)
            }
            Version::Two => {
                let own = [("cpu.max", format!("{quota} {PERIOD}")), ("memory.max", limits.memory.to_string())];
                let both = make(&parents.processor, Some("+cpu +memory"), &own)?;
                Ok(Self { version: Version::Two, memory: both.clone(), processor: both })
            }
        }
    }

    /// The files that a process writes its id to, to be in it.
    pub(super) fn doors(&self) -> Vec<PathBuf> {
        let mut doors = vec![self.processor.join("cgroup.procs"), self.memory.join("cgroup.procs")];
        doors.dedup();
        doors
    }

    /// How long it has been held back, because it had taken all that it may of a period.
    pub(super) fn throttled(&self) -> Result<Duration> {
        let of = |key, unit: fn(u64) -> Duration| Ok(unit(value(&self.processor.join("cpu.stat"), key)?));
        match self.version {
            Version::One => of("throttled_time", Duration::from_nanos),
            Version::Two => of("throttled_usec", Duration::from_micros),
        }
    }

    /// The most memory that it has had, with what the kernel keeps of files for it.
    pub(super) fn peak(&self) -> Result<u64> {
        let file = match self.version {
            Version::One => "memory.max_usage_in_bytes",
            Version::Two => "memory.peak",
        };
        let text = fs::read_to_string(self.memory.join(file)).with_context(|| format!("{file} is missing"))?;
        Ok(text.trim().parse()?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for folder in [&self.memory, &self.processor] {
            // A process that has ended is still in it for a moment.
            for _ in 0..100 {
                match fs::remove_dir(folder) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => sleep(Duration::from_millis(20)),
                    _ => break,
                }
            }
        }
    }
}

/// Makes a folder with these limits, in the first of these that takes it.
fn make(parents: &[PathBuf], controllers: Option<&str>, limits: &[(&str, String)]) -> Result<PathBuf> {
    let mut why = anyhow!("there is no folder for it");
    for parent in parents {
        forget_earlier(parent);
        match make_in(parent, controllers, limits) {
            Ok(folder) => return Ok(folder),
            Err(error) => why = error.context(format!("in {}", parent.display())),
        }
    }
    Err(why)
}

fn make_in(parent: &Path, controllers: Option<&str>, limits: &[(&str, String)]) -> Result<PathBuf> {
    if let Some(controllers) = controllers {
        fs::write(parent.join("cgroup.subtree_control"), controllers).context("its controllers cannot be passed on")?;
    }
    let folder = parent.join(format!("{PREFIX}{}", std::process::id()));
    fs::create_dir(&folder)?;
    for (file, limit) in limits {
        if let Err(error) = fs::write(folder.join(file), limit) {
            let _ = fs::remove_dir(&folder);
            return Err(error).with_context(|| format!("{file} cannot be set to {limit}"));
        }
    }
    Ok(folder)
}

/// Removes those in which nothing runs any more; the kernel keeps the others.
fn forget_earlier(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

fn value(file: &Path, key: &str) -> Result<u64> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    Ok(line.with_context(|| format!("no {key} in {}", file.display()))?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { processor: 50, memory: 1 << 30 };

    /// Files of the kernel, which a folder of the disk does not have; `make_in` writes them all the same.
    fn written(version: Version) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let [processor, memory] = ["processor", "memory"].map(|name| {
            let path = folder.path().join(if version == Version::One { name } else { "both" });
            fs::create_dir_all(&path).unwrap();
            vec![folder.path().join("missing"), path]
        });
        let group = Group::create_in(&Parents { version, processor, memory }, LIMITS).unwrap();
        let mut written = Vec::new();
        for made in [&group.processor, &group.memory] {
            for entry in fs::read_dir(made).unwrap().map(Result::unwrap) {
                let name = entry.file_name().to_string_lossy().into_owned();
                written.push((name, fs::read_to_string(entry.path()).unwrap()));
            }
        }
        written.sort();
        written.dedup();
        written
    }

    fn told(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn limits_are_written_as_each_version_wants_them() {
        let one = told(&[
            ("cpu.cfs_period_us", "100000"),
            ("cpu.cfs_quota_us", "50000"),
            ("memory.limit_in_bytes", "1073741824"),
        ]);
        assert_eq!(written(Version::One), one);
        assert_eq!(written(Version::Two), told(&[("cpu.max", "50000 100000"), ("memory.max", "1073741824")]));
    }

    #[test]
    fn without_a_folder_that_can_be_written_there_is_none() {
        let nowhere = vec![PathBuf::from("/proc/self/no-such-folder")];
        let parents = Parents { version: Version::Two, processor: nowhere.clone(), memory: nowhere };
        let error = format!("{:#}", Group::create_in(&parents, LIMITS).unwrap_err());
        assert!(error.contains("/proc/self/no-such-folder"), "{error}");
    }
}
