//! Chance that is the same in every run of a seed. A throw depends on its own name alone and not on the throws before
//! it, so that a retry of the client changes nothing about the steps to come.

/// The dice of one conversation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `sides`, the same each time for the same purpose, step and attempt.
    pub(super) fn throw(self, purpose: &str, step: usize, attempt: usize, sides: u64) -> u64 {
        let numbers = [step as u64, attempt as u64];
        let named = purpose.bytes().map(u64::from).chain(numbers).fold(mixed(self.0), |sum, part| mixed(sum ^ part));
        named % sides
    }
}

/// One step of SplitMix64.
fn mixed(number: u64) -> u64 {
    let sum = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let sum = (sum ^ (sum >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let sum = (sum ^ (sum >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    sum ^ (sum >> 31)
}

/// The first number of SplitMix64 from zero is known; and every side of the dice comes up about as often as the others.
#[test]
fn the_dice_are_fair() {
    assert_eq!(mixed(0), 0xe220_a839_7b1d_cdaf);
    let mut sides = [0; 10];
    for seed in 0..1000 {
        let throw = |step| Dice::new(seed).throw("test", step, 0, 10);
        (0..20).for_each(|step| sides[usize::try_from(throw(step)).unwrap()] += 1);
    }
    assert!(sides.iter().all(|count| (1800..2200).contains(count)), "{sides:?}");
}
