//! Tables whose values are listed by size.

use crate::common::masks::pseudo;
use shapley::{Coalition, Error, Game, Index, Table, exact, interactions};

#[test]
fn values_by_size_are_those_of_a_table_by_mask() -> Result<(), Error> {
    for players in 1..=9_usize {
        let by_mask: Vec<f64> = (0..1 << players).map(|mask| pseudo(3, mask)).collect();
        let mut sets: Vec<Vec<usize>> =
            (0..1 << players).map(|mask| Coalition::from_mask(players, mask).iter().collect()).collect();
        sets.sort_by(|left, right| left.len().cmp(&right.len()).then_with(|| left.cmp(right)));
        let index = |set: &Vec<usize>| set.iter().map(|player| 1 << player).sum::<usize>();
        let table = Table::by_size(sets.iter().map(|set| by_mask[index(set)]).collect())?;
        assert_eq!(table, Table::new(by_mask)?);
        for set in &sets {
            assert_eq!(
                table.value(&Coalition::from_players(players, set.clone())).to_bits(),
                table.values()[index(set)].to_bits()
            );
        }
    }
    Ok(())
}

/// A list of interactions goes by size too.
#[test]
fn the_order_is_that_of_interactions() -> Result<(), Error> {
    let table = Table::new((0..64).map(|mask| pseudo(8, mask)).collect())?;
    let sets: Vec<Coalition> = interactions(&table, Index::Moebius, 6)?.iter().map(|(set, _)| set).collect();
    assert_eq!(Table::by_size(sets.iter().map(|set| table.value(set)).collect())?, table);
    Ok(())
}

#[test]
fn only_lists_of_all_coalitions_are_games() -> Result<(), Error> {
    for len in [0, 1, 3, 5, 7, 9, 1000] {
        match Table::by_size(vec![1.0; len]) {
            Err(Error::TableLength { len: named }) => assert_eq!(named, len),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(exact(&Table::by_size(vec![1.0, 3.0])?)?.values(), [2.0]);
    Ok(())
}
