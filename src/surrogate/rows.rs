//! Sets of players as the numeric code has them: rows of ±1, one bit for each player.

use faer::Mat;

/// Coalitions as rows of ±1.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pub(super) players: usize,
    /// 64 players a word, `words_per_row` words a row.
    words: Vec<u64>,
    words_per_row: usize,
    /// Members less others, for each row.
    pub(super) balance: Vec<i32>,
}

impl Rows {
    pub(super) fn new<'a>(players: usize, rows: impl IntoIterator<Item = &'a [u64]>) -> Self {
        let words_per_row = players.div_ceil(64);
        let mut words = Vec::new();
        let mut balance = Vec::new();
        for row in rows {
            words.extend_from_slice(row);
            let members: u32 = row.iter().map(|word| word.count_ones()).sum();
            balance.push(2 * members as i32 - players as i32);
        }
        Self { players, words, words_per_row, balance }
    }

    pub(super) fn len(&self) -> usize {
        self.balance.len()
    }

    pub(super) fn words(&self, row: usize) -> &[u64] {
        &self.words[row * self.words_per_row..][..self.words_per_row]
    }

    /// The words of all rows from `start` on.
    pub(super) fn words_from(&self, start: usize) -> &[u64] {
        &self.words[start * self.words_per_row..]
    }

    pub(super) fn words_per_row(&self) -> usize {
        self.words_per_row
    }

    pub(super) fn select(&self, rows: &[usize]) -> Self {
        Self::new(self.players, rows.iter().map(|&row| self.words(row)))
    }

    /// Σ x_i y_i of one row and each of those from `start` on.
    pub(super) fn agreements(&self, row: &[u64], start: usize, agreements: &mut [f32]) {
        let players = self.players as i32;
        let words = self.words[start * self.words_per_row..].chunks_exact(self.words_per_row);
        for (agreement, other) in agreements.iter_mut().zip(words) {
            let differ: u32 = row.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum();
            *agreement = (players - 2 * differ as i32) as f32;
        }
    }

    /// A row of ±1 for each.
    pub(super) fn signs(&self) -> Mat<f64> {
        Mat::from_fn(self.len(), self.players, |row, player| self.sign(row, player))
    }

    /// 1 for a member, −1 for another.
    pub(super) fn sign(&self, row: usize, player: usize) -> f64 {
        if self.words[row * self.words_per_row + player / 64] >> (player % 64) & 1 == 1 { 1.0 } else { -1.0 }
    }
}
