//! Where the kernel keeps the cgroups of this process, in version 1 and in version 2.

use std::path::{Path, PathBuf};

/// How cgroups are limited and what they tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Version {
    /// A hierarchy for each controller.
    One,
    /// One for all.
    Two,
}

/// Folders in which a new cgroup may be made, the nearest first: our own, so that nothing leaves the limits that we have,
/// then those above it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Parents {
    pub(super) version: Version,
    pub(super) processor: Vec<PathBuf>,
    pub(super) memory: Vec<PathBuf>,
}

/// Reads `/proc/self/mountinfo` and `/proc/self/cgroup`.
pub(super) fn parents(mounts: &str, own: &str) -> Option<Parents> {
    let one = |controller| Some(folders(&mount_of(mounts, controller)?, own_path(own, controller)?));
    if let (Some(processor), Some(memory)) = (one("cpu"), one("memory")) {
        return Some(Parents { version: Version::One, processor, memory });
    }
    let mount = all_mounts(mounts).find(|mount| mount.kind == "cgroup2")?;
    let folders = folders(&mount, own.lines().find_map(|line| line.strip_prefix("0::"))?);
    Some(Parents { version: Version::Two, processor: folders.clone(), memory: folders })
}

struct Mount<'a> {
    /// What of the hierarchy is mounted.
    root: &'a str,
    point: &'a Path,
    kind: &'a str,
    options: &'a str,
}

fn all_mounts(mounts: &str) -> impl Iterator<Item = Mount<'_>> {
    mounts.lines().filter_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, point) = (left.next()?, Path::new(left.next()?));
        let mut right = right.split(' ');
        Some(Mount { root, point, kind: right.next()?, options: right.nth(1)? })
    })
}

fn mount_of<'a>(mounts: &'a str, controller: &str) -> Option<Mount<'a>> {
    all_mounts(mounts).find(|mount| mount.kind == "cgroup" && mount.options.split(',').any(|name| name == controller))
}

/// `ID:CONTROLLER,CONTROLLER:PATH`
fn own_path<'a>(own: &'a str, controller: &str) -> Option<&'a str> {
    own.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers.split(',').any(|name| name == controller).then_some(path)
    })
}

fn folders(mount: &Mount<'_>, own: &str) -> Vec<PathBuf> {
    let below = own.strip_prefix(mount.root.trim_end_matches('/')).unwrap_or(own).trim_start_matches('/');
    let own = mount.point.join(below);
    own.ancestors().take_while(|folder| folder.starts_with(mount.point)).map(Path::to_path_buf).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> Vec<PathBuf> {
        paths.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn in_version_1_each_controller_has_a_place_of_its_own() {
        let mounts = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
                      32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
                      35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        let own = "9:name=systemd:/x\n4:memory:/docker/abc/inner\n2:cpuacct,cpu:/\n0::/\n";
        let expected = Parents {
            version: Version::One,
            processor: paths(&["/sys/fs/cgroup/cpu,cpuacct"]),
            memory: paths(&["/sys/fs/cgroup/memory/inner", "/sys/fs/cgroup/memory"]),
        };
        assert_eq!(parents(mounts, own), Some(expected));
    }

    #[test]
    fn in_version_2_there_is_one_place() {
        let mounts = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let folders = paths(&["/sys/fs/cgroup/user.slice/a.scope", "/sys/fs/cgroup/user.slice", "/sys/fs/cgroup"]);
        let expected = Parents { version: Version::Two, processor: folders.clone(), memory: folders };
        assert_eq!(parents(mounts, "0::/user.slice/a.scope\n"), Some(expected));
        assert_eq!(parents("", "0::/\n"), None);
    }
}
