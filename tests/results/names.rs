//! Results and errors with the names of players.

use shapley::{Error, Index, Permutation, exact, from_fn, interactions, try_from_fn};

const NAMES: [&str; 3] = ["Ann", "Bob", "Cleo"];

#[test]
fn tables_have_names_in_place_of_numbers() -> Result<(), Error> {
    let game = from_fn(3, |s| s.iter().map(|k| [1.5, 20.0, -3.0][k]).sum::<f64>());
    let phi = exact(&game)?;
    assert_eq!(phi.to_string(), "1  20.0\n2  -3.0\n0   1.5");
    assert_eq!(phi.named(&NAMES).to_string(), "Bob   20.0\nCleo  -3.0\nAnn    1.5");
    assert_eq!(format!("{:+.2}", phi.named(&NAMES)), "Bob   +20.00\nCleo   -3.00\nAnn    +1.50");
    let whole = format!("{:#}", phi.named(&NAMES));
    assert!(whole.starts_with("player  value\nBob      20.0\n"), "{whole}");
    assert_eq!(whole.lines().skip(4).collect::<Vec<_>>(), format!("{phi:#}").lines().skip(4).collect::<Vec<_>>());

    let estimate = Permutation::new(100).estimate(&game)?;
    assert_eq!(estimate.named(&NAMES).to_string().lines().next(), Some("Bob   20.0  ± 0.0"));
    assert!(format!("{:#}", estimate.named(&NAMES)).contains("95% interval"));

    let pairs = interactions(&game, Index::Moebius, 2)?;
    let text = pairs.named(&NAMES.map(String::from)).to_string();
    assert_eq!(text.lines().next().map(str::trim_end), Some("{Bob}        20.0"));
    assert!(text.contains("\n{Bob, Cleo} "), "{text}");
    assert_eq!(text.lines().count(), pairs.len());
    Ok(())
}

/// Names that are missing are numbers, names beyond the players are not used, and none breaks a line.
#[test]
fn any_number_of_names_will_do() -> Result<(), Error> {
    let game = from_fn(3, |s| s.iter().map(|k| [1.0, 2.0, 3.0][k]).sum::<f64>());
    let phi = exact(&game)?;
    let none: [&str; 0] = [];
    assert_eq!(phi.named(&none).to_string(), phi.to_string());
    assert_eq!(phi.named(&["Ann"]).to_string(), "2    3\n1    2\nAnn  1");
    assert_eq!(phi.named(&["a", "b", "c", "d", "e"]).to_string(), "c  3\nb  2\na  1");
    assert_eq!(phi.named(&["a\nb", "\t", ""]).to_string(), "(empty)  3\n⇥        2\na↵b      1");
    let pairs = interactions(&game, Index::Shapley, 2)?;
    assert!(pairs.named(&["Ann"]).to_string().contains("{Ann, 2}"));
    assert_eq!(pairs.named(&none).to_string(), pairs.to_string());
    Ok(())
}

#[test]
fn errors_name_the_players_of_their_coalition() {
    let not_finite = exact(&from_fn(3, |s| if s.len() == 2 { f64::NAN } else { 0.0 })).unwrap_err();
    assert_eq!(not_finite.named(&NAMES).to_string(), "the value of coalition {Ann, Bob} is not finite");
    assert_eq!(not_finite.named(&["Ann"]).to_string(), "the value of coalition {Ann, 1} is not finite");

    let overflow = exact(&from_fn(3, |s| if s.contains(2) { f64::MAX } else { -f64::MAX })).unwrap_err();
    assert!(matches!(overflow, Error::Overflow { .. }));
    assert!(overflow.named(&NAMES).to_string().starts_with("the result for {"), "{}", overflow.named(&NAMES));

    let failed =
        exact(&try_from_fn(3, |s| if s.is_grand() { "{0, 1, 2}".parse::<f64>() } else { Ok(0.0) })).unwrap_err();
    assert_eq!(failed.named(&NAMES).to_string(), "the game failed at coalition {Ann, Bob, Cleo}");
    let whole = "the game failed at coalition {Ann, Bob, Cleo}: invalid float literal";
    assert_eq!(format!("{:#}", failed.named(&NAMES)), whole);

    // An error without a coalition has no names.
    let none = exact(&from_fn(0, |_| 0.0)).unwrap_err();
    assert_eq!(none.named(&NAMES).to_string(), none.to_string());
    // v(∅): there is nobody to be named.
    let empty = exact(&from_fn(3, |s| if s.is_empty() { f64::NAN } else { 0.0 })).unwrap_err();
    assert_eq!(empty.named(&NAMES).to_string(), empty.to_string());
}

#[test]
fn values_go_where_slices_are_wanted() -> Result<(), Error> {
    fn sum(values: impl AsRef<[f64]>) -> f64 {
        values.as_ref().iter().sum()
    }
    let phi = exact(&from_fn(3, |s| s.len() as f64))?;
    assert!((sum(&phi) - 3.0).abs() < 1e-12);
    assert!((sum(phi) - 3.0).abs() < 1e-12);
    Ok(())
}
