//! Results as tables: largest first, aligned, with the digits that mean something.

use shapley::{Index, Permutation, Table, exact, from_fn, interactions};

/// A game whose Shapley values are these.
fn additive<const N: usize>(values: [f64; N]) -> impl shapley::Game<Value = f64> {
    from_fn(N, move |s| s.iter().map(|player| values[player]).sum())
}

#[test]
fn exact_values_are_aligned_at_the_point() -> Result<(), shapley::Error> {
    let phi = exact(&additive([0.125, -12.5, 3.0, 0.0]))?;
    assert_eq!(phi.to_string(), "1  -12.500\n2    3.000\n0    0.125\n3    0.000");
    assert_eq!(format!("{phi:.1}"), "1  -12.5\n2    3.0\n0    0.1\n3    0.0");
    assert_eq!(format!("{phi:+.1}"), "1  -12.5\n2   +3.0\n0   +0.1\n3   +0.0");
    let whole = [
        "player    value",
        "     1  -12.500",
        "     2    3.000",
        "     0    0.125",
        "     3    0.000",
        "",
        "v(∅)         0.000",
        "v(N)         -9.375",
        "evaluations  16",
    ];
    assert_eq!(format!("{phi:#}"), whole.join("\n"));
    Ok(())
}

#[test]
fn six_digits_and_no_zeros_that_end_all() -> Result<(), shapley::Error> {
    let shown = |values: [f64; 2]| exact(&additive(values)).map(|phi| phi.to_string());
    assert_eq!(shown([2.0, 35.0])?, "1  35\n0   2");
    assert_eq!(shown([1.0 / 3.0, 0.5])?, "1  0.500000\n0  0.333333");
    assert_eq!(shown([1_234_567.8, 0.1])?, "0  1234568\n1        0");
    assert_eq!(shown([0.0, 0.0])?, "0  0\n1  0");
    // What would be a row of zeros is an exponent.
    assert_eq!(shown([1e-300, 0.0])?, "0  1e-300\n1       0");
    assert_eq!(shown([1e300, 0.0])?, "0  1e300\n1      0");
    Ok(())
}

#[test]
fn no_negative_zeros() -> Result<(), shapley::Error> {
    let phi = exact(&additive([-0.001, -1.0]))?;
    assert_eq!(format!("{phi:.1}"), "1  -1.0\n0   0.0");
    assert_eq!(format!("{phi:+.1}"), "1  -1.0\n0  +0.0");
    Ok(())
}

#[test]
fn outputs_have_one_precision() -> Result<(), shapley::Error> {
    let phi = exact(&from_fn(2, |s| [s.len() as f64, 0.25 * f64::from(u8::from(s.contains(1)))]))?;
    assert_eq!(phi.to_string(), "0  [1.00, 0.00]\n1  [1.00, 0.25]");
    Ok(())
}

#[test]
fn estimates_show_two_digits_of_the_error() -> Result<(), shapley::Error> {
    // Player 0 is worth what the others make of it, player 4 always the same.
    let game = from_fn(5, |s| {
        let others = s.len() - usize::from(s.contains(0));
        if s.contains(0) { (others * others) as f64 } else { 0.0 }
    });
    let estimate = Permutation::new(400).antithetic(false).seed(1).estimate(&game)?;
    for line in estimate.to_string().lines() {
        let (value, error) = line.split_once('±').expect("every line has an error");
        let (value, error) = (value.split_whitespace().last().unwrap(), error.trim());
        let digits =
            error.trim_start_matches(['0', '.']).len() - usize::from(error.contains('.') && !error.starts_with('0'));
        assert_eq!(digits, 2, "{line}");
        let decimals = |text: &str| text.split_once('.').map_or(0, |(_, tail)| tail.len());
        assert_eq!(decimals(value), decimals(error), "{line}");
    }
    let whole = format!("{estimate:#}");
    for part in [
        "95% interval",
        "v(∅)",
        "v(N)",
        "evaluations",
        "permutations",
        "stopped by    Evaluations",
        "solver        Permutation",
        "seed          1",
    ] {
        assert!(whole.contains(part), "{part} in\n{whole}");
    }
    // One sample tells nothing of the error.
    let single = Permutation::new(6).antithetic(false).estimate(&game)?;
    assert!(single.to_string().contains("± inf"), "{single}");
    Ok(())
}

#[test]
fn interactions_are_tables_too() -> Result<(), shapley::Error> {
    let game = Table::new(vec![0.0, 1.0, 2.0, 2.5]).expect("four values are a table");
    let pairs = interactions(&game, Index::Moebius, 2)?;
    assert_eq!(pairs.to_string(), "{1}      2.0\n{0}      1.0\n{0, 1}  -0.5\n{}       0.0");
    let whole = format!("{pairs:#}");
    assert!(whole.starts_with("players  value\n{1}        2.0\n"), "{whole}");
    assert!(whole.ends_with("\nindex  Moebius\norder  2"), "{whole}");
    Ok(())
}

#[cfg(feature = "rational")]
#[test]
fn fractions_stay_fractions() -> Result<(), shapley::Error> {
    use num_rational::Ratio;
    let phi = exact(&from_fn(3, |s| Ratio::new(s.len() as i64, 7 + i64::from(s.is_grand()))))?;
    assert_eq!(phi.to_string(), "0  1/8\n1  1/8\n2  1/8");
    Ok(())
}

/// The samples of an additive game are alike, up to rounding: an error of 1e-17 has no digit worth a place.
#[test]
fn errors_of_rounding_have_no_digits() {
    let game = shapley::from_fn(3, |s| 1000.0 + s.iter().map(|k| [0.1, 0.7, -0.3][k]).sum::<f64>());
    let estimate = shapley::permutation(&game, 200).unwrap();
    assert!(estimate.std_errors().iter().any(|error| *error > 0.0));
    assert_eq!(estimate.to_string(), "1   0.7  ± 0.0\n2  -0.3  ± 0.0\n0   0.1  ± 0.0");
}
