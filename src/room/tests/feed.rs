use super::*;

const VGA: Resolution = Resolution { width: 640, height: 480 };
const QVGA: Resolution = Resolution { width: 320, height: 240 };

#[test]
fn a_share_is_of_pixels_per_second() {
    assert_eq!(share(VGA, 24, VGA, 24), 1.0);
    assert_eq!(share(VGA, 24, QVGA, 24), 0.25);
    assert_eq!(share(VGA, 24, QVGA, 12), 0.125);
    let nothing = Resolution { width: 0, height: 0 };
    assert_eq!(share(nothing, 24, VGA, 24), 1.0);
}

#[test]
fn rates_are_whole_and_never_nothing() {
    assert_eq!(whole_kbps(665.6), 666);
    assert_eq!(whole_kbps(0.2), 1);
    assert_eq!(whole_kbps(f64::INFINITY), u32::MAX);
    assert_eq!(whole_kbps(f64::NAN), 1);
}
