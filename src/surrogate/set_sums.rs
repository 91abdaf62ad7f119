//! Sums over rows of numbers that depend on how many players of a set are members: for each player, or each pair.

use faer::Mat;

use super::linear::times;
use super::rows::Rows;

/// Rows that are in memory at once, as signs.
const BLOCK: usize = 2048;

/// For each set of `order` players, in lexicographic order, the sum over all rows of the number for as many of the
/// set's players as are members: K sums at once, of which `numbers` gives those of a row.
///
/// The number is a + b x of a player, or a + b (x + y) + c x y of a pair, x and y being ±1: so sums of the a, of b x and
/// of c x y are enough, the last being a product of matrices.
pub(super) fn sums_over_rows<const K: usize>(
    rows: &Rows,
    order: usize,
    numbers: impl Fn(usize) -> [[f64; 3]; K],
) -> [Vec<f64>; K] {
    let n = rows.players;
    let mut levels = [0.0; K];
    let mut slopes = [(); K].map(|()| vec![0.0; n]);
    let mut products = [(); K].map(|()| Mat::<f64>::zeros(n, if order == 2 { n } else { 0 }));
    for start in (0..rows.len()).step_by(BLOCK) {
        let len = BLOCK.min(rows.len() - start);
        let signs = Mat::from_fn(len, n, |row, player| rows.sign(start + row, player));
        let block: Vec<[[f64; 3]; K]> = (start..start + len).map(&numbers).collect();
        for k in 0..K {
            let parts: Vec<[f64; 3]> = block.iter().map(|numbers| in_signs(numbers[k], order)).collect();
            levels[k] += parts.iter().map(|part| part[0]).sum::<f64>();
            if order == 0 {
                continue;
            }
            for (player, slope) in slopes[k].iter_mut().enumerate() {
                *slope += signs.col_as_slice(player).iter().zip(&parts).map(|(x, part)| x * part[1]).sum::<f64>();
            }
            if order == 2 {
                let weighted = Mat::from_fn(len, n, |row, player| parts[row][2] * signs[(row, player)]);
                products[k] += times(weighted.transpose(), signs.as_ref());
            }
        }
    }
    let mut sums = [(); K].map(|()| Vec::new());
    for (k, sums) in sums.iter_mut().enumerate() {
        *sums = match order {
            0 => vec![levels[k]],
            1 => slopes[k].iter().map(|slope| levels[k] + slope).collect(),
            _ => {
                let pair = |i: usize, j: usize| levels[k] + slopes[k][i] + slopes[k][j] + products[k][(i, j)];
                (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))).map(|(i, j)| pair(i, j)).collect()
            }
        };
    }
    sums
}

/// From a number for each number of members to what stands without a sign, with one, and with both.
fn in_signs([none, one, two]: [f64; 3], order: usize) -> [f64; 3] {
    match order {
        0 => [none, 0.0, 0.0],
        1 => [(one + none) / 2.0, (one - none) / 2.0, 0.0],
        _ => [(two + 2.0 * one + none) / 4.0, (two - none) / 4.0, (two - 2.0 * one + none) / 4.0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surrogate::generator;

    #[test]
    fn sums_are_those_of_each_set() {
        let n = 7;
        let mut random = generator(4, 4);
        let masks: Vec<[u64; 1]> = (0..30).map(|_| [random.below(128)]).collect();
        let rows = Rows::new(n, masks.iter().map(|mask| &mask[..]));
        let numbers: Vec<[[f64; 3]; 2]> = (0..30).map(|_| [(); 2].map(|()| [(); 3].map(|()| random.unit()))).collect();
        for order in 0..=2 {
            let sums = sums_over_rows(&rows, order, |row| numbers[row]);
            let sets: Vec<Vec<usize>> = match order {
                0 => vec![vec![]],
                1 => (0..n).map(|i| vec![i]).collect(),
                _ => (0..n).flat_map(|i| (i + 1..n).map(move |j| vec![i, j])).collect(),
            };
            for (k, sums) in sums.iter().enumerate() {
                assert_eq!(sums.len(), sets.len());
                for (set, sum) in sets.iter().zip(sums) {
                    let members = |row: usize| set.iter().filter(|&&player| masks[row][0] >> player & 1 == 1).count();
                    let want: f64 = (0..30).map(|row| numbers[row][k][members(row)]).sum();
                    assert!((sum - want).abs() < 1e-12, "{set:?}: {sum} {want}");
                }
            }
        }
    }
}
