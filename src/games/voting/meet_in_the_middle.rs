//! Swings counted by size from the coalitions of two halves of the other voters: for few voters of any weight.
//!
//! Horowitz & Sahni (1974), "Computing partitions with applications to the knapsack problem", doi:10.1145/321812.321823.

use super::classes::Classes;

/// More voters than this are not counted so: the coalitions of one half take a hundred megabytes.
pub(super) const MOST_VOTERS: u64 = 40;

/// A coalition of one half: its weight and its size.
type Half = (u64, u8);

/// The work for all classes, in steps of about a nanosecond.
pub(super) fn steps(game: &Classes) -> f64 {
    let half = game.voters().div_ceil(2);
    game.classes.len() as f64 * (half as f64).mul_add(1.0, 12.0) * (half as f64).exp2()
}

/// For a voter of the class: how many coalitions of s others need exactly that voter, for each s.
pub(super) fn swings_by_size(game: &Classes, class: usize) -> Vec<u64> {
    let weight = game.classes[class].weight;
    let (mut left, mut right) = (vec![(0, 0)], vec![(0, 0)]);
    let mut sizes = (0, 0);
    for (k, other) in game.classes.iter().enumerate() {
        for _ in 0..other.voters - u64::from(k == class) {
            let (half, size) = if sizes.0 <= sizes.1 { (&mut left, &mut sizes.0) } else { (&mut right, &mut sizes.1) };
            *half = with_one_more(half, other.weight);
            *size += 1;
        }
    }

    // How many of the first r coalitions of the right half have each size.
    let width = sizes.1 + 1;
    let mut before = vec![0_u32; (right.len() + 1) * width];
    for (r, (_, size)) in right.iter().enumerate() {
        before.copy_within(r * width..(r + 1) * width, (r + 1) * width);
        before[(r + 1) * width + usize::from(*size)] += 1;
    }

    // The heavier the left part, the lighter the right ones that it takes: both bounds only fall.
    let mut swings = vec![0; sizes.0 + sizes.1 + 1];
    let (mut low, mut high) = (right.len(), right.len());
    for (sum, size) in left {
        let missing = game.quota.saturating_sub(sum);
        while high > 0 && right[high - 1].0 >= missing {
            high -= 1;
        }
        while low > 0 && right[low - 1].0 >= missing.saturating_sub(weight) {
            low -= 1;
        }
        let counts = before[high * width..].iter().zip(&before[low * width..]).take(width);
        for (swings, (below_high, below_low)) in swings[usize::from(size)..].iter_mut().zip(counts) {
            *swings += u64::from(below_high - below_low);
        }
    }
    swings
}

/// All coalitions of one voter more, by weight.
fn with_one_more(half: &[Half], weight: u64) -> Vec<Half> {
    let mut all: Vec<Half> = half.to_vec();
    all.extend(half.iter().map(|(sum, size)| (sum + weight, size + 1)));
    // Two sorted runs: the stable sort finds and merges them.
    all.sort();
    all
}
