//! What people read of a template: the tree, and the costs.

use stack::core::outline;
use stack::cost::{Item, monthly};
use stack::proxy_stack::{PRODUCTION, Preset, SMALL};

use crate::support::{template, with};

fn costs(preset: Preset) -> Vec<Item> {
    monthly(&with(&[preset, &[("ImageDigest", "sha256:0"), ("HostedZoneId", "Z1")]].concat()))
}

fn sum(items: &[Item]) -> f64 {
    items.iter().map(|item| item.dollars).sum()
}

#[test]
fn the_tree_has_a_line_for_each_resource() {
    let text = outline(template());
    let lines: Vec<_> = text.lines().filter(|line| line.contains("::")).collect();
    assert_eq!(lines.len(), template().resources.len());
    assert!(text.contains("\nDatabase  RDS::DBCluster, holds state\n"), "{text}");
    assert!(text.contains("\n  Record  Route53::RecordSet, if HasZone\n"), "{text}");
    assert!(text.contains("\n  PrivateA\n    Out  EC2::Route\n"), "{text}");
}

#[test]
fn costs_follow_what_a_deployment_chooses() {
    let (small, production) = (costs(SMALL), costs(PRODUCTION));
    let count = |items: &[Item], what: &str| items.iter().find(|item| item.what == what).map_or(0, |item| item.count);
    assert_eq!([count(&small, "NAT gateway"), count(&production, "NAT gateway")], [1, 2]);
    assert_eq!([count(&small, "key"), count(&small, "secret")], [2, 3]);
    assert!(sum(&small) < sum(&production), "{small:?}\n{production:?}");
    assert!(small.is_sorted_by(|one, other| one.dollars >= other.dollars));
    let firewall = costs(&[("Waf", "on")]);
    assert!((sum(&firewall) - sum(&production) - 9.0).abs() < 0.001, "the firewall and its four rules");
    let larger = costs(&[("MinTasks", "4")]);
    let tasks = |items: &[Item]| items.iter().find(|item| item.what == "fewest tasks").map_or(0.0, |item| item.dollars);
    assert!((tasks(&larger) - 2.0 * tasks(&production)).abs() < 0.001);
}
