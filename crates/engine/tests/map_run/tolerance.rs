//! How many items may fail.

use engine::map_run::Tolerance;

#[test]
fn both_limits_hold() {
    for (count, percentage, most, total) in [
        (None, None, 0, 10),
        (Some(0), None, 0, 10),
        (Some(3), None, 3, 10),
        (None, Some(0.0), 0, 10),
        (None, Some(25.0), 2, 10),
        (None, Some(30.0), 3, 10),
        (None, Some(0.5), 0, 1),
        (None, Some(0.5), 1, 200),
        (None, Some(100.0), 10, 10),
        (Some(2), Some(50.0), 2, 10),
        (Some(7), Some(50.0), 5, 10),
    ] {
        let tolerance = Tolerance { count, percentage };
        assert!(!tolerance.is_exceeded(most, total), "{tolerance:?}: {most} of {total}");
        if most < total {
            assert!(tolerance.is_exceeded(most + 1, total), "{tolerance:?}: {} of {total}", most + 1);
        }
    }
}
