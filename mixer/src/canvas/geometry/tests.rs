use super::*;

fn share(numerator: u32, denominator: u32) -> Fraction {
    Fraction { numerator, denominator }
}

fn rectangle(left: Fraction, top: Fraction, width: Fraction, height: Fraction) -> Region {
    let shape = Shape::Rectangle { left, top, width, height };
    Region { shape, input: None, highlighted: false }
}

fn circle(center_w: Fraction, center_h: Fraction, radius: Fraction) -> Region {
    let shape = Shape::Circle { center_w, center_h, radius };
    Region { shape, input: None, highlighted: false }
}

#[test]
fn thirds_meet_and_cover_the_picture() {
    for width in [320_u32, 640, 854, 1280, 1366] {
        let mut reached = 0;
        for column in 0..3 {
            let region = rectangle(share(column, 3), share(0, 1), share(1, 3), share(1, 1));
            let area = place(&region, Size::new(width, 240)).expect("valid").area;
            assert_eq!(area.left, reached, "width {width} column {column}");
            assert_eq!(area.left % 2 + area.size.width.cast_signed() % 2, 0);
            reached = area.left + area.size.width.cast_signed();
        }
        assert_eq!(reached.cast_unsigned(), width);
    }
}

#[test]
fn what_is_no_share_is_refused() {
    let whole = Size::new(640, 480);
    let zero = rectangle(share(0, 0), share(0, 1), share(1, 1), share(1, 1));
    assert_eq!(place(&zero, whole), Err(LayoutError::Fraction(0, 0)));
    let large = circle(share(1, 2), share(3, 2), share(1, 4));
    assert_eq!(place(&large, whole), Err(LayoutError::Fraction(3, 2)));
}

#[test]
fn extreme_fractions_stay_in_the_picture() {
    let most = share(u32::MAX, u32::MAX);
    let region = rectangle(most, most, most, share(1, u32::MAX));
    let place = place(&region, Size::new(640, 480)).expect("valid");
    assert_eq!(place.area, Area { left: 638, top: 478, size: Size::new(2, 2) });
}

#[test]
fn a_circles_chords_are_round() {
    let region = circle(share(1, 2), share(1, 2), share(1, 4));
    let place = place(&region, Size::new(400, 400)).expect("valid");
    assert_eq!(place.area, Area { left: 100, top: 100, size: Size::new(200, 200) });
    let mut inside = 0;
    for row in 0..400_i64 {
        let chord = place.outline.chord(row, 1);
        for column in 0..400_i64 {
            let (x, y) = (2 * column + 1 - 400, 2 * row + 1 - 400);
            assert_eq!(chord.contains(&column), x * x + y * y <= 200 * 200, "{column},{row}");
        }
        inside += chord.end - chord.start;
        assert!(chord.is_empty() || place.outline.rows(1).contains(&row));
    }
    let area = std::f64::consts::PI * 100.0 * 100.0;
    assert!((inside as f64 - area).abs() < area / 100.0, "{inside} pixels");
    let chroma: i64 =
        (0..200).map(|row| place.outline.chord(row, 2)).map(|c| c.end - c.start).sum();
    assert!((chroma as f64 - area / 4.0).abs() < area / 200.0, "{chroma} samples");
}

#[test]
fn letterbox_keeps_the_whole_and_crop_fills() {
    let (wide, square) = (Size::new(640, 360), Size::new(300, 300));
    let boxed = fit(wide, (1, 1), square, Fit::Letterbox);
    assert_eq!(boxed, Fitting { crop: (0, 0, wide), size: Size::new(300, 168) });
    let cropped = fit(wide, (1, 1), square, Fit::Crop);
    assert_eq!(cropped, Fitting { crop: (140, 0, Size::new(360, 360)), size: square });
    let tall = Size::new(360, 640);
    assert_eq!(fit(tall, (1, 1), square, Fit::Letterbox).size, Size::new(168, 300));
    assert_eq!(fit(tall, (1, 1), square, Fit::Crop).crop, (0, 140, Size::new(360, 360)));
    let same = fit(wide, (1, 1), Size::new(1280, 720), Fit::Letterbox);
    assert_eq!(same, Fitting { crop: (0, 0, wide), size: Size::new(1280, 720) });
    // Pixels twice as wide as high make a picture of 640x360 out of 320x360.
    let narrow = fit(Size::new(320, 360), (2, 1), Size::new(640, 360), Fit::Letterbox);
    assert_eq!(narrow.size, Size::new(640, 360));
}

#[test]
fn fitting_the_odd_and_the_tiny_leaves_pixels() {
    for (w, h) in [(1, 1), (1, 4000), (4000, 1), (333, 7)] {
        for policy in [Fit::Letterbox, Fit::Crop] {
            let Fitting { crop: (left, top, part), size } =
                fit(Size::new(w, h), (1, 1), Size::new(100, 60), policy);
            assert!(part.width > 0 && part.height > 0 && size.width > 1 && size.height > 1);
            assert!(left + part.width <= w && top + part.height <= h, "{w}x{h} {policy:?}");
        }
    }
}

#[test]
fn frames_never_swallow_a_region() {
    let tiny = Area { left: 10, top: 10, size: Size::new(4, 40) };
    assert!(tiny.inset(8).size.width >= 2);
    let area = Area { left: 10, top: 20, size: Size::new(100, 50) };
    assert_eq!(area.inset(4), Area { left: 14, top: 24, size: Size::new(92, 42) });
}
